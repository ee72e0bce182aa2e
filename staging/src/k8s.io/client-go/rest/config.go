package rest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/pkg/version"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
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

// ContentConfig says which formats are spoken. Typed clients know "application/json",
// "application/vnd.kubernetes.protobuf" and "application/yaml", and "application/cbor" where
// the feature ClientsAllowCBOR is enabled; those of package dynamic know JSON and CBOR.
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

// CopyConfig returns a copy of config that may be changed. What its pointers and slices
// refer to is shared.
func CopyConfig(config *Config) *Config {
	c := *config
	return &c
}

// AnonymousClientConfig returns a copy of config that has nothing by which its user is
// known: no password, token, certificate, plugin, impersonation or custom transport.
func AnonymousClientConfig(config *Config) *Config {
	c := *config
	c.Username, c.Password = "", ""
	c.BearerToken, c.BearerTokenFile = "", ""
	c.Impersonate = ImpersonationConfig{}
	c.AuthProvider, c.AuthConfigPersister, c.ExecProvider = nil, nil, nil
	c.CertFile, c.CertData = "", nil
	c.KeyFile, c.KeyData = "", nil
	c.Transport, c.WrapTransport = nil, nil
	return &c
}

// SetKubernetesDefaults fills in the user agent if there is none. It returns no error; the
// result is kept for callers that check it.
func SetKubernetesDefaults(config *Config) error {
	if config.UserAgent == "" {
		config.UserAgent = DefaultKubernetesUserAgent()
	}
	return nil
}

// AddUserAgent makes config's user agent the default one followed by a slash and
// userAgent, and returns config.
func AddUserAgent(config *Config, userAgent string) *Config {
	config.UserAgent = DefaultKubernetesUserAgent() + "/" + userAgent
	return config
}

// DefaultKubernetesUserAgent returns how programs call themselves by default: the name of
// the command, its version, the platform, and the commit of the library. Servers that manage fields take the
// part before the first slash for the manager.
func DefaultKubernetesUserAgent() string { return defaultUserAgent() }

var defaultUserAgent = sync.OnceValue(func() string {
	v := version.Get()
	return userAgent(os.Args[0], v.GitVersion, goruntime.GOOS, goruntime.GOARCH, v.GitCommit)
})

func userAgent(command, version, system, arch, commit string) string {
	name := filepath.Base(command)
	if command == "" {
		name = "unknown"
	}
	// What follows a dash says how far from a release this is, which is nobody's
	// business.
	if version, _, _ = strings.Cut(version, "-"); version == "" {
		version = "unknown"
	}
	const shortHash = 7
	switch {
	case commit == "":
		commit = "unknown"
	case len(commit) > shortHash:
		commit = commit[:shortHash]
	}
	return name + "/" + version + " (" + system + "/" + arch + ") kubernetes/" + commit
}

// DeepCopyInto copies in to out. Neither may be nil.
func (in *TLSClientConfig) DeepCopyInto(out *TLSClientConfig) {
	*out = *in
	out.CertData = slices.Clone(in.CertData)
	out.KeyData = slices.Clone(in.KeyData)
	out.CAData = slices.Clone(in.CAData)
	out.NextProtos = slices.Clone(in.NextProtos)
}

// DeepCopy returns a copy that shares nothing with in; nil for nil.
func (in *TLSClientConfig) DeepCopy() *TLSClientConfig {
	if in == nil {
		return nil
	}
	out := &TLSClientConfig{}
	in.DeepCopyInto(out)
	return out
}

// ErrNotInCluster is returned by InClusterConfig where the process does not run in a pod.
var ErrNotInCluster = errors.New("unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined")

// Where a pod finds what its service account has.
const (
	serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	serviceAccountCA    = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
)

// InClusterConfig returns the configuration for a pod: the server is the one of its
// cluster, the user its service account. The token is read again as it is renewed. The error is
// ErrNotInCluster if the process does not run in a pod, or says why the token cannot be read.
func InClusterConfig() (*Config, error) {
	return inCluster(os.Getenv, serviceAccountToken, serviceAccountCA)
}

func inCluster(getenv func(string) string, tokenFile, caFile string) (*Config, error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, ErrNotInCluster
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	config := &Config{
		Host:            "https://" + net.JoinHostPort(host, port),
		BearerToken:     string(token),
		BearerTokenFile: tokenFile,
	}
	// Without the authorities of the cluster those of the system have to do, which is
	// right where the server has a public certificate.
	if err := checkCertificates(caFile); err != nil {
		klog.Background().Error(err, "Using the system's certificate authorities, as those of the cluster cannot be read")
	} else {
		config.CAFile = caFile
	}
	return config, nil
}

func checkCertificates(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		return fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return nil
}
