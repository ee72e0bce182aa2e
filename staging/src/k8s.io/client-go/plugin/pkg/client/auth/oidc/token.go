package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"k8s.io/klog/v2"
)

const (
	// expiryMargin is how long before its expiry a token is replaced. It
	// covers the way of a request to the server, and clocks that disagree.
	expiryMargin = 10 * time.Second

	// renewalTimeout bounds how long an issuer may take.
	renewalTimeout = time.Minute
)

// roundTripper puts tokens into requests that have no Authorization header.
type roundTripper struct {
	provider *provider
	base     http.RoundTripper
}

// WrappedRoundTripper returns the next one, for those who look for the
// transport at the bottom.
func (r *roundTripper) WrappedRoundTripper() http.RoundTripper { return r.base }

func (r *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Authorization") != "" {
		return r.base.RoundTrip(req)
	}
	token, err := r.provider.idToken(req.Context())
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return r.base.RoundTrip(req)
}

// idToken returns a token that is valid, after getting one if need be.
func (p *provider) idToken(ctx context.Context) (string, error) {
	if token, ok := p.validToken(); ok {
		return token, nil
	}
	select {
	case p.refreshing <- struct{}{}:
		defer func() { <-p.refreshing }()
	case <-ctx.Done():
		return "", fmt.Errorf("oidc: waiting for a new id-token: %w", context.Cause(ctx))
	}
	if token, ok := p.validToken(); ok { // somebody else got it
		return token, nil
	}

	// The end of the request that came first is no reason to stop: if the
	// issuer's answer were lost, the new refresh token would be.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewalTimeout)
	defer cancel()
	return p.renew(ctx)
}

func (p *provider) settings() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.config
}

func (p *provider) validToken() (string, bool) {
	token := p.settings()[keyIDToken]
	if token == "" {
		return "", false
	}
	expiry, err := expiryOf(token)
	return token, err == nil && time.Until(expiry) > expiryMargin
}

// renew gets tokens from the issuer and saves them.
func (p *provider) renew(ctx context.Context) (string, error) {
	config := p.settings()
	if config[keyRefreshToken] == "" {
		return "", errors.New("no valid id-token, and cannot refresh without refresh-token: log in again")
	}
	endpoint, err := p.tokenEndpoint(ctx, config[keyIssuerURL])
	if err != nil {
		return "", fmt.Errorf("oidc: %w", err)
	}

	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.client)
	issuer := oauth2.Config{
		ClientID:     config[keyClientID],
		ClientSecret: config[keyClientSecret],
		Endpoint:     oauth2.Endpoint{TokenURL: endpoint},
	}
	answer, err := issuer.TokenSource(ctx, &oauth2.Token{RefreshToken: config[keyRefreshToken]}).Token()
	if err != nil {
		return "", fmt.Errorf("failed to refresh token: %w", withoutBody(err))
	}
	idToken, _ := answer.Extra("id_token").(string)
	if idToken == "" {
		return "", errors.New("oidc: the issuer's answer to a refresh-token has no id_token: " +
			"either the login was not for the scope openid, or the issuer does not support refreshing ID tokens")
	}

	renewed := maps.Clone(config)
	renewed[keyIDToken] = idToken
	if answer.RefreshToken != "" {
		renewed[keyRefreshToken] = answer.RefreshToken
	}
	p.save(ctx, config, renewed)
	return idToken, nil
}

// save keeps new tokens here first: whatever becomes of the kubeconfig, the
// old refresh token may be worthless already.
func (p *provider) save(ctx context.Context, old, config map[string]string) {
	p.mu.Lock()
	p.config = config
	p.mu.Unlock()
	p.cache.renewed(p, old, config)

	if p.persister == nil {
		return
	}
	if err := p.persister.Persist(maps.Clone(config)); err != nil {
		klog.FromContext(ctx).Error(err, "The new OIDC tokens could not be saved in the kubeconfig. This program goes on with them; the next one may need a new login")
	}
}

// withoutBody removes from an issuer's refusal what it said at length, unless
// it said it in the terms of OAuth 2.0.
func withoutBody(err error) error {
	refusal, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || refusal.ErrorCode != "" || refusal.Response == nil {
		return err
	}
	return fmt.Errorf("the token endpoint answered %s", refusal.Response.Status)
}

// expiryOf returns the time in a token's claim exp. It does not check the
// signature; that is for the API server to do.
func expiryOf(token string) (time.Time, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, fmt.Errorf("a JWT has 3 parts, not %d", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}, fmt.Errorf("the payload of a JWT: %w", err)
	}
	var claims struct {
		Expiry *float64 `json:"exp"` // seconds, possibly with a fraction
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return time.Time{}, fmt.Errorf("the claims of a JWT: %w", err)
	}
	if claims.Expiry == nil {
		return time.Time{}, errors.New("the claims of a JWT do not tell its expiry")
	}
	// The bound is some 285,000 years; what is beyond fits no integer.
	return time.Unix(int64(min(*claims.Expiry, 9e12)), 0), nil
}
