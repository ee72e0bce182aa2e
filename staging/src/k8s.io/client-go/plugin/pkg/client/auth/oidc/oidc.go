// Package oidc is the auth provider oidc: it puts ID tokens of an OpenID
// Connect issuer into requests, and gets new ones with a refresh token.
//
// A program that imports the package for its effect can use kubeconfigs with
//
//	users:
//	- name: jane
//	  user:
//	    auth-provider:
//	      name: oidc
//	      config:
//	        idp-issuer-url: https://issuer.example
//	        client-id: kubernetes
//	        client-secret: ...                      # if the issuer wants one
//	        id-token: ...                           # either of these
//	        refresh-token: ...                      # at least
//	        idp-certificate-authority: /path/to.pem # or, in base64,
//	        idp-certificate-authority-data: ...     # if not the system's
//
// The ID token is used until shortly before it expires. Then the issuer's
// token endpoint is looked up, and asked for a new one, as in
// https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokens. What it
// answers, an ID token and perhaps another refresh token, is saved in the
// kubeconfig.
//
// The provider does not log users in: something else has to put the first
// tokens there.
package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

const (
	keyIssuerURL    = "idp-issuer-url"
	keyClientID     = "client-id"
	keyClientSecret = "client-secret"
	keyCAFile       = "idp-certificate-authority"
	keyCAData       = "idp-certificate-authority-data"
	keyIDToken      = "id-token"
	keyRefreshToken = "refresh-token"
)

func init() {
	if err := rest.RegisterAuthProviderPlugin("oidc", newProvider); err != nil {
		klog.Fatalf("Registering the auth provider oidc: %v", err)
	}
}

// provider is what users' requests get their tokens from.
type provider struct {
	client    *http.Client // for requests to the issuer
	persister rest.AuthProviderConfigPersister
	cache     *cache
	firstKey  cacheKey // of the configuration that it was built with

	// refreshing is held, by having sent into it, while tokens are renewed.
	// Unlike a mutex it lets those who wait give up.
	refreshing chan struct{}

	mu     sync.Mutex
	config map[string]string // replaced, never changed
}

func newProvider(_ string, config map[string]string, persister rest.AuthProviderConfigPersister) (rest.AuthProvider, error) {
	return providers.get(config, persister)
}

func (c *cache) build(config map[string]string, persister rest.AuthProviderConfigPersister) (*provider, error) {
	for _, key := range []string{keyIssuerURL, keyClientID} {
		if config[key] == "" {
			return nil, fmt.Errorf("oidc: the auth provider's config must provide %s", key)
		}
	}
	tls := rest.TLSClientConfig{CAFile: config[keyCAFile]}
	if data := config[keyCAData]; data != "" {
		var err error
		if tls.CAData, err = base64.StdEncoding.DecodeString(data); err != nil {
			return nil, fmt.Errorf("oidc: %s: %w", keyCAData, err)
		}
	}
	client, err := rest.HTTPClientFor(&rest.Config{TLSClientConfig: tls})
	if err != nil {
		return nil, fmt.Errorf("oidc: a client for the issuer: %w", err)
	}
	return &provider{
		client:     client,
		persister:  persister,
		cache:      c,
		firstKey:   keyOf(config),
		refreshing: make(chan struct{}, 1),
		config:     maps.Clone(config),
	}, nil
}

// Login says that this provider cannot log anybody in.
func (p *provider) Login() error { return errors.New("not yet implemented") }

// WrapTransport returns base with tokens put into its requests.
func (p *provider) WrapTransport(base http.RoundTripper) http.RoundTripper {
	return &roundTripper{p, base}
}

// cache holds a provider for each configuration, so that clients made from one
// share its tokens. They have to: many issuers let a refresh token be used once.
type cache struct {
	mu    sync.Mutex
	byKey map[cacheKey]*provider
}

// cacheKey is a hash of a whole configuration. Two users of one issuer have
// different tokens, and so different keys.
type cacheKey [sha256.Size]byte

var providers cache

func keyOf(config map[string]string) cacheKey {
	text, err := json.Marshal(config) // sorted
	if err != nil {
		panic(err) // strings can be encoded
	}
	return sha256.Sum256(text)
}

// get returns the provider for config, and builds it if there is none. The
// first persister is the one that counts.
func (c *cache) get(config map[string]string, persister rest.AuthProviderConfigPersister) (*provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := keyOf(config)
	if p, ok := c.byKey[key]; ok {
		return p, nil
	}
	p, err := c.build(config, persister)
	if err != nil {
		return nil, err
	}
	if c.byKey == nil {
		c.byKey = map[cacheKey]*provider{}
	}
	c.byKey[key] = p
	return p, nil
}

// renewed makes p known under the configuration that it saves in the place of
// old, so that a client made from the saved one shares it too. It stays known
// under its first one, which programs may keep.
func (c *cache) renewed(p *provider, old, config map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key := keyOf(old); key != p.firstKey && c.byKey[key] == p {
		delete(c.byKey, key)
	}
	c.byKey[keyOf(config)] = p
}
