package portforward_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	gwebsocket "github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	constants "k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// pod serves ports as a node does, in a tunnel, or not. What a port does is told by its
// number; see serve.
type pod struct {
	tunnel bool

	mu    sync.Mutex
	conns []httpstream.Connection
	pairs map[string]map[string]httpstream.Stream // by request, then type
}

func startPod(t *testing.T, tunnel bool) (*pod, string) {
	t.Helper()
	p := &pod{tunnel: tunnel, pairs: map[string]map[string]httpstream.Stream{}}
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		p.die()
		server.Close()
	})
	return p, server.URL
}

// die ends all connections.
func (p *pod) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		conn.Close()
	}
}

func (p *pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var conn httpstream.Connection
	switch webSocket := gwebsocket.IsWebSocketUpgrade(r); {
	case webSocket && p.tunnel:
		upgrader := gwebsocket.Upgrader{Subprotocols: []string{constants.WebsocketsSPDYTunnelingPortForwardV1}}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		if conn, err = spdy.NewServerConnection(portforward.NewTunnelingConnection("server", ws), p.opened); err != nil {
			return
		}
	case !webSocket && !p.tunnel:
		if _, err := httpstream.Handshake(r, w, []string{constants.PortForwardV1Name}); err != nil {
			return
		}
		if conn = spdy.NewResponseUpgrader().UpgradeResponse(w, r, p.opened); conn == nil {
			return
		}
	default:
		http.Error(w, "not here", http.StatusNotFound)
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, conn)
	p.mu.Unlock()
	<-conn.CloseChan()
}

func (p *pod) opened(stream httpstream.Stream, replySent <-chan struct{}) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	request := stream.Headers().Get(corev1.PortForwardRequestIDHeader)
	pair := p.pairs[request]
	if pair == nil {
		pair = map[string]httpstream.Stream{}
		p.pairs[request] = pair
	}
	pair[stream.Headers().Get(corev1.StreamType)] = stream
	if len(pair) == 2 {
		delete(p.pairs, request)
		go func() {
			<-replySent
			serve(stream.Headers().Get(corev1.PortHeader), pair[corev1.StreamTypeData], pair[corev1.StreamTypeError])
		}()
	}
	return nil
}

const (
	echoes  = 80 // what comes, until its end
	refuses = 81 // with a message
	greets  = 82 // and closes
	counts  = 83 // what comes, and tells when it has seen the end
	waits   = 84 // for the end
	dead    = 85 // there is no pod any more
)

func serve(port string, data, errors httpstream.Stream) {
	defer errors.Close()
	defer data.Close()
	switch port {
	case fmt.Sprint(echoes):
		io.Copy(data, data)
	case fmt.Sprint(refuses):
		io.WriteString(errors, "connection refused by "+port)
	case fmt.Sprint(dead):
		io.WriteString(errors, "sandbox not found")
	case fmt.Sprint(greets):
		io.WriteString(data, "hello")
	case fmt.Sprint(counts):
		n, _ := io.Copy(io.Discard, data)
		fmt.Fprint(data, n)
	case fmt.Sprint(waits):
		io.WriteString(data, "?")
		io.Copy(io.Discard, data)
	}
}
