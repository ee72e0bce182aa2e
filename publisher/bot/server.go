package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// server answers requests in the background. A nil one is none.
type server struct {
	http  *http.Server
	ended chan error
}

// serve answers requests at the listener. Should that fail, stop is called.
//
//	GET  /healthz   the process lives
//	GET  /readyz    it takes requests
//	GET  /metrics   for Prometheus
//	POST /sync, /webhook/…   see package webhook
func (b *Bot) serve(stop context.CancelCauseFunc) *server {
	if b.Listener == nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if b.ready.Load() {
			text(w, http.StatusOK, "ok\n")
		} else {
			text(w, http.StatusServiceUnavailable, "stopping\n")
		}
	})
	mux.Handle("GET /metrics", b.metrics.Handler())
	b.Webhooks.Register(mux)
	s := &server{ended: make(chan error, 1), http: &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(b.Log.Handler(), slog.LevelWarn),
	}}
	b.Log.Info("requests are taken", "address", b.Listener.Addr().String())
	go func() {
		err := s.http.Serve(b.Listener)
		if !errors.Is(err, http.ErrServerClosed) {
			stop(fmt.Errorf("take requests at %s: %w", b.Listener.Addr(), err))
		}
		s.ended <- nil
	}()
	return s
}

// close answers the requests that are there, and ends.
func (s *server) close() error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close() // Who is this slow gets no answer.
	}
	return errors.Join(err, <-s.ended)
}

func text(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text) // Who does not read it does not get it.
}
