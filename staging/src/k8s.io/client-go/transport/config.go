package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
)

// Config describes a transport. The zero value is the plain one: no
// credentials, and the connections of [http.DefaultTransport].
//
// A Config is only read, by New and the functions like it, so that many
// goroutines may use one at the same time.
type Config struct {
	// UserAgent is sent as the User-Agent header.
	UserAgent string

	// TLS says whom to trust and which certificate to show.
	TLS TLSConfig

	// Username and Password are for basic authentication. They exclude a
	// bearer token.
	Username string
	Password string `datapolicy:"password"`

	// BearerToken is sent in the Authorization header.
	BearerToken string `datapolicy:"token"`

	// BearerTokenFile is the path of a file with a bearer token, which is
	// read again at most once a minute. It takes precedence over BearerToken,
	// which serves as long as the file could not be read.
	BearerTokenFile string

	// Impersonate is who to act as.
	Impersonate ImpersonationConfig

	// DisableCompression stops the transport from asking for gzip.
	DisableCompression bool

	// Transport carries the requests in place of connections that are made
	// here. It excludes an authority, a client certificate and Insecure in
	// TLS, which it would have to provide itself.
	Transport http.RoundTripper

	// WrapTransport is called with the connections, or with Transport, and
	// returns what to use in their place. The other layers come on top. Use
	// Wrap to add to it.
	WrapTransport WrapperFunc

	// DialHolder holds the function that opens TCP connections. The default
	// gives up after 30 seconds.
	DialHolder *DialHolder

	// Proxy returns the proxy for a request, nil meaning none. The default
	// goes by the environment.
	Proxy func(*http.Request) (*url.URL, error)
}

// A DialHolder holds a function for opening connections. Configurations with
// the same holder can share connections.
type DialHolder struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A GetCertHolder holds a function that returns a client certificate, or nil if
// there is none. Configurations with the same holder can share connections.
type GetCertHolder struct {
	GetCert func() (*tls.Certificate, error)
}

// ImpersonationConfig says who to act as. The server allows it or not.
type ImpersonationConfig struct {
	// UserName is the name of the user.
	UserName string
	// UID is the identifier of the user.
	UID string
	// Groups are all the groups of the user.
	Groups []string
	// Extra has whatever else is known of the user.
	Extra map[string][]string
}

// TLSConfig says whom to trust and which certificate to show. In each of its
// pairs of a file and data, data wins.
type TLSConfig struct {
	CAFile         string // Path of the authorities' certificates, in PEM.
	CertFile       string // Path of the client's certificate, in PEM.
	KeyFile        string // Path of the client's private key, in PEM.
	ReloadTLSFiles bool   // Read CertFile and KeyFile again although there is data. Without data they always are.
	ReloadCAFiles  bool   // Read CAFile again although there is data. Without data it always is.

	Insecure   bool   // Trust any server. It excludes CAFile and CAData.
	ServerName string // The name in the server's certificate, if not that in the URL.

	CAData   []byte // The authorities' certificates, in PEM.
	CertData []byte // The client's certificate, in PEM.
	KeyData  []byte // The client's private key, in PEM.

	// NextProtos are the protocols to offer in the handshake, the preferred
	// one first. A list without "h2" means that HTTP/2 is not used. The
	// default is "h2" before "http/1.1".
	NextProtos []string

	// GetCertHolder holds a function that is called for a client certificate
	// at each handshake. A certificate in files or data wins.
	GetCertHolder *GetCertHolder
}

// HasCA reports whether the authorities to trust are given.
func (c *Config) HasCA() bool {
	return c.TLS.CAFile != "" || len(c.TLS.CAData) > 0
}

// HasBasicAuth reports whether a user name is given.
func (c *Config) HasBasicAuth() bool {
	return c.Username != ""
}

// HasTokenAuth reports whether a bearer token or a file with one is given.
func (c *Config) HasTokenAuth() bool {
	return c.BearerTokenFile != "" || c.BearerToken != ""
}

// HasCertAuth reports whether a client certificate with its key is given.
func (c *Config) HasCertAuth() bool {
	cert := c.TLS.CertFile != "" || len(c.TLS.CertData) > 0
	key := c.TLS.KeyFile != "" || len(c.TLS.KeyData) > 0
	return cert && key
}

// HasCertCallback reports whether there is a function to ask for a client
// certificate.
func (c *Config) HasCertCallback() bool {
	holder := c.TLS.GetCertHolder
	return holder != nil
}

// Wrap adds a wrapper around those that the Config has already.
func (c *Config) Wrap(fn WrapperFunc) {
	c.WrapTransport = Wrappers(c.WrapTransport, fn)
}

// impersonates reports whether there is someone to act as.
func (c *Config) impersonates() bool {
	who := &c.Impersonate
	return who.UserName != "" || who.UID != "" || len(who.Groups) > 0 || len(who.Extra) > 0
}
