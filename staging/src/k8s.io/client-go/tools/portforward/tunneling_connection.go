package portforward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	gwebsocket "github.com/gorilla/websocket"
	"k8s.io/klog/v2"
)

// A TunnelingConnection is a WebSocket connection as a stream of bytes. It may be read
// by one goroutine and written by many.
type TunnelingConnection struct {
	name string
	ws   *gwebsocket.Conn

	message io.Reader // what is left of the message that is being read

	writing sync.Mutex
	closing sync.Once
	closed  error
}

var _ net.Conn = &TunnelingConnection{}

// NewTunnelingConnection returns a stream of bytes in a WebSocket connection. The name
// is for logs.
func NewTunnelingConnection(name string, conn *gwebsocket.Conn) *TunnelingConnection {
	return &TunnelingConnection{name: name, ws: conn}
}

// Read reads what was received. It returns io.EOF when the other side has closed the
// connection in an ordinary way.
func (c *TunnelingConnection) Read(p []byte) (int, error) {
	for {
		if c.message == nil {
			kind, message, err := c.ws.NextReader()
			if err != nil {
				return 0, ended(err)
			}
			if kind != gwebsocket.BinaryMessage {
				return 0, fmt.Errorf("invalid message type %d received in a tunnel", kind)
			}
			c.message = message
		}
		n, err := c.message.Read(p)
		if err == io.EOF {
			// The end of a message is no end of the stream.
			c.message, err = nil, nil
			if n == 0 && len(p) > 0 {
				continue
			}
		}
		if err != nil {
			err = ended(err)
		}
		klog.V(7).InfoS("Tunnel read", "name", c.name, "bytes", n)
		return n, err
	}
}

// ended returns io.EOF for a connection that was closed in an ordinary way.
func ended(err error) error {
	var closed *gwebsocket.CloseError
	if errors.As(err, &closed) && closed.Code == gwebsocket.CloseNormalClosure {
		return io.EOF
	}
	return err
}

// Write sends p as one message.
func (c *TunnelingConnection) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.ws.WriteMessage(gwebsocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	klog.V(7).InfoS("Tunnel written", "name", c.name, "bytes", len(p))
	return len(p), nil
}

// Close tells the other side, and closes the connection, once.
func (c *TunnelingConnection) Close() error {
	c.closing.Do(func() {
		// Where the other side is gone it cannot be told.
		_ = c.ws.WriteControl(gwebsocket.CloseMessage,
			gwebsocket.FormatCloseMessage(gwebsocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
		c.closed = c.ws.Close()
	})
	return c.closed
}

// LocalAddr returns the address of this end.
func (c *TunnelingConnection) LocalAddr() net.Addr { return c.ws.LocalAddr() }

// RemoteAddr returns the address of the other end.
func (c *TunnelingConnection) RemoteAddr() net.Addr { return c.ws.RemoteAddr() }

// SetDeadline sets the time at which reads and writes fail. After a read has failed by
// it, all later ones do.
func (c *TunnelingConnection) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline sets the time at which reads fail.
func (c *TunnelingConnection) SetReadDeadline(t time.Time) error { return c.ws.SetReadDeadline(t) }

// SetWriteDeadline sets the time at which writes fail.
func (c *TunnelingConnection) SetWriteDeadline(t time.Time) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.ws.SetWriteDeadline(t)
}
