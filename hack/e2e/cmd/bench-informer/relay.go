package main

import (
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
	"runtime"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/publisher/hack/e2e/controlplane"
)

// A relay stands between an informer and the server. It can hold back the events of
// watches, and let them go as fast as the informer takes them: a server makes events
// more slowly than any client reads them.
type relay struct {
	url    string
	server *http.Server
	served chan struct{}

	mu      sync.Mutex
	change  *sync.Cond
	holding bool
	held    int // bytes
}

func newRelay(cp *controlplane.ControlPlane, config *rest.Config) (*relay, error) {
	certificate, err := cp.ServerCertificate("127.0.0.1")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(config.CAData) {
		return nil, errors.New("the kubeconfig has no certificate authority")
	}
	target, err := url.Parse(cp.URL)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{url: "https://" + l.Addr().String(), served: make(chan struct{})}
	r.change = sync.NewCond(&r.mu)
	silent := log.New(io.Discard, "", 0)
	r.server = &http.Server{
		Handler: &httputil.ReverseProxy{
			Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(target) },
			Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
			FlushInterval: -1,
			BufferPool:    buffers{},
			ModifyResponse: func(resp *http.Response) error {
				if resp.Request.URL.Query().Get("watch") == "true" {
					resp.Body = r.gate(resp.Body)
				}
				return nil
			},
			ErrorLog: silent,
		},
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
		ErrorLog:  silent,
	}
	go func() {
		defer close(r.served)
		_ = r.server.ServeTLS(l, "", "")
	}()
	return r, nil
}

// buffers are large, so that events that waited are sent many at a time.
type buffers struct{}

func (buffers) Get() []byte { return make([]byte, 128<<10) }
func (buffers) Put([]byte)  {}

func (r *relay) Close() {
	_ = r.server.Close()
	<-r.served
}

// writeKubeconfig writes one for the user of config that goes through the relay.
func (r *relay) writeKubeconfig(path string, config *rest.Config) error {
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"relay": {Server: r.url, CertificateAuthorityData: config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"user": {Token: config.BearerToken}},
		Contexts:       map[string]*clientcmdapi.Context{"relay": {Cluster: "relay", AuthInfo: "user"}},
		CurrentContext: "relay",
	}, path)
}

// hold has events wait from now on.
func (r *relay) hold() { r.set(true) }

// release lets go of all that wait.
func (r *relay) release() { r.set(false) }

func (r *relay) set(holding bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holding = holding
	r.change.Broadcast()
}

// settle waits until no more events come.
func (r *relay) settle(ctx context.Context) error {
	for before := -1; ; {
		r.mu.Lock()
		held := r.held
		r.mu.Unlock()
		if held == before && held > 0 {
			runtime.GC() // rather than while it relays
			return nil
		}
		before = held
		select {
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gate returns what can be read of a watch while nothing is held.
func (r *relay) gate(body io.ReadCloser) io.ReadCloser {
	g := &gate{relay: r, body: body}
	go g.fill()
	return g
}

type gate struct {
	relay   *relay
	body    io.ReadCloser
	waiting [][]byte
	err     error // once the body has ended
	closed  bool  // by who reads
}

func (g *gate) fill() {
	// Large pieces, filled to the end: what waits is hundreds of megabytes, and who
	// collects garbage among them has no time to relay.
	var room []byte
	for {
		if len(room) == 0 {
			room = make([]byte, 4<<20)
		}
		n, err := g.body.Read(room)
		g.relay.mu.Lock()
		g.waiting = append(g.waiting, room[:n:n])
		room = room[n:]
		g.relay.held += n
		g.err = err
		g.relay.change.Broadcast()
		g.relay.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (g *gate) Read(p []byte) (int, error) {
	r := g.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case r.holding && !g.closed:
		case len(g.waiting) > 0:
			// All that there is room for, so that the relay is not what takes the time.
			n := 0
			for n < len(p) && len(g.waiting) > 0 {
				copied := copy(p[n:], g.waiting[0])
				if g.waiting[0] = g.waiting[0][copied:]; len(g.waiting[0]) == 0 {
					g.waiting = g.waiting[1:]
				}
				n += copied
			}
			r.held -= n
			return n, nil
		case g.err != nil:
			return 0, g.err
		}
		r.change.Wait()
	}
}

// Close ends what is read, and what waits for it.
func (g *gate) Close() error {
	err := g.body.Close()
	g.relay.mu.Lock()
	defer g.relay.mu.Unlock()
	g.err, g.closed = io.ErrUnexpectedEOF, true
	g.relay.change.Broadcast()
	return err
}
