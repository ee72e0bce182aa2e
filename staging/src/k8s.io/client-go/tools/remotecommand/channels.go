package remotecommand

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	gwebsocket "github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// channelID returns the first byte of the messages of a stream.
func channelID(kind string) (byte, error) {
	switch kind {
	case corev1.StreamTypeStdin:
		return remotecommand.StreamStdIn, nil
	case corev1.StreamTypeStdout:
		return remotecommand.StreamStdOut, nil
	case corev1.StreamTypeStderr:
		return remotecommand.StreamStdErr, nil
	case corev1.StreamTypeError:
		return remotecommand.StreamErr, nil
	case corev1.StreamTypeResize:
		return remotecommand.StreamResize, nil
	default:
		return 0, fmt.Errorf("unknown stream type %q", kind)
	}
}

// channels carries streams in a WebSocket connection. One goroutine reads it and
// hands each message to its stream, whose reader it waits for: a connection has no
// room for what is not read.
type channels struct {
	ws      *gwebsocket.Conn
	buffer  int // for what is received
	silence time.Duration
	// closing is whether the protocol can close one stream.
	closing bool

	write sync.Mutex

	mu      sync.Mutex
	streams map[byte]*channel // nil once the connection has ended
}

var errClosed = errors.New("the connection is closed")

func newChannels(ws *gwebsocket.Conn, buffer int, silence time.Duration) *channels {
	c := &channels{
		ws:      ws,
		buffer:  buffer,
		silence: silence,
		closing: ws.Subprotocol() == remotecommand.StreamProtocolV5Name,
		streams: map[byte]*channel{},
	}
	ws.SetPongHandler(func(string) error { return c.listening() })
	// Pings are answered between our own messages, not within them.
	ws.SetPingHandler(func(data string) error {
		err := ws.WriteControl(gwebsocket.PongMessage, []byte(data), time.Now().Add(writeTimeout))
		if errors.Is(err, gwebsocket.ErrCloseSent) {
			return nil
		}
		return err
	})
	return c
}

// listening puts off the end of patience. It is called at each read, so that the time
// in which nobody here wanted to read does not count as silence.
func (c *channels) listening() error { return c.ws.SetReadDeadline(time.Now().Add(c.silence)) }

// ping sends pings until ctx is done.
func (c *channels) ping(ctx context.Context, period time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := c.ws.WriteControl(gwebsocket.PingMessage, nil, time.Now().Add(period)); err != nil {
				// Reading will fail, too, and say more.
				klog.FromContext(ctx).V(8).Info("Ping not sent", "err", err)
			}
		}
	}
}

// Close ends the connection and all streams.
func (c *channels) Close() error {
	// A server may wait for this before it lets go. If it is gone, all the same.
	_ = c.ws.WriteControl(gwebsocket.CloseMessage,
		gwebsocket.FormatCloseMessage(gwebsocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	err := c.ws.Close()
	c.end(errClosed)
	return err
}

// CreateStream opens the stream that the headers name.
func (c *channels) CreateStream(headers http.Header) (httpstream.Stream, error) {
	kind := headers.Get(corev1.StreamType)
	id, err := channelID(kind)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams == nil {
		return nil, fmt.Errorf("stream %s of a connection that has ended", kind)
	}
	if c.streams[id] != nil {
		return nil, fmt.Errorf("duplicate stream for type %s", kind)
	}
	s := &channel{conn: c, id: id, headers: headers}
	s.received, s.incoming = io.Pipe()
	c.streams[id] = s
	return s, nil
}
