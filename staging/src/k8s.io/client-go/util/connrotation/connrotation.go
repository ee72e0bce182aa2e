// Package connrotation keeps track of the connections that a dialer opens, so
// that they can be closed all at once.
//
// That is what it takes to change credentials that a server checks only when a
// connection is opened, such as a client certificate: close what is open, and
// whoever still needs a connection opens a new one.
package connrotation

import (
	"context"
	"net"
	"sync"
)

// DialFunc opens a connection, as [net.Dialer.DialContext] does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// A Dialer opens connections and tracks them. Any number of goroutines may use
// it at the same time.
type Dialer struct {
	*ConnectionTracker
	dial DialFunc
}

// NewDialer returns a dialer with a tracker of its own. If dial is nil, a
// [net.Dialer] without options opens the connections.
func NewDialer(dial DialFunc) *Dialer {
	return NewDialerWithTracker(dial, nil)
}

// NewDialerWithTracker returns a dialer that tracks connections with tracker,
// which several dialers can share. For dial and tracker nil stands for the
// defaults of NewDialer.
func NewDialerWithTracker(dial DialFunc, tracker *ConnectionTracker) *Dialer {
	d := &Dialer{ConnectionTracker: tracker, dial: dial}
	if d.dial == nil {
		d.dial = new(net.Dialer).DialContext
	}
	if d.ConnectionTracker == nil {
		d.ConnectionTracker = NewConnectionTracker()
	}
	return d
}

// Dial opens a connection and tracks it.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext opens a connection and tracks it. ctx bounds the opening only.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	opened, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return d.Track(opened), nil
}

// A ConnectionTracker knows connections until they are closed. Any number of
// goroutines may use it at the same time.
type ConnectionTracker struct {
	mu   sync.Mutex
	open map[*trackedConn]struct{}
}

// NewConnectionTracker returns a tracker that knows no connections yet.
func NewConnectionTracker() *ConnectionTracker {
	return &ConnectionTracker{open: map[*trackedConn]struct{}{}}
}

// Track makes conn known, and returns it in a form that makes it forgotten when
// it is closed. Use only that from then on.
func (c *ConnectionTracker) Track(conn net.Conn) net.Conn {
	tracked := &trackedConn{Conn: conn, tracker: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[tracked] = struct{}{}
	return tracked
}

// CloseAll closes the connections that are open when it is called. Others may be
// opened before it returns, and stay.
func (c *ConnectionTracker) CloseAll() {
	c.mu.Lock()
	closing := c.open
	c.open = map[*trackedConn]struct{}{}
	c.mu.Unlock()

	// Closing can take a while, and connections must be free to open and
	// close meanwhile.
	for conn := range closing {
		conn.Conn.Close()
	}
}

// Len returns the number of connections that are open.
func (c *ConnectionTracker) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

type trackedConn struct {
	net.Conn
	tracker *ConnectionTracker
}

func (c *trackedConn) Close() error {
	c.tracker.mu.Lock()
	delete(c.tracker.open, c)
	c.tracker.mu.Unlock()
	return c.Conn.Close()
}
