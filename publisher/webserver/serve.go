package webserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// patience is how long clients are waited for.
type patience struct {
	head  time.Duration // for the whole head of a request
	idle  time.Duration // for another request
	piece time.Duration // for a piece of an answer to be taken
	stop  time.Duration // for all, when the server is to end
}

var usual = patience{head: 10 * time.Second, idle: 2 * time.Minute, piece: time.Minute, stop: 20 * time.Second}

const (
	// Who reads slowly gets time in proportion to what it reads; who does not read is hung up on.
	piece = 1 << 20
	// largestHead is of a request; so is largestBody, which none needs.
	largestHead = 16 << 10
	largestBody = 16 << 10
	readAhead   = 512
	// mostConnections is more than clients should need, and less than there are files that a
	// process can open on most machines.
	mostConnections = 16_000
)

// Serve answers requests at a listener until ctx is done, and then those that are there already.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	rest, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp() // Who was too slow gets no answer.
	engine := &fasthttp.Server{
		Handler:            s.handle,
		ErrorHandler:       s.misunderstood,
		ContinueHandler:    func(*fasthttp.RequestHeader) bool { return false },
		Logger:             slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Concurrency:        mostConnections,
		ReadTimeout:        s.patience.head,
		IdleTimeout:        s.patience.idle,
		ReadBufferSize:     largestHead,
		MaxRequestBodySize: largestBody,
		// Who does not ask for anything has no buffers.
		ReduceMemoryUsage:            true,
		CloseOnShutdown:              true,
		DisablePreParseMultipartForm: true,
		NoDefaultContentType:         true,
		NoDefaultServerHeader:        true,
		SecureErrorLogMessage:        true,
	}
	d := &door{Listener: l, server: s, rest: rest}
	ended := make(chan error, 1)
	go func() { ended <- engine.Serve(d) }()
	select {
	case err := <-ended:
		return fmt.Errorf("answer requests at %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	if err := errors.Join(d.Close(), <-ended); err != nil {
		return fmt.Errorf("take no more requests at %s: %w", l.Addr(), err)
	}
	limit, cancel := context.WithTimeout(rest, s.patience.stop)
	defer cancel()
	if err := engine.ShutdownWithContext(limit); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("answer the last requests at %s: %w", l.Addr(), err)
	}
	return nil
}

// misunderstanding is the status for why a request could not be read.
func misunderstanding(err error) int {
	var head *fasthttp.ErrSmallBuffer
	switch {
	case errors.As(err, &head):
		return fasthttp.StatusRequestHeaderFieldsTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return fasthttp.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fasthttp.StatusRequestTimeout
	}
	return fasthttp.StatusBadRequest
}

// door is where clients come in.
type door struct {
	net.Listener
	server *Server
	rest   context.Context // what is answered after the door is closed
	once   sync.Once
	err    error
}

// Accept waits while this machine has no room for another connection: that passes.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err == nil {
			return &conn{Conn: c, patience: d.server.patience.piece, leave: context.AfterFunc(d.rest, func() { c.Close() })}, nil
		}
		var number syscall.Errno
		if !errors.As(err, &number) || !number.Temporary() {
			return nil, err
		}
		d.server.log.Warn("a connection is not taken", "error", err)
		time.Sleep(50 * time.Millisecond)
	}
}

// Close can be called again.
func (d *door) Close() error {
	d.once.Do(func() { d.err = d.Listener.Close() })
	return d.err
}

// conn is a connection whose client has to take what it asked for.
type conn struct {
	net.Conn
	patience time.Duration
	leave    func() bool
	buffer   [readAhead]byte
	ahead    []byte // of the buffer, what has not been read
}

// Read reads ahead: fasthttp waits for the first byte of a request without a buffer, and most
// requests are there as a whole when it comes.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.ahead) == 0 {
		if len(p) >= len(c.buffer) {
			return c.Conn.Read(p)
		}
		n, err := c.Conn.Read(c.buffer[:])
		if n == 0 {
			return 0, err
		}
		c.ahead = c.buffer[:n]
	}
	n := copy(p, c.ahead)
	c.ahead = c.ahead[n:]
	return n, nil
}

func (c *conn) wait() error { return c.SetWriteDeadline(time.Now().Add(c.patience)) }

// Write implements [io.Writer].
func (c *conn) Write(p []byte) (written int, err error) {
	for {
		if err := c.wait(); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(p[:min(len(p), piece)])
		written += n
		if p = p[n:]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// ReadFrom has files sent in the way of the operating system.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if e, ok := limited.R.(*exchange); ok {
			return e.copyTo(c)
		}
	}
	return io.Copy(struct{ io.Writer }{c}, r)
}

// Close implements [io.Closer].
func (c *conn) Close() error {
	c.leave()
	return c.Conn.Close()
}
