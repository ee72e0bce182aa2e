package faults

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// HTTP passes requests on to a server and can answer them in its place. It ends
// TLS, so that clients authenticate with tokens, not with certificates. It speaks
// HTTP/2 and HTTP/1.1 to both sides, and passes watches on without delay.
type HTTP struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{}

	mu       sync.Mutex
	change   chan struct{} // closed, and replaced, whenever something below changes
	rules    []*rule
	requests []Request
	active   int
	conns    []net.Conn // to the server, those that are closed included
}

// Request is what the proxy has seen of one request.
type Request struct {
	Method, Path, Query string
	Header              http.Header
	Faulty              bool // whether a fault was applied
}

// Fault is what happens to a request. The zero value passes it on.
type Fault struct {
	// Delay is how long the request waits before anything else happens to it, or
	// until the client has gone.
	Delay time.Duration

	// Hang never answers; it ends when the client goes.
	Hang bool

	// Status answers in the server's place, with RetryAfter (whole seconds) in the
	// header of that name when it is not zero, and Body, in plain text as overloaded
	// servers and load balancers answer.
	Status     int
	RetryAfter time.Duration
	Body       string

	// CutBody passes that many bytes of the answer's body on, then breaks off: the
	// stream is reset in HTTP/2, the connection closed in HTTP/1.1.
	CutBody int64

	// Lines is called for each answer. What it returns is given each line of the
	// body as it comes, with its end, and returns what to pass on in its place. A
	// line of a watch in JSON, which is what the server is asked for, is an event.
	// What it has kept at the end of the body is lost.
	Lines func() func(line []byte) []byte
}

type rule struct {
	match func(*http.Request) bool
	left  int
	fault Fault
}

// NewHTTP listens on a free port of loopback with the certificate given, and
// passes requests on to target, a URL whose server has a certificate of an
// authority in rootCAs (PEM).
func NewHTTP(target string, certificate tls.Certificate, rootCAs []byte) (*HTTP, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(rootCAs) {
		return nil, errors.New("no certificate in rootCAs")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &HTTP{
		listener: l,
		served:   make(chan struct{}),
		change:   make(chan struct{}),
	}
	silent := log.New(io.Discard, "", 0) // broken connections are what we are here for
	reverse := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport:      &http.Transport{DialContext: p.dial, TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
		FlushInterval:  -1, // each event of a watch at once
		ModifyResponse: alter,
		ErrorLog:       silent,
	}
	p.server = &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(reverse, w, r) }),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
		ErrorLog:  silent,
	}
	go func() {
		defer close(p.served)
		p.server.ServeTLS(l, "", "")
	}()
	return p, nil
}

// URL is the proxy's own: https://127.0.0.1:PORT.
func (p *HTTP) URL() string { return "https://" + p.listener.Addr().String() }

// Close ends the proxy with all its connections.
func (p *HTTP) Close() {
	p.server.Close()
	<-p.served
	p.wait(context.Background(), func() bool { return p.active == 0 })
	// An answer that was broken off may still be on its way to us, so that its
	// connection is not idle yet.
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		conn.Close()
	}
}

// dial connects to the server.
func (p *HTTP) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		p.update(func() { p.conns = append(p.conns, conn) })
	}
	return conn, err
}

// Inject applies a fault to the next so many requests that match; match nil means
// any. Faults are looked at in the order of their injection, and the first that
// matches applies.
func (p *HTTP) Inject(times int, match func(*http.Request) bool, fault Fault) {
	p.update(func() { p.rules = append(p.rules, &rule{match, times, fault}) })
}

// Clear forgets all faults that were not applied yet.
func (p *HTTP) Clear() { p.update(func() { p.rules = nil }) }

// Requests are those seen so far, in order of their arrival.
func (p *HTTP) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// WaitIdle waits until no request is being served; its error is that of ctx.
func (p *HTTP) WaitIdle(ctx context.Context) error {
	return p.wait(ctx, func() bool { return p.active == 0 })
}

// WaitRequests waits until at least n requests have arrived.
func (p *HTTP) WaitRequests(ctx context.Context, n int) error {
	return p.wait(ctx, func() bool { return len(p.requests) >= n })
}

func (p *HTTP) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.change)
	p.change = make(chan struct{})
}

func (p *HTTP) wait(ctx context.Context, cond func() bool) error {
	for {
		p.mu.Lock()
		ok, change := cond(), p.change
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

type faultKey struct{}

func (p *HTTP) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	var fault Fault
	p.update(func() {
		var faulty bool
		fault, faulty = p.take(r)
		p.active++
		p.requests = append(p.requests, Request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), faulty})
	})
	defer p.update(func() { p.active-- })

	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			return
		}
	}
	switch {
	case fault.Hang:
		// The server learns that the client has gone by reading what it still sends.
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	case fault.Status != 0:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(fault.RetryAfter/time.Second)))
		}
		http.Error(w, fault.Body, fault.Status)
	default:
		if fault.Lines != nil {
			// What is compressed, or in Kubernetes' binary encoding, has no lines.
			r.Header.Del("Accept-Encoding")
			r.Header.Set("Accept", strings.ReplaceAll(r.Header.Get("Accept"), "application/vnd.kubernetes.protobuf", "application/json"))
		}
		if fault.Lines != nil || fault.CutBody > 0 {
			r = r.WithContext(context.WithValue(r.Context(), faultKey{}, fault))
		}
		next.ServeHTTP(w, r)
	}
}

// take is the fault for a request, and whether there is one. The lock is held.
func (p *HTTP) take(r *http.Request) (Fault, bool) {
	for _, rule := range p.rules {
		if rule.left > 0 && (rule.match == nil || rule.match(r)) {
			rule.left--
			return rule.fault, true
		}
	}
	return Fault{}, false
}

// alter puts the body of an answer through what the fault does to it.
func alter(resp *http.Response) error {
	fault, _ := resp.Request.Context().Value(faultKey{}).(Fault)
	if fault.Lines != nil {
		resp.Body = &linesBody{ReadCloser: resp.Body, lines: bufio.NewReader(resp.Body), alter: fault.Lines()}
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
	}
	if fault.CutBody > 0 {
		resp.Body = &cutBody{resp.Body, fault.CutBody}
	}
	return nil
}

type linesBody struct {
	io.ReadCloser
	lines *bufio.Reader
	alter func([]byte) []byte
	rest  []byte // to be read next
	err   error  // after that
}

func (b *linesBody) Read(p []byte) (int, error) {
	for len(b.rest) == 0 && b.err == nil {
		var line []byte
		if line, b.err = b.lines.ReadBytes('\n'); len(line) > 0 {
			b.rest = b.alter(line)
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if len(b.rest) > 0 {
		return n, nil
	}
	return n, b.err
}

type cutBody struct {
	io.ReadCloser
	left int64
}

var errCut = errors.New("cut here")

// Read fails where the body is to be cut; the reverse proxy then aborts the
// answer.
func (b *cutBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errCut
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
