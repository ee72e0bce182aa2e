package faults

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// TCP passes connections on to a server, byte by byte: TLS and all that is in it
// is between the client and the server, client certificates included.
type TCP struct {
	listener net.Listener
	target   string
	copies   sync.WaitGroup

	mu       sync.Mutex
	change   chan struct{} // closed, and replaced, whenever something below changes
	open     map[*link]struct{}
	accepted int
	refuse   bool
	stalled  bool
	latency  time.Duration
	cutAfter int64 // bytes from the server that a new connection may carry; -1: all
	closed   bool
}

// link is one connection of a client with its connection to the server.
type link struct {
	client, server *net.TCPConn
	left           int64 // bytes from the server until it is reset; -1: no end
}

// NewTCP listens on a free port of loopback and passes connections on to target,
// an address HOST:PORT.
func NewTCP(target string) (*TCP, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &TCP{listener: l, target: target, change: make(chan struct{}), open: map[*link]struct{}{}, cutAfter: -1}
	p.copies.Go(p.accept)
	return p, nil
}

// Addr is the proxy's own address, 127.0.0.1:PORT.
func (p *TCP) Addr() string { return p.listener.Addr().String() }

// Close ends the proxy and resets its connections.
func (p *TCP) Close() {
	p.update(func() { p.closed = true })
	p.listener.Close()
	p.ResetAll()
	p.copies.Wait()
}

// Open is the number of connections that are open now.
func (p *TCP) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// Accepted is the number of connections there were since the start, open or not,
// those refused included.
func (p *TCP) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// WaitOpen waits until exactly n connections are open; its error is that of ctx.
func (p *TCP) WaitOpen(ctx context.Context, n int) error {
	return p.wait(ctx, func() bool { return len(p.open) == n })
}

// WaitAccepted waits until there were at least n connections since the start.
func (p *TCP) WaitAccepted(ctx context.Context, n int) error {
	return p.wait(ctx, func() bool { return p.accepted >= n })
}

// ResetAll resets the connections that are open, on both sides.
func (p *TCP) ResetAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.open {
		l.reset()
	}
}

// Refuse resets new connections as soon as they come, until it is called with
// false.
func (p *TCP) Refuse(on bool) { p.update(func() { p.refuse = on }) }

// Stall holds back what the server sends, on all connections, until it is called
// with false: to the client the server hangs.
func (p *TCP) Stall(on bool) { p.update(func() { p.stalled = on }) }

// SetLatency delays each piece of what the server sends.
func (p *TCP) SetLatency(d time.Duration) { p.update(func() { p.latency = d }) }

// CutAfter lets each new connection carry n bytes from the server and then resets
// it, in the midst of whatever it carries. -1 ends that.
func (p *TCP) CutAfter(n int64) { p.update(func() { p.cutAfter = n }) }

// update changes the state and wakes those who wait for it.
func (p *TCP) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.change)
	p.change = make(chan struct{})
}

// wait returns when cond, called with the lock held, says so.
func (p *TCP) wait(ctx context.Context, cond func() bool) error {
	for {
		p.mu.Lock()
		ok, change := cond(), p.change
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *TCP) accept() {
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // of this one connection
		}
		p.copies.Go(func() { p.serve(conn.(*net.TCPConn)) })
	}
}

func (p *TCP) serve(client *net.TCPConn) {
	l := &link{client: client}
	p.update(func() {
		p.accepted++
		l.left = p.cutAfter
	})
	p.mu.Lock()
	refuse := p.refuse || p.closed
	p.mu.Unlock()
	if refuse {
		reset(client)
		return
	}
	conn, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client) // as the server itself would refuse it
		return
	}
	l.server = conn.(*net.TCPConn)
	p.update(func() {
		p.open[l] = struct{}{}
		if p.closed {
			l.reset()
		}
	})

	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(l.server, l.client)
		l.server.CloseWrite()
	})
	both.Go(func() {
		if p.answers(l) {
			l.client.CloseWrite()
		} else {
			l.reset()
		}
	})
	both.Wait()
	l.client.Close()
	l.server.Close()
	p.update(func() { delete(p.open, l) })
}

// answers copies what the server sends, with the faults asked for. False: the
// connection is to be reset.
func (p *TCP) answers(l *link) bool {
	buf := make([]byte, 16<<10)
	for {
		n, err := l.server.Read(buf)
		if n > 0 {
			if !p.pass(l, buf[:n]) {
				return false
			}
		}
		if err != nil {
			return err == io.EOF
		}
	}
}

func (p *TCP) pass(l *link, data []byte) bool {
	p.wait(context.Background(), func() bool { return !p.stalled || p.closed })
	p.mu.Lock()
	latency := p.latency
	p.mu.Unlock()
	if latency > 0 {
		time.Sleep(latency)
	}
	whole := true
	if l.left >= 0 {
		if int64(len(data)) > l.left {
			data, whole = data[:l.left], false
		}
		l.left -= int64(len(data))
	}
	_, err := l.client.Write(data)
	return err == nil && whole
}

func (l *link) reset() {
	reset(l.client)
	reset(l.server)
}

// reset closes a connection so that its other end learns of it as of a crash:
// what it reads next is "connection reset by peer", not the end of the stream.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}
