package transport

import (
	"errors"
	"net/http"
)

// New returns a round tripper that does what config says. It returns an error
// if config contradicts itself, or if a file that it names cannot be read (then
// it is a [*fs.PathError]) or holds something else than it should.
func New(config *Config) (http.RoundTripper, error) {
	if config.Transport != nil && (config.HasCA() || config.HasCertAuth() || config.HasCertCallback() || config.TLS.Insecure) {
		return nil, errors.New("using a custom transport with TLS certificate options or the insecure flag is not allowed")
	}
	if err := checkHolders(config); err != nil {
		return nil, err
	}
	connections := config.Transport
	if connections == nil {
		var err error
		if connections, err = shared.get(config); err != nil {
			return nil, err
		}
	}
	return HTTPWrappersForConfig(config, connections)
}

// checkHolders finds holders without a function. They would only be noticed at
// the first connection.
func checkHolders(config *Config) error {
	dial, cert := config.DialHolder, config.TLS.GetCertHolder
	if dial != nil && dial.Dial == nil || cert != nil && cert.GetCert == nil {
		return errors.New("misconfigured holder for dialer or cert callback")
	}
	return nil
}

// HTTPWrappersForConfig puts the layers that config asks for on top of rt: all
// that New does except for the connections. It is for clients that speak HTTP
// only to begin with, and then take over the connection.
func HTTPWrappersForConfig(config *Config, rt http.RoundTripper) (http.RoundTripper, error) {
	if config.HasBasicAuth() && config.HasTokenAuth() {
		return nil, errors.New("username/password or bearer token may be set, but not both")
	}
	if config.WrapTransport != nil {
		rt = config.WrapTransport(rt)
	}
	rt = DebugWrappers(rt)

	switch {
	case config.HasTokenAuth():
		authenticated, err := NewBearerAuthWithRefreshRoundTripper(config.BearerToken, config.BearerTokenFile, rt)
		if err != nil {
			return nil, err
		}
		rt = authenticated
	case config.HasBasicAuth():
		rt = NewBasicAuthRoundTripper(config.Username, config.Password, rt)
	}
	if config.UserAgent != "" {
		rt = NewUserAgentRoundTripper(config.UserAgent, rt)
	}
	if config.impersonates() {
		rt = NewImpersonatingRoundTripper(config.Impersonate, rt)
	}
	return rt, nil
}
