package spdy

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"net/http"

	"k8s.io/apimachinery/pkg/util/httpstream"
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
	return fromStreaming{conn}, nil
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
		return toStreaming{conn}, nil
	}
}

// fromStreaming is a connection of k8s.io/streaming as one of apimachinery. The
// methods of streams are the same in both, so streams are passed on as they
// are, and can be given back to be removed.
type fromStreaming struct {
	streamhttp.Connection
}

func (c fromStreaming) CreateStream(headers http.Header) (httpstream.Stream, error) {
	stream, err := c.Connection.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (c fromStreaming) RemoveStreams(streams ...httpstream.Stream) {
	c.Connection.RemoveStreams(convert[streamhttp.Stream](streams)...)
}

// toStreaming is the reverse of fromStreaming.
type toStreaming struct {
	httpstream.Connection
}

func (c toStreaming) CreateStream(headers http.Header) (streamhttp.Stream, error) {
	stream, err := c.Connection.CreateStream(headers)
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (c toStreaming) RemoveStreams(streams ...streamhttp.Stream) {
	c.Connection.RemoveStreams(convert[httpstream.Stream](streams)...)
}

// convert returns the streams that are of type To, which those that are not nil
// are.
func convert[To, From any](streams []From) []To {
	converted := make([]To, 0, len(streams))
	for _, s := range streams {
		if s, ok := any(s).(To); ok {
			converted = append(converted, s)
		}
	}
	return converted
}
