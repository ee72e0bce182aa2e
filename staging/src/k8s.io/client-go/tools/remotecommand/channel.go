package remotecommand

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	gwebsocket "github.com/gorilla/websocket"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/klog/v2"
)

// read hands what comes to the streams until the connection ends, and then ends them.
func (c *channels) read(ctx context.Context) {
	logger := klog.FromContext(ctx)
	buffer := make([]byte, c.buffer)
	for {
		if err := c.readMessage(logger, buffer); err != nil {
			var closed *gwebsocket.CloseError
			if errors.As(err, &closed) && closed.Code == gwebsocket.CloseNormalClosure {
				err = io.EOF
			}
			c.end(err)
			return
		}
	}
}

func (c *channels) readMessage(logger klog.Logger, buffer []byte) error {
	if err := c.listening(); err != nil {
		return err
	}
	kind, message, err := c.ws.NextReader()
	if err != nil {
		return fmt.Errorf("next reader: %w", err)
	}
	if kind != gwebsocket.BinaryMessage {
		return fmt.Errorf("unexpected message type (%d)", kind)
	}
	id, err := oneByte(message)
	if err != nil {
		return fmt.Errorf("read stream id: %w", err)
	}
	closes := id == remotecommand.StreamClose && c.closing
	if closes {
		if id, err = oneByte(message); err != nil {
			return fmt.Errorf("read id of the stream to close: %w", err)
		}
	}
	c.mu.Lock()
	stream := c.streams[id]
	c.mu.Unlock()
	switch {
	case stream == nil:
		logger.V(6).Info("Message for a stream that was not asked for", "id", id)
		return c.pass(message, io.Discard, buffer)
	case closes:
		return stream.incoming.Close()
	default:
		return c.pass(message, stream.incoming, buffer)
	}
}

func oneByte(r io.Reader) (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

// pass hands a message on. Only what comes from the connection is an error: a stream
// that is not read any more has lost its interest in it.
func (c *channels) pass(message io.Reader, to io.Writer, buffer []byte) error {
	for {
		if err := c.listening(); err != nil {
			return err
		}
		n, err := message.Read(buffer)
		to.Write(buffer[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read message: %w", err)
		}
	}
}

// end ends all streams, once. With io.EOF their readers see an ordinary end.
func (c *channels) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, stream := range c.streams {
		stream.incoming.CloseWithError(err)
	}
	c.streams = nil
}

// channel is one stream.
type channel struct {
	conn     *channels
	id       byte
	headers  http.Header
	received *io.PipeReader
	incoming *io.PipeWriter
}

func (s *channel) Read(p []byte) (int, error) { return s.received.Read(p) }

// Write sends one message.
func (s *channel) Write(p []byte) (int, error) { return s.conn.send(p, s.id) }

// Close says that nothing more will be written, if the protocol can. Reading goes on.
func (s *channel) Close() error {
	if !s.conn.closing {
		return nil
	}
	_, err := s.conn.send(nil, remotecommand.StreamClose, s.id)
	return err
}

// Reset closes the stream in both directions.
func (s *channel) Reset() error {
	s.received.Close()
	return s.Close()
}

func (s *channel) Headers() http.Header { return s.headers }
func (s *channel) Identifier() uint32   { return uint32(s.id) }

// send sends a message of a head and p, and returns how much of p was sent.
func (c *channels) send(p []byte, head ...byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	message, err := c.ws.NextWriter(gwebsocket.BinaryMessage)
	if err != nil {
		return 0, err
	}
	defer message.Close() // Where there was an error, the connection is lost anyway.
	if _, err := message.Write(head); err != nil {
		return 0, err
	}
	n, err := message.Write(p)
	if err != nil {
		return n, err
	}
	return n, message.Close()
}
