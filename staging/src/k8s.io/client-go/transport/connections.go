package transport

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/util/connrotation"
	"k8s.io/klog/v2"
)

const (
	dialTimeout     = 30 * time.Second
	dialKeepAlive   = 30 * time.Second
	tlsTimeout      = 10 * time.Second
	idlePerHost     = 25
	healthCheckIdle = 30 * time.Second
	healthCheckWait = 15 * time.Second
)

// needsConnections reports whether c asks for more than the connections of
// http.DefaultTransport.
func needsConnections(c *Config, tlsConfig *tls.Config) bool {
	return tlsConfig != nil || c.DialHolder != nil || c.Proxy != nil || c.DisableCompression
}

// newConnections returns connections as c asks for. tlsConfig may be nil, and is
// the transport's from now on.
func newConnections(c *Config, tlsConfig *tls.Config, dial connrotation.DialFunc) *http.Transport {
	if tlsConfig == nil {
		tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t := &http.Transport{
		Proxy:               c.Proxy,
		DialContext:         dial,
		TLSClientConfig:     tlsConfig,
		TLSHandshakeTimeout: tlsTimeout,
		MaxIdleConnsPerHost: idlePerHost,
		DisableCompression:  c.DisableCompression,
	}
	enableHTTP2(t)
	// What is left is the proxy, if c has none, and how long connections may
	// be idle.
	return settle(utilnet.SetOldTransportDefaults(t))
}

func dialerFor(c *Config) connrotation.DialFunc {
	if c.DialHolder != nil {
		return c.DialHolder.Dial
	}
	return (&net.Dialer{Timeout: dialTimeout, KeepAlive: dialKeepAlive}).DialContext
}

// largestFrame is how much a server may send at once, in bytes. A connection has a buffer
// for the largest that came.
const largestFrame = 128 << 10

// enableHTTP2 lets t speak HTTP/2 unless the environment or the protocols in its
// TLS configuration say otherwise. The implementation is that of net/http, which
// every program with a client has anyway.
func enableHTTP2(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	offered := t.TLSClientConfig.NextProtos
	if os.Getenv("DISABLE_HTTP2") != "" {
		isHTTP2 := func(proto string) bool { return proto == "h2" }
		t.TLSClientConfig.NextProtos = slices.DeleteFunc(slices.Clone(offered), isHTTP2)
		return
	}
	if len(offered) > 0 && !slices.Contains(offered, "h2") {
		return
	}
	t.Protocols.SetHTTP2(true)
	t.HTTP2 = &http.HTTP2Config{
		SendPingTimeout: secondsFromEnv("HTTP2_READ_IDLE_TIMEOUT_SECONDS", healthCheckIdle),
		PingTimeout:     secondsFromEnv("HTTP2_PING_TIMEOUT_SECONDS", healthCheckWait),
		// Lists, and bursts of events, take a server and a client fewer steps.
		MaxReadFrameSize: largestFrame,
	}
}

// settle makes t change its TLS configuration now, as it is to speak HTTP/2. It
// would do that at its first request, when others may have got hold of the
// configuration and read it.
func settle(t *http.Transport) *http.Transport {
	t.CloseIdleConnections() // there are none, but this is one of the first uses
	return t
}

func secondsFromEnv(name string, otherwise time.Duration) time.Duration {
	value := os.Getenv(name)
	if value == "" {
		return otherwise
	}
	seconds, err := strconv.Atoi(value)
	if err != nil {
		klog.ErrorS(err, "Not a number of seconds, the default is used", "variable", name, "default", otherwise)
		return otherwise
	}
	return time.Duration(seconds) * time.Second
}

// logStale reports that something on disk cannot be used, and that what was
// there before is used instead.
func logStale(err error, what, file string) {
	klog.ErrorS(err, "Unable to read the "+what+" again, the last one is used", "file", file)
}
