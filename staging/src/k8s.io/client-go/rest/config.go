package rest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/flowcontrol"
)

// The rate limit of clients whose Config has none.
const (
	DefaultQPS   float32 = 5.0 // requests a second
	DefaultBurst int     = 10  // requests at once
)

// Config says how to reach a server, and how to behave. The zero value reaches
// http://localhost as nobody.
type Config struct {
	// Host is the server: a URL, or a host with or without a port. The path of a URL is
	// put before the path of each request.
	Host string
	// APIPath is where the API is on the server, such as "/api" or "/apis".
	APIPath string

	// ContentConfig says which formats are spoken.
	ContentConfig

	// Username and Password are for basic authentication.
	Username string
	Password string `datapolicy:"password"`

	// BearerToken is sent with each request.
	BearerToken string `datapolicy:"token"`

	// BearerTokenFile is a file that holds a bearer token. It is read again from time
	// to time, and comes before BearerToken once it could be read.
	BearerTokenFile string

	// Impersonate is as whom requests are to be made.
	Impersonate ImpersonationConfig

	// AuthProvider names a plugin of this process that authenticates; see
	// RegisterAuthProviderPlugin.
	AuthProvider *clientcmdapi.AuthProviderConfig

	// AuthConfigPersister keeps what the AuthProvider wants kept.
	AuthConfigPersister AuthProviderConfigPersister

	// ExecProvider is a command that prints credentials.
	ExecProvider *clientcmdapi.ExecConfig

	// TLSClientConfig is about encrypted connections.
	TLSClientConfig

	// UserAgent is how the client calls itself. The default names the program.
	UserAgent string

	// DisableCompression says not to ask for compressed answers. They save network at
	// the cost of the processors at both ends.
	DisableCompression bool

	// Transport sends the requests. It excludes TLS settings, which are its own matter.
	Transport http.RoundTripper
	// WrapTransport is put around the transport; authentication is put around it in turn. Use
	// the method Wrap to add to what is there.
	WrapTransport transport.WrapperFunc

	// QPS is how many requests a second a client may send in the long run. Zero stands
	// for DefaultQPS; with a negative number there is no limit.
	QPS float32

	// Burst is how many requests a client may send at once. Zero stands for
	// DefaultBurst.
	Burst int

	// RateLimiter comes in place of one made from QPS and Burst. Clients may share it.
	RateLimiter flowcontrol.RateLimiter

	// WarningHandler gets the warnings in the server's answers. If it is nil, they go to
	// WarningHandlerWithContext, or else to the handler of SetDefaultWarningHandler.
	WarningHandler WarningHandler

	// WarningHandlerWithContext is WarningHandler for handlers that want the
	// request's context. It comes before WarningHandler.
	WarningHandlerWithContext WarningHandlerWithContext

	// Timeout is how long a request may take, with its body. Zero means no limit.
	Timeout time.Duration

	// Dial makes the connections.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Proxy returns the proxy for a request, or nil for none. The default is
	// http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)
}

// ImpersonationConfig says as whom requests are to be made. The client's user needs the
// right to impersonate them.
type ImpersonationConfig struct {
	// UserName is the name of the user.
	UserName string
	// UID is what identifies the user.
	UID string
	// Groups are those that the user is in.
	Groups []string
	// Extra is whatever else authorizers look at.
	Extra map[string][]string
}

// TLSClientConfig is about encrypted connections. Where data and a file are given, the
// data counts.
type TLSClientConfig struct {
	// Insecure says not to verify who the server is. It is meant for tests.
	Insecure bool
	// ServerName is the name that the server must have a certificate for. The default
	// is the host of the URL.
	ServerName string

	// CertFile and KeyFile hold the client's certificate and its key, in PEM.
	CertFile string
	KeyFile  string
	// CAFile holds the authorities that are trusted to certify servers, in PEM.
	CAFile string

	// CertData is what CertFile would hold.
	CertData []byte
	// KeyData is what KeyFile would hold.
	KeyData []byte `datapolicy:"security-key"`
	// CAData is what CAFile would hold.
	CAData []byte

	// NextProtos are the protocols to offer, the preferred one first. The server
	// chooses. {"http/1.1"} turns HTTP/2 off.
	NextProtos []string
}

// ContentConfig says which formats are spoken.
type ContentConfig struct {
	// AcceptContentTypes are the formats to ask for, as in an Accept header. The
	// default is ContentType.
	AcceptContentTypes string
	// ContentType is the format of objects that are sent. The default is
	// "application/json".
	ContentType string
	// GroupVersion is the API that the client is for.
	GroupVersion *schema.GroupVersion
	// NegotiatedSerializer encodes and decodes the formats.
	NegotiatedSerializer runtime.NegotiatedSerializer
}

// Wrap adds fn around the transport, outside of what was there before. It must be called
// before a client is made.
func (c *Config) Wrap(fn transport.WrapperFunc) {
	c.WrapTransport = transport.Wrappers(c.WrapTransport, fn)
}
