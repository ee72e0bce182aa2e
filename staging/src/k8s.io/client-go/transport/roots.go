package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/tools/metrics"
)

// A rootsTransport is a transport for servers whose authorities are in a file
// that can change.
//
// Connections are made by an [http.Transport] that trusts what the file had in
// it. When that changes, another one takes over with the same settings, and the
// first one closes its connections as they become idle: long responses are
// completed.
//
// The file is looked at when a request comes and the last look was some time
// ago, and when a server was not trusted. There is no goroutine and no timer.
type rootsTransport struct {
	file     string
	period   time.Duration
	current  atomic.Pointer[http.Transport]
	nextLook atomic.Int64 // nanoseconds since epoch

	mu      sync.Mutex // held while the file is looked at
	trusted []byte     // what the file had in it
}

var (
	_ utilnet.RoundTripperWrapper = &rootsTransport{}

	// epoch makes times comparable as numbers, whatever is done to the clock.
	epoch = time.Now()
)

func newRootsTransport(connections *http.Transport, file string, trusted []byte) *rootsTransport {
	rt := &rootsTransport{file: file, period: CertCallbackRefreshDuration, trusted: trusted}
	// Connections refer to the transport below, and that now refers to rt. So
	// rt is not forgotten, and not made again, while there are some.
	dial := connections.DialContext
	connections.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		defer runtime.KeepAlive(rt)
		return dial(ctx, network, address)
	}
	rt.current.Store(connections)
	rt.scheduleLook()
	return rt
}

func (rt *rootsTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if next := rt.nextLook.Load(); int64(time.Since(epoch)) >= next {
		// One request looks. The others go on, with what was good until now.
		if rt.mu.TryLock() {
			rt.look()
			rt.mu.Unlock()
		}
	}
	connections := rt.current.Load()
	resp, err := connections.RoundTrip(req)
	if err == nil || !isDistrust(err) {
		return resp, err
	}
	// The request did not get to the server. Perhaps the server's authority is
	// in the file by now.
	rt.mu.Lock()
	rt.look()
	rt.mu.Unlock()
	if latest := rt.current.Load(); latest != connections {
		if again := rewound(req); again != nil {
			return latest.RoundTrip(again)
		}
	}
	return resp, err
}

// CloseIdleConnections closes the connections that are not in use.
func (rt *rootsTransport) CloseIdleConnections() { rt.current.Load().CloseIdleConnections() }

func (rt *rootsTransport) WrappedRoundTripper() http.RoundTripper { return rt.current.Load() }

// offer takes content that was just read from the file.
func (rt *rootsTransport) offer(content []byte) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if bytes.Equal(content, rt.trusted) {
		return
	}
	if err := rt.take(content); err != nil {
		logStale(err, "certificate authorities", rt.file)
	}
}

// look takes what the file has in it now. The caller holds mu.
func (rt *rootsTransport) look() {
	rt.scheduleLook()
	content, err := os.ReadFile(rt.file)
	if err != nil {
		metrics.TransportCAReloads.Increment("failure", "read_error")
	} else {
		err = rt.take(content)
	}
	if err != nil {
		logStale(err, "certificate authorities", rt.file)
	}
}

func (rt *rootsTransport) scheduleLook() {
	rt.nextLook.Store(int64(time.Since(epoch) + rt.period))
}

// take has another transport take over if content is not what is trusted. The
// caller holds mu.
func (rt *rootsTransport) take(content []byte) error {
	switch {
	case bytes.Equal(content, rt.trusted):
		metrics.TransportCAReloads.Increment("success", "unchanged")
		return nil
	case len(content) == 0:
		metrics.TransportCAReloads.Increment("failure", "empty")
		return errors.New("the file is empty")
	}
	roots, err := parseRoots(content)
	if err != nil {
		metrics.TransportCAReloads.Increment("failure", "ca_parse_error")
		return err
	}
	old := rt.current.Load()
	connections := old.Clone()
	connections.TLSClientConfig.RootCAs = roots
	settle(connections)
	rt.trusted = content
	rt.current.Store(connections)
	old.CloseIdleConnections()
	metrics.TransportCAReloads.Increment("success", "updated")
	return nil
}

// isDistrust reports whether err says that a server's certificate could not be
// verified.
func isDistrust(err error) bool {
	var distrust *tls.CertificateVerificationError
	return errors.As(err, &distrust)
}

// rewound returns req as it was before it was sent, or nil if its body cannot be
// had again.
func rewound(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	req = req.WithContext(req.Context())
	req.Body = body
	return req
}
