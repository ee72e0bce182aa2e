package portforward

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/client-go/internal/streamtypes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport/websocket"
	streamhttp "k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// NewSPDYOverWebsocketDialer returns a dialer that opens a WebSocket connection to a
// URL, with the credentials of config, and speaks SPDY within it. There is an error if
// config cannot be used.
func NewSPDYOverWebsocketDialer(url *url.URL, config *rest.Config) (httpstream.Dialer, error) {
	tunnel, err := newTunnel(url, config)
	if err != nil {
		return nil, err
	}
	return &olderTunnel{tunnel}, nil
}

// NewSPDYOverWebsocketDialerForStreaming is NewSPDYOverWebsocketDialer for the types of
// k8s.io/streaming.
func NewSPDYOverWebsocketDialerForStreaming(url *url.URL, config *rest.Config) (streamhttp.Dialer, error) {
	tunnel, err := newTunnel(url, config)
	if err != nil {
		return nil, err
	}
	return tunnel, nil
}

type tunnel struct {
	url    *url.URL
	config *rest.Config
}

func newTunnel(url *url.URL, config *rest.Config) (*tunnel, error) {
	// The error is to be seen now, though a transport is for one connection.
	if _, _, err := websocket.RoundTripperFor(config); err != nil {
		return nil, fmt.Errorf("making a transport for WebSocket: %w", err)
	}
	return &tunnel{url: url, config: config}, nil
}

// Dial connects, and returns the connection and the protocol within the tunnel.
func (t *tunnel) Dial(protocols ...string) (streamhttp.Connection, string, error) {
	req, err := http.NewRequest(http.MethodGet, t.url.String(), nil)
	if err != nil {
		return nil, "", fmt.Errorf("error creating request: %w", err)
	}
	transport, holder, err := websocket.RoundTripperFor(t.config)
	if err != nil {
		return nil, "", fmt.Errorf("making a transport for WebSocket: %w", err)
	}
	tunneled := make([]string, len(protocols))
	for i, protocol := range protocols {
		tunneled[i] = portforward.WebsocketsSPDYTunnelingPrefix + protocol
	}
	ws, err := websocket.Negotiate(transport, holder, req, tunneled...)
	if err != nil {
		return nil, "", err
	}
	conn, err := spdy.NewClientConnectionWithPings(NewTunnelingConnection("client", ws), PingPeriod)
	if err != nil {
		ws.Close()
		return nil, "", fmt.Errorf("error creating SPDY connection in a tunnel: %w", err)
	}
	return conn, strings.TrimPrefix(ws.Subprotocol(), portforward.WebsocketsSPDYTunnelingPrefix), nil
}

// olderTunnel is a tunnel of the types of apimachinery.
type olderTunnel struct{ tunnel *tunnel }

func (t *olderTunnel) Dial(protocols ...string) (httpstream.Connection, string, error) {
	conn, protocol, err := t.tunnel.Dial(protocols...)
	if err != nil {
		return nil, "", err
	}
	return streamtypes.FromStreaming(conn), protocol, nil
}
