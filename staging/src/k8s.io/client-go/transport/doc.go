// Package transport turns a description of how to reach an API server, a
// [Config], into an [http.RoundTripper] that does so: it knows whom to trust,
// who it is, and how to find out when either has changed on disk.
//
// # Layers
//
// [New] stacks round trippers. A request passes them from the top:
//
//	Impersonate headers     Config.Impersonate
//	User-Agent header       Config.UserAgent
//	Authorization header    Config.BearerToken, BearerTokenFile, or Username
//	log of the request      if klog's verbosity is 6 or more
//	wrappers of the caller  Config.WrapTransport, see Config.Wrap
//	connections             Config.TLS, DialHolder and Proxy, or Config.Transport
//
// A layer that the configuration does not need is not there. Every layer that
// is there tells what is below it through WrappedRoundTripper, so that
// TLSClientConfig, DialerFor and CloseIdleConnectionsFor in
// k8s.io/apimachinery/pkg/util/net find the connections. No layer changes the
// request that it is given, and a header that the request already has is left
// as it is.
//
// # Connections are shared
//
// Two configurations that ask for the same connections share them, however many
// clients are made. What counts is everything in Config.TLS, DisableCompression
// and the DialHolder; functions cannot be compared, so holders are the same if
// their pointers are. A configuration with a Proxy function gets connections of
// its own. Connections go away once nothing uses them: after 90 seconds each
// idle one is closed, and the transport itself is left to the garbage collector.
// (Programs can turn that off with the feature ClientsAllowTLSCacheGC, see
// k8s.io/client-go/features.)
//
// # Files that change
//
// Files that are named in a Config, and not overruled by data in it, are read
// again without anyone asking:
//
//   - BearerTokenFile at most once a minute,
//   - CertFile and KeyFile at each TLS handshake. Connections that were opened
//     with an older certificate are closed within [CertCallbackRefreshDuration],
//   - CAFile every [CertCallbackRefreshDuration] while there are requests, and
//     at once when a server's certificate is not trusted. (The feature
//     ClientsAllowCARotation turns that off.)
//
// A file that cannot be used leaves in force what was read before. The files
// must be usable when New is called.
//
// # Environment
//
// These variables are read when connections are set up:
//
//   - HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as [http.ProxyFromEnvironment] has
//     it. NO_PROXY may contain address blocks in CIDR notation.
//   - DISABLE_HTTP2, if not empty, restricts connections to HTTP/1.1.
//   - HTTP2_READ_IDLE_TIMEOUT_SECONDS is how long an HTTP/2 connection may be
//     silent before the server is asked whether it is still there. The default
//     is 30, and 0 means never.
//   - HTTP2_PING_TIMEOUT_SECONDS is how long it then has to answer before the
//     connection is closed. The default is 15.
package transport
