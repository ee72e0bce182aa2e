// Package websocket upgrades requests to WebSocket connections, in which an API
// server carries the streams of exec, attach and port-forward.
//
// [RoundTripperFor] makes a round tripper from a configuration, and [Negotiate]
// sends a request through it and returns the connection:
//
//	rt, holder, err := websocket.RoundTripperFor(config)
//	...
//	conn, err := websocket.Negotiate(rt, holder, req, "v5.channel.k8s.io")
//
// A round tripper is good for one connection.
//
// A server that does not speak WebSocket or none of the protocols, or that
// denies the request, causes an error for which IsUpgradeFailure is true, be it
// that of k8s.io/apimachinery/pkg/util/httpstream or that of
// k8s.io/streaming/pkg/httpstream. If the server sent a Status, the error wraps
// it: k8s.io/apimachinery/pkg/api/errors tells its reason.
package websocket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"

	gwebsocket "github.com/gorilla/websocket"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	restclient "k8s.io/client-go/rest"
)

const (
	// dataBufferSize is how much is written in one message, in bytes.
	dataBufferSize = 32 * 1024

	// frameRoom is for what comes with data in a message, in bytes.
	frameRoom = 1024

	protocolHeader = "Sec-Websocket-Protocol"
)

var (
	_ utilnet.TLSClientConfigHolder = &RoundTripper{}
	_ ConnectionHolder              = &RoundTripper{}
)

// A ConnectionHolder has the connection that came of a round trip.
type ConnectionHolder interface {
	// DataBufferSize returns how much data should go into one message, in
	// bytes.
	DataBufferSize() int
	// Connection returns the connection. It is nil if there is none.
	Connection() *gwebsocket.Conn
}

// A RoundTripper opens a WebSocket connection with a request, and keeps it for
// the caller. It must be used once only.
type RoundTripper struct {
	// TLSConfig is for servers with TLS. Nil stands for the defaults.
	TLSConfig *tls.Config

	// Proxier returns the proxy for a request, nil meaning none. So does a
	// Proxier that is nil itself.
	Proxier func(req *http.Request) (*url.URL, error)

	// Conn is the connection, after the round trip.
	Conn *gwebsocket.Conn

	// dial opens TCP connections, to the proxy if there is one. Nil stands for
	// a net.Dialer.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TLSClientConfig returns the TLS configuration.
func (rt *RoundTripper) TLSClientConfig() *tls.Config { return rt.TLSConfig }

// Connection returns the connection that the round trip has opened.
func (rt *RoundTripper) Connection() *gwebsocket.Conn { return rt.Conn }

// DataBufferSize returns how much data should go into one message, in bytes.
func (rt *RoundTripper) DataBufferSize() int { return dataBufferSize }

// RoundTrip opens a connection with the headers of request. The protocols in
// the Sec-WebSocket-Protocol headers are offered, one in each, and the server
// must choose one. The scheme of the URL is http or https.
func (rt *RoundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close() // there is no place for it in a handshake
	}
	target := *request.URL
	switch target.Scheme {
	case "https":
		target.Scheme = "wss"
	case "http":
		target.Scheme = "ws"
	default:
		return nil, fmt.Errorf("unknown url scheme: %s", target.Scheme)
	}
	headers := request.Header.Clone()
	protocols := headers.Values(protocolHeader)
	delete(headers, protocolHeader) // the dialer sets it, and allows no one else to

	dialer := gwebsocket.Dialer{
		Proxy:           rt.Proxier,
		NetDialContext:  rt.dial,
		TLSClientConfig: http1Only(rt.TLSConfig),
		Subprotocols:    protocols,
		// One more frame than the data, so that a message is sent at once.
		ReadBufferSize:  dataBufferSize + frameRoom,
		WriteBufferSize: dataBufferSize + frameRoom,
	}
	conn, resp, err := dialer.DialContext(request.Context(), target.String(), headers)
	switch {
	case errors.Is(err, gwebsocket.ErrBadHandshake):
		return nil, upgradeFailed(refusal(err, resp))
	case err != nil:
		return nil, err
	}
	if chosen := conn.Subprotocol(); !slices.Contains(protocols, chosen) {
		conn.Close()
		return nil, upgradeFailed(fmt.Errorf("invalid protocol, expected one of %q, got %q", protocols, chosen))
	}
	rt.Conn = conn
	return resp, nil
}

// http1Only returns a configuration in which no other protocol is offered: a
// server that chose HTTP/2 could not upgrade.
func http1Only(config *tls.Config) *tls.Config {
	if config == nil || len(config.NextProtos) == 0 {
		return config
	}
	config = config.Clone()
	config.NextProtos = []string{"http/1.1"}
	return config
}

// RoundTripperFor returns a round tripper that opens a connection with the
// credentials and the other headers of config, and the holder of the
// connection. It returns an error if config contradicts itself or names files
// that cannot be used.
func RoundTripperFor(config *restclient.Config) (http.RoundTripper, ConnectionHolder, error) {
	tlsConfig, err := restclient.TLSConfigFor(config)
	if err != nil {
		return nil, nil, err
	}
	upgrader := &RoundTripper{TLSConfig: tlsConfig, Proxier: config.Proxy, dial: config.Dial}
	if upgrader.Proxier == nil {
		upgrader.Proxier = utilnet.NewProxierWithNoProxyCIDR(http.ProxyFromEnvironment)
	}
	layered, err := restclient.HTTPWrappersForConfig(config, upgrader)
	if err != nil {
		return nil, nil, err
	}
	return layered, upgrader, nil
}

// Negotiate sends req through rt, asks for a connection that speaks one of
// protocols, the preferred one first, and returns the connection. Its
// Subprotocol method tells which one the server has chosen. rt and
// connectionInfo must be from one call of RoundTripperFor.
func Negotiate(rt http.RoundTripper, connectionInfo ConnectionHolder, req *http.Request, protocols ...string) (*gwebsocket.Conn, error) {
	req.Header[protocolHeader] = protocols
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		connectionInfo.Connection().Close()
		return nil, fmt.Errorf("error closing response body: %w", err)
	}
	return connectionInfo.Connection(), nil
}
