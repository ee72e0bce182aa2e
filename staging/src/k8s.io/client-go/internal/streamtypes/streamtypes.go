// Package streamtypes turns the two types of connections that carry streams into each
// other: that of k8s.io/apimachinery/pkg/util/httpstream, which older programs have in
// their signatures, and that of k8s.io/streaming/pkg/httpstream.
package streamtypes

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"net/http"

	"k8s.io/apimachinery/pkg/util/httpstream"
	streamhttp "k8s.io/streaming/pkg/httpstream"
)

// FromStreaming returns a connection of k8s.io/streaming as one of apimachinery. The
// methods of streams are the same in both, so streams are passed on as they are, and
// can be given back to be removed.
func FromStreaming(conn streamhttp.Connection) httpstream.Connection {
	if c, ok := conn.(toStreaming); ok {
		return c.Connection
	}
	return fromStreaming{conn}
}

// ToStreaming is the reverse of FromStreaming.
func ToStreaming(conn httpstream.Connection) streamhttp.Connection {
	if c, ok := conn.(fromStreaming); ok {
		return c.Connection
	}
	return toStreaming{conn}
}

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
