// Package spdy upgrades requests to SPDY/3.1, the protocol in which an API
// server carries the streams of exec, attach and port-forward.
//
// [RoundTripperFor] makes the two halves of a client from a configuration: a
// round tripper that sends the request for the upgrade, and an [Upgrader] that
// turns the answer into a connection. [Negotiate] uses both, once. [NewDialer]
// keeps them, for whoever wants to connect later.
//
// What connects is good for one connection.
//
// # Two types of connections
//
// The types of streams and connections are in k8s.io/apimachinery/pkg/util/httpstream
// and, the same ones again, in k8s.io/streaming/pkg/httpstream. Functions with
// Streaming in their names are for the latter.
package spdy

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/apimachinery/pkg/util/httpstream/spdy"
	restclient "k8s.io/client-go/rest"
	streamhttp "k8s.io/streaming/pkg/httpstream"
)

// pingPeriod is how often a connection is used even if there is nothing to say,
// so that nothing in between takes it for dead.
const pingPeriod = 5 * time.Second

// An Upgrader makes a connection out of what a server answered to a request for
// an upgrade.
type Upgrader interface {
	// NewConnection returns the connection. If the server did not agree to
	// the upgrade, it returns an error that says what the server said.
	NewConnection(resp *http.Response) (httpstream.Connection, error)
}

// RoundTripperFor returns a round tripper that asks for upgrades, with the
// credentials and the other headers of config, and its counterpart. It returns
// an error if config contradicts itself or names files that cannot be used.
func RoundTripperFor(config *restclient.Config) (http.RoundTripper, Upgrader, error) {
	tlsConfig, err := restclient.TLSConfigFor(config)
	if err != nil {
		return nil, nil, err
	}
	upgrader, err := spdy.NewRoundTripperWithConfig(spdy.RoundTripperConfig{
		TLS:        tlsConfig,
		Proxier:    config.Proxy, // nil stands for what the environment says
		PingPeriod: pingPeriod,
	})
	if err != nil {
		return nil, nil, err
	}
	layered, err := restclient.HTTPWrappersForConfig(config, upgrader)
	if err != nil {
		return nil, nil, err
	}
	return layered, upgrader, nil
}

// Negotiate sends req with client, asks for a connection that speaks one of
// protocols, the preferred one first, and returns the connection and the
// protocol that the server has chosen. The transport of client and upgrader must
// be from one call of RoundTripperFor.
func Negotiate(upgrader Upgrader, client *http.Client, req *http.Request, protocols ...string) (httpstream.Connection, string, error) {
	return negotiate(upgrader.NewConnection, client, req, protocols)
}

// NegotiateStreaming is Negotiate for the types of k8s.io/streaming.
func NegotiateStreaming(upgrader Upgrader, client *http.Client, req *http.Request, protocols ...string) (streamhttp.Connection, string, error) {
	return negotiate(streamingConnection(upgrader), client, req, protocols)
}

// negotiate is Negotiate for whatever type of connection comes of a response.
func negotiate[C any](connect func(*http.Response) (C, error), client *http.Client, req *http.Request, protocols []string) (conn C, protocol string, err error) {
	for _, p := range protocols {
		req.Header.Add(httpstream.HeaderProtocolVersion, p)
	}
	resp, err := client.Do(req)
	if err != nil {
		return conn, "", fmt.Errorf("error sending request: %w", err)
	}
	defer resp.Body.Close()
	if conn, err = connect(resp); err != nil {
		return conn, "", err
	}
	return conn, resp.Header.Get(httpstream.HeaderProtocolVersion), nil
}

// NewDialer returns a dialer that sends a request of that method to url, with
// client, and returns what upgrader makes of the answer. See Negotiate.
func NewDialer(upgrader Upgrader, client *http.Client, method string, url *url.URL) httpstream.Dialer {
	return &dialer[httpstream.Connection]{upgrader.NewConnection, client, method, url}
}

// NewDialerForStreaming is NewDialer for the types of k8s.io/streaming.
func NewDialerForStreaming(upgrader Upgrader, client *http.Client, method string, url *url.URL) streamhttp.Dialer {
	return &dialer[streamhttp.Connection]{streamingConnection(upgrader), client, method, url}
}

type dialer[C any] struct {
	connect func(*http.Response) (C, error)
	client  *http.Client
	method  string
	url     *url.URL
}

func (d *dialer[C]) Dial(protocols ...string) (conn C, protocol string, err error) {
	req, err := http.NewRequest(d.method, d.url.String(), nil)
	if err != nil {
		return conn, "", fmt.Errorf("error creating request: %w", err)
	}
	return negotiate(d.connect, d.client, req, protocols)
}
