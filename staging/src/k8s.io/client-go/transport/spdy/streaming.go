package spdy

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"net/http"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/internal/streamtypes"
	streamhttp "k8s.io/streaming/pkg/httpstream"
)

// NewUpgraderForStreaming returns an upgrader that makes connections with one
// for the types of k8s.io/streaming.
func NewUpgraderForStreaming(upgrader streamhttp.UpgradeRoundTripper) Upgrader {
	return streamingUpgrader{upgrader}
}

type streamingUpgrader struct {
	streaming streamhttp.UpgradeRoundTripper
}

func (u streamingUpgrader) NewConnection(resp *http.Response) (httpstream.Connection, error) {
	conn, err := u.streaming.NewConnection(resp)
	if err != nil {
		return nil, err
	}
	return streamtypes.FromStreaming(conn), nil
}

// streamingConnection returns what makes connections of k8s.io/streaming. One
// that upgrader got from there is not wrapped twice.
func streamingConnection(upgrader Upgrader) func(*http.Response) (streamhttp.Connection, error) {
	if u, ok := upgrader.(streamingUpgrader); ok {
		return u.streaming.NewConnection
	}
	return func(resp *http.Response) (streamhttp.Connection, error) {
		conn, err := upgrader.NewConnection(resp)
		if err != nil {
			return nil, err
		}
		return streamtypes.ToStreaming(conn), nil
	}
}
