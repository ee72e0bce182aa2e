package rest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync"

	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/plugin/pkg/client/auth/exec"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"
	"k8s.io/klog/v2"
)

// HTTPClientFor returns an HTTP client that reaches the server as config says. It is
// http.DefaultClient where config asks for nothing special. Clients for several APIs of a server
// should share it.
func HTTPClientFor(config *Config) (*http.Client, error) {
	rt, err := TransportFor(config)
	if err != nil {
		return nil, err
	}
	if rt == http.DefaultTransport && config.Timeout <= 0 {
		return http.DefaultClient, nil
	}
	return &http.Client{Transport: rt, Timeout: config.Timeout}, nil
}

// TransportFor returns a transport that reaches and authenticates to the server as config
// says. It is http.DefaultTransport where config asks for nothing special. Transports for equal
// configurations share connections.
func TransportFor(config *Config) (http.RoundTripper, error) {
	c, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	return transport.New(c)
}

// HTTPWrappersForConfig puts around rt what authenticates as config says. It is for
// clients that need connections of their own, as for WebSockets; others use TransportFor.
func HTTPWrappersForConfig(config *Config, rt http.RoundTripper) (http.RoundTripper, error) {
	c, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	return transport.HTTPWrappersForConfig(c, rt)
}

// TLSConfigFor returns how connections to the server are encrypted, or nil where config
// asks for nothing about it.
func TLSConfigFor(config *Config) (*tls.Config, error) {
	c, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	return transport.TLSConfigFor(c)
}

// IsConfigTransportTLS reports whether connections to the server of config are encrypted.
// If they are, that does not mean that the server is who it should be: Insecure is not looked at.
func IsConfigTransportTLS(config Config) bool {
	base, _, err := DefaultServerUrlFor(&config)
	return err == nil && base.Scheme == "https"
}

// LoadTLSFiles reads the files that c names to the fields for their data, where those are
// empty. It returns the error of the first file that cannot be read.
func LoadTLSFiles(c *Config) error {
	for _, f := range []struct {
		data *[]byte
		name string
	}{
		{&c.CAData, c.CAFile},
		{&c.CertData, c.CertFile},
		{&c.KeyData, c.KeyFile},
	} {
		if len(*f.data) > 0 || f.name == "" {
			continue
		}
		data, err := os.ReadFile(f.name)
		if err != nil {
			return err
		}
		*f.data = data
	}
	return nil
}

// TransportConfig returns what c says about connections and authentication, with the
// plugins it names at work.
func (c *Config) TransportConfig() (*transport.Config, error) {
	if c.ExecProvider != nil && c.AuthProvider != nil {
		return nil, errors.New("execProvider and authProvider cannot be used in combination")
	}
	out := &transport.Config{
		UserAgent:          c.UserAgent,
		Transport:          c.Transport,
		WrapTransport:      c.WrapTransport,
		DisableCompression: c.DisableCompression,
		TLS: transport.TLSConfig{
			Insecure:   c.Insecure,
			ServerName: c.ServerName,
			CAFile:     c.CAFile,
			CAData:     c.CAData,
			CertFile:   c.CertFile,
			CertData:   c.CertData,
			KeyFile:    c.KeyFile,
			KeyData:    c.KeyData,
			NextProtos: c.NextProtos,
		},
		Username:        c.Username,
		Password:        c.Password,
		BearerToken:     c.BearerToken,
		BearerTokenFile: c.BearerTokenFile,
		Impersonate:     transport.ImpersonationConfig(c.Impersonate),
		Proxy:           c.Proxy,
	}
	if c.Dial != nil {
		out.DialHolder = &transport.DialHolder{Dial: c.Dial}
	}
	switch {
	case c.ExecProvider != nil:
		if err := c.addExec(out); err != nil {
			return nil, err
		}
	case c.AuthProvider != nil:
		provider, err := GetAuthProvider(c.Host, c.AuthProvider, c.AuthConfigPersister)
		if err != nil {
			return nil, err
		}
		out.Wrap(provider.WrapTransport)
	}
	return out, nil
}

func (c *Config) addExec(out *transport.Config) error {
	var cluster *clientauthentication.Cluster
	if c.ExecProvider.ProvideClusterInfo {
		var err error
		if cluster, err = ConfigToExecCluster(c); err != nil {
			return err
		}
	}
	authenticator, err := exec.GetAuthenticator(c.ExecProvider, cluster)
	if err != nil {
		return err
	}
	return authenticator.UpdateTransportConfig(out)
}

// AuthProvider is a plugin that authenticates.
type AuthProvider interface {
	// WrapTransport puts around a transport what authenticates its requests.
	WrapTransport(http.RoundTripper) http.RoundTripper
	// Login lets the plugin get ready. It must not ask the user anything.
	Login() error
}

// AuthProviderConfigPersister keeps a plugin's settings.
type AuthProviderConfigPersister interface {
	// Persist replaces the settings.
	Persist(map[string]string) error
}

// Factory makes a plugin for a server. Config has the plugin's settings, and persister
// keeps them when they change.
type Factory func(clusterAddress string, config map[string]string, persister AuthProviderConfigPersister) (AuthProvider, error)

var providers struct {
	sync.Mutex
	byName map[string]Factory
}

// RegisterAuthProviderPlugin makes a plugin known under name. It returns an error if there
// is one of that name.
func RegisterAuthProviderPlugin(name string, plugin Factory) error {
	providers.Lock()
	defer providers.Unlock()
	if _, taken := providers.byName[name]; taken {
		return fmt.Errorf("auth provider plugin %q was registered twice", name)
	}
	if providers.byName == nil {
		providers.byName = map[string]Factory{}
	}
	providers.byName[name] = plugin
	klog.V(4).InfoS("Registered auth provider plugin", "name", name)
	return nil
}

// GetAuthProvider returns the plugin that apc names, for the server at clusterAddress. It
// returns the plugin's error, or one if there is no such plugin.
func GetAuthProvider(clusterAddress string, apc *clientcmdapi.AuthProviderConfig, persister AuthProviderConfigPersister) (AuthProvider, error) {
	providers.Lock()
	factory, known := providers.byName[apc.Name]
	providers.Unlock()
	if !known {
		return nil, fmt.Errorf("no auth provider found for name %q: import the package that registers it, or use an exec plugin", apc.Name)
	}
	return factory(clusterAddress, apc.Config, persister)
}

// ConfigToExecCluster returns what config says about its server, for a credential plugin
// that wants to know. Authorities in a file are read from it, and the proxy is the one for requests to
// the server.
func ConfigToExecCluster(config *Config) (*clientauthentication.Cluster, error) {
	ca := config.CAData
	if len(ca) == 0 && config.CAFile != "" {
		var err error
		if ca, err = os.ReadFile(config.CAFile); err != nil {
			return nil, fmt.Errorf("failed to load CA bundle for execProvider: %w", err)
		}
	}
	cluster := &clientauthentication.Cluster{
		Server:                   config.Host,
		TLSServerName:            config.ServerName,
		InsecureSkipTLSVerify:    config.Insecure,
		CertificateAuthorityData: ca,
		DisableCompression:       config.DisableCompression,
	}
	if config.ExecProvider != nil {
		cluster.Config = config.ExecProvider.Config
	}
	if config.Proxy != nil {
		request, err := http.NewRequest("", config.Host, nil)
		if err != nil {
			return nil, fmt.Errorf("failed to create proxy URL request for execProvider: %w", err)
		}
		proxy, err := config.Proxy(request)
		if err != nil {
			return nil, fmt.Errorf("failed to get proxy URL for execProvider: %w", err)
		}
		if proxy != nil {
			cluster.ProxyURL = proxy.String()
		}
	}
	return cluster, nil
}

// ExecClusterToConfig returns a configuration for the server that a credential plugin was
// told about. It has nothing that authenticates.
func ExecClusterToConfig(cluster *clientauthentication.Cluster) (*Config, error) {
	config := &Config{
		Host:               cluster.Server,
		DisableCompression: cluster.DisableCompression,
		TLSClientConfig: TLSClientConfig{
			Insecure:   cluster.InsecureSkipTLSVerify,
			ServerName: cluster.TLSServerName,
			CAData:     cluster.CertificateAuthorityData,
		},
	}
	if cluster.ProxyURL != "" {
		proxy, err := url.Parse(cluster.ProxyURL)
		if err != nil {
			return nil, fmt.Errorf("cannot parse proxy URL: %w", err)
		}
		config.Proxy = http.ProxyURL(proxy)
	}
	return config, nil
}
