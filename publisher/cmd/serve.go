package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"k8s.io/publisher/webserver"
)

func newServe(f *flags) *cobra.Command {
	dir, listen, metrics, access := "", "", "", true
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the directory that \"publisher site\" writes",
		Long: `Serve the directory that "publisher site" writes.

The directory has static files alone, so any other web server, or a bucket, does as
well; docs/serving.md says which headers they should send. This one sends them: what
never changes may be kept for ever, text is compressed, and pages may load nothing
from elsewhere. It has limits for clients that are slow, and when it is interrupted,
it answers what it has been asked and ends.

Requests are taken on this machine alone unless --listen says otherwise; TLS is the
business of a proxy in front of it. /healthz tells whether the process lives.`,
		Example: `  publisher serve --dir /srv/site
  publisher serve --dir /srv/site --listen :8000 --metrics-listen 127.0.0.1:8001`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			registry := prometheus.NewRegistry()
			registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
			o := webserver.Options{Log: f.log, Registry: registry}
			if access {
				log := &batch{out: f.screen}
				defer func() { err = errors.Join(err, log.Flush()) }()
				o.AccessLog = f.loggerTo(log)
			}
			site, err := webserver.New(dir, o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, site.Close()) }()
			group, ctx := errgroup.WithContext(c.Context())
			at := func(address, flag string, serve func(context.Context, net.Listener) error) error {
				l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
				if err != nil {
					return fmt.Errorf("%w; %s takes another address", err, flag)
				}
				f.log.Info("requests are taken", "address", l.Addr().String(), "for", flag)
				group.Go(func() error { return serve(ctx, l) })
				return nil
			}
			if err := at(listen, "--listen", site.Serve); err != nil {
				return err
			}
			if metrics != "" {
				mux := http.NewServeMux()
				mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
				serve := func(ctx context.Context, l net.Listener) error { return serveMetrics(ctx, l, mux) }
				if err := at(metrics, "--metrics-listen", serve); err != nil {
					return err
				}
			}
			err = group.Wait()
			if c.Context().Err() != nil && errors.Is(err, context.Canceled) {
				err = nil
			}
			return err
		},
	}
	flags := c.Flags()
	flags.StringVar(&dir, "dir", "", "the `folder` that \"publisher site\" writes")
	flags.StringVar(&listen, "listen", "127.0.0.1:8000", "the `address` at which requests are taken")
	flags.StringVar(&metrics, "metrics-listen", "", "the `address` at which Prometheus gets /metrics (default none)")
	flags.BoolVar(&access, "access-log", true, "log each request")
	_ = c.MarkFlagRequired("dir")
	_ = c.MarkFlagDirname("dir")
	return c
}

// serveMetrics answers until ctx is done. Who asks for metrics asks again.
func serveMetrics(ctx context.Context, l net.Listener, h http.Handler) error {
	const limit = 10 * time.Second
	s := &http.Server{Handler: h, ReadTimeout: limit, WriteTimeout: limit}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answer requests at %s: %w", l.Addr(), err)
	}
	return nil
}
