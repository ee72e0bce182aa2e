package transport

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"weak"

	clientfeatures "k8s.io/client-go/features"
	"k8s.io/client-go/tools/metrics"
)

// shared has the connections of all configurations in use.
var shared cache

// A cache gives the same connections to those who ask for the same. It does not
// keep them: it has weak pointers, and forgets a transport after nothing else
// points to it. The goroutines that read from connections do, so a transport
// lives at least as long as they are open.
type cache struct {
	mu      sync.Mutex
	entries map[cacheKey]entry
}

// A cacheKey is all that connections depend on. Contents of files that can
// change do not count, only their names.
type cacheKey struct {
	settings
	ca, cert, key string
}

type settings struct {
	insecure           bool
	disableCompression bool
	serverName         string
	nextProtos         string
	caFile             string
	certFile, keyFile  string
	getCert            *GetCertHolder
	dial               *DialHolder
}

func settingsOf(c *Config, m *tlsMaterial) settings {
	return settings{
		insecure:           c.TLS.Insecure,
		disableCompression: c.DisableCompression,
		serverName:         c.TLS.ServerName,
		nextProtos:         strings.Join(c.TLS.NextProtos, ","),
		caFile:             m.caFile,
		certFile:           m.certFile,
		keyFile:            m.keyFile,
		getCert:            c.TLS.GetCertHolder,
		dial:               c.DialHolder,
	}
}

// An entry points to one of the two kinds of transports.
type entry struct {
	plain weak.Pointer[http.Transport]
	roots weak.Pointer[rootsTransport]

	// held keeps the transport alive in programs that have turned the
	// ClientsAllowTLSCacheGC feature off.
	held http.RoundTripper
}

func (e entry) get() http.RoundTripper {
	if t := e.plain.Value(); t != nil {
		return t
	}
	if t := e.roots.Value(); t != nil {
		return t
	}
	return nil
}

// get returns connections as config asks for.
func (c *cache) get(config *Config) (http.RoundTripper, error) {
	m, err := loadTLS(config)
	if err != nil {
		return nil, err
	}
	if config.Proxy != nil {
		// Functions cannot be compared.
		metrics.TransportCreateCalls.Increment("uncacheable")
		rt, _, err := newTransport(config, &m)
		return rt, err
	}
	rt, outcome, err := c.find(config, &m)
	if err != nil {
		return nil, err
	}
	metrics.TransportCreateCalls.Increment(outcome)
	if roots, ok := rt.(*rootsTransport); ok && outcome == "hit" {
		roots.offer(m.ca) // this was read just now
	}
	return rt, nil
}

// find returns the transport of that key. It is made while c is locked, so that
// of many who ask at the same time all get the same one.
func (c *cache) find(config *Config, m *tlsMaterial) (rt http.RoundTripper, outcome string, err error) {
	asked := settingsOf(config, m)
	ca, cert, private := m.ca, m.cert, m.key
	if m.caFile != "" {
		ca = nil
	}
	if m.certFile != "" {
		cert, private = nil, nil
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { metrics.TransportCacheEntries.Observe(len(c.entries)) }()

	// Written like this, the look-up does not copy the contents.
	known, ok := c.entries[cacheKey{asked, string(ca), string(cert), string(private)}]
	if ok {
		if rt := known.get(); rt != nil {
			return rt, "hit", nil
		}
	}
	rt, retire, err := newTransport(config, m)
	if err != nil {
		return nil, "", err
	}
	key := cacheKey{asked, string(ca), string(cert), string(private)}
	outcome = "miss"
	if ok {
		outcome = "miss-gc"
	}
	added := entry{}
	expire := func(key cacheKey) { c.forget(key, retire) }
	switch t := rt.(type) {
	case *rootsTransport:
		added.roots = weak.Make(t)
		runtime.AddCleanup(t, expire, key)
	case *http.Transport:
		if t == http.DefaultTransport {
			return rt, outcome, nil
		}
		added.plain = weak.Make(t)
		runtime.AddCleanup(t, expire, key)
	default:
		return rt, outcome, nil // what a program has set as http.DefaultTransport
	}
	if !clientfeatures.FeatureGates().Enabled(clientfeatures.ClientsAllowTLSCacheGC) {
		added.held = rt
	}
	if c.entries == nil {
		c.entries = map[cacheKey]entry{}
	}
	c.entries[key] = added
	return rt, outcome, nil
}

// forget is called after a transport of that key is gone. There may be another
// one in its place.
func (c *cache) forget(key cacheKey, retire func()) {
	if retire != nil {
		retire()
		metrics.TransportCertRotationGCCalls.Increment()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; !ok || e.get() != nil {
		metrics.TransportCacheGCCalls.Increment("skipped")
		return
	}
	delete(c.entries, key)
	metrics.TransportCacheGCCalls.Increment("deleted")
	metrics.TransportCacheEntries.Observe(len(c.entries))
}

// newTransport returns connections as config asks for, and what to call when
// they are gone, which may be nil.
func newTransport(config *Config, m *tlsMaterial) (rt http.RoundTripper, retire func(), err error) {
	tlsConfig, err := m.config(config)
	if err != nil {
		return nil, nil, err
	}
	if !needsConnections(config, tlsConfig) {
		return http.DefaultTransport, nil, nil
	}
	dial := dialerFor(config)
	if m.clientCert != nil && m.certFile != "" {
		rotation := newCertRotation(m.clientCert, dial)
		dial, retire = rotation.DialContext, rotation.retire
	}
	connections := newConnections(config, tlsConfig, dial)
	if m.caFile == "" {
		return connections, retire, nil
	}
	return newRootsTransport(connections, m.caFile, m.ca), retire, nil
}
