package rest

import (
	"crypto/tls"
	"errors"
	"net/http"
	"os"

	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/plugin/pkg/client/auth/exec"
	"k8s.io/client-go/transport"
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
