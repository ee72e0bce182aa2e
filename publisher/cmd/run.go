package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"k8s.io/publisher/bot"
	"k8s.io/publisher/schedule"
	"k8s.io/publisher/tracing"
	"k8s.io/publisher/webhook"
)

// runFlags are those of run alone.
type runFlags struct {
	interval, grace, timeout time.Duration
	listen                   string
	webhooks                 webhook.Handler
	traces                   choice
}

func newRun(f *flags) *cobra.Command {
	o := runFlags{traces: choice{value: tracing.None, from: []string{tracing.None, tracing.Stdout, tracing.OTLP}}}
	c := &cobra.Command{
		Use:   "run",
		Short: "Sync again and again: at intervals, and when asked to",
		Long: `Sync again and again: at intervals, and when asked to.

What "publisher sync" does is done at the start, then every --interval, and when a
request comes: by POST /sync with the token of --token-file, or when GitHub or
GitLab tell that something was pushed to the source. While a run is at work, one
more can wait; what is asked for then is what that one does. After a run that
failed the next one comes after a minute, then two, four, and so on up to an hour.

  POST /sync             Authorization: Bearer TOKEN; see --token-file
  POST /webhook/github   the payload URL of a webhook; see --github-secret-file
  POST /webhook/gitlab   the URL of a webhook; see --gitlab-token-file
  GET  /healthz          200 while the process lives
  GET  /readyz           200 while requests are taken
  GET  /metrics          for Prometheus

Requests are taken on this machine alone unless --listen says otherwise; TLS is the
business of what stands in front. Files with secrets are read at each request, so
that they can change. What is not given a file is refused.

When it is told to stop, a run that is at work may end within --grace; after that it
is stopped at the next safe point. Nothing is lost: the next run goes on.

"publisher status" tells where destinations stand. A source at a URL is kept in the
mirrors' folder, and what is new there is fetched.`,
		Example: `  publisher run --source https://git.example.com/monorepo.git --mirrors /srv/mirrors
  publisher run --interval 1h --listen :8080 --token-file /run/secrets/token
  curl -X POST -H "Authorization: Bearer $(cat token)" http://127.0.0.1:8080/sync
  publisher run --github-secret-file /run/secrets/github --traces otlp`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), &o) },
	}
	f.addRepositories(c)
	flags := c.Flags()
	flags.DurationVar(&o.interval, "interval", 24*time.Hour, "how `long` after the start of a run the next one starts")
	flags.DurationVar(&o.grace, "grace", 20*time.Second, "how `long` a run may go on when the publisher is to stop")
	flags.DurationVar(&o.timeout, "run-timeout", 6*time.Hour, "how `long` a run may take; 0 for no limit")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "the `address` at which requests are taken; empty for none")
	flags.StringVar(&o.webhooks.TokenFile, "token-file", "", "the `file` with the token for POST /sync")
	flags.StringVar(&o.webhooks.GitHubSecretFile, "github-secret-file", "", "the `file` with the secret of GitHub's webhook")
	flags.StringVar(&o.webhooks.GitLabTokenFile, "gitlab-token-file", "", "the `file` with the secret token of GitLab's webhook")
	flags.StringVar(&o.webhooks.Repository, "webhook-repository", "", "the `URL` that webhooks have for the source (default that of --source)")
	flags.Var(&o.traces, "traces", "where to send OpenTelemetry traces: "+o.traces.choices())
	return c
}

func (f *flags) run(ctx context.Context, o *runFlags) (err error) {
	if o.interval <= 0 {
		return fmt.Errorf("--interval is %s: it must be more than nothing", o.interval)
	}
	b := &bot.Bot{
		Session:  f.options(),
		Schedule: &schedule.Schedule{Interval: o.interval, Grace: o.grace},
		Timeout:  o.timeout,
		Webhooks: o.webhooks,
		Redact:   f.redact,
		Log:      f.log,
	}
	b.Webhooks.Repository = cmp.Or(o.webhooks.Repository, f.source)
	if b.Tracer, err = tracing.New(ctx, o.traces.value, f.stdout); err != nil {
		return err
	}
	defer func() {
		// What is not sent by now is worth a few seconds.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, b.Tracer.Close(ctx))
	}()
	if o.listen != "" {
		if b.Listener, err = new(net.ListenConfig).Listen(ctx, "tcp", o.listen); err != nil {
			return fmt.Errorf("%w; --listen takes another address", err)
		}
	}
	return b.Run(ctx)
}
