package webserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
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
	err := s.Serve(netutil.LimitListener(l, mostConnections))
	if !unneeded() && errors.Is(err, http.ErrServerClosed) {
		return <-stopped
	}
	return fmt.Errorf("answer requests at %s: %w", l.Addr(), err)
}
