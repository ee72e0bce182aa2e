package webserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	writeTimeout  = time.Minute
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 20 * time.Second
	// mostConnections is more than clients should need, and less than there are files that a
	// process can open on most machines.
	mostConnections = 16_000
)

// Serve answers requests at a listener until ctx is done, and then those that are there already.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout, // No request has a body that matters.
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	unneeded := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err := s.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = s.Close() // Who is this slow gets no answer.
		}
		stopped <- err
	})
	err := s.Serve(&limited{Listener: l, places: make(chan struct{}, mostConnections), closed: make(chan struct{})})
	if !unneeded() && errors.Is(err, http.ErrServerClosed) {
		return <-stopped
	}
	return fmt.Errorf("answer requests at %s: %w", l.Addr(), err)
}

// limited accepts no more connections than it has places. Unlike those of x/net's
// LimitListener, its connections let the operating system copy files to them.
type limited struct {
	net.Listener
	places chan struct{}
	once   sync.Once
	closed chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	leave := sync.OnceFunc(func() { <-l.places })
	if err != nil {
		leave()
		return nil, err
	}
	return &place{c, leave}, nil
}

func (l *limited) Close() error {
	err := l.Listener.Close()
	l.once.Do(func() { close(l.closed) })
	return err
}

// place is a connection that gives its place back when it is closed.
type place struct {
	net.Conn
	leave func()
}

func (p *place) Close() error {
	defer p.leave()
	return p.Conn.Close()
}

// ReadFrom has the connection take a file in its own way.
func (p *place) ReadFrom(r io.Reader) (int64, error) { return io.Copy(p.Conn, r) }
