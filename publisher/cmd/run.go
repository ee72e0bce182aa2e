package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"k8s.io/publisher/bot"
	"k8s.io/publisher/cluster"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/notify"
	"k8s.io/publisher/schedule"
	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
	"k8s.io/publisher/tracing"
	"k8s.io/publisher/webhook"
)

// runFlags are those of run alone.
type runFlags struct {
	interval, grace, timeout time.Duration
	listen                   string
	dryRun                   bool
	webhooks                 webhook.Handler
	traces                   choice
	elect                    bool
	identity                 string
	issue, issueToken        string
	notifyURL                string
	leaseDuration            time.Duration
	cluster                  clusterFlags
	site                     siteFlags
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

Of several replicas in a Kubernetes cluster, with --leader-elect, one publishes, and
the others wait; any of them takes requests. The lease is called as --name says, and
the ConfigMap beside it, NAME-status, has the report for "publisher status" and takes
requests too. Replicas share no files: each has mirrors of its own, which follow the
remotes.

Failures are reported to an issue at GitHub with --github-issue: it is opened, or
opened again, with the end of the log, and closed when all goes well again. With
--notify-url-file they are sent to a URL, as docs/webhook.schema.json describes.

With --site, a site is brought up to date after each run, as "publisher site" does.
A run that fails there has failed.

"publisher status" tells where destinations stand. A source at a URL is kept in the
mirrors' folder, and what is new there is fetched.`,
		Example: `  publisher run --source https://git.example.com/monorepo.git --mirrors /srv/mirrors
  publisher run --interval 1h --listen :8080 --token-file /run/secrets/token
  curl -X POST -H "Authorization: Bearer $(cat token)" http://127.0.0.1:8080/sync
  publisher run --github-secret-file /run/secrets/github --traces otlp
  publisher run --config /etc/publisher-config/config --dry-run
  publisher run --leader-elect --namespace publisher --listen :8080`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f.configureRun(c, &o)
			return f.run(c.Context(), &o)
		},
	}
	f.addRepositories(c)
	f.addBuild(c)
	o.site.addTo(c)
	flags := c.Flags()
	flags.BoolVar(&o.dryRun, "dry-run", false, "push nothing: the mirrors on this machine show what would be pushed")
	flags.DurationVar(&o.interval, "interval", 24*time.Hour, "how `long` after the start of a run the next one starts")
	flags.DurationVar(&o.grace, "grace", 20*time.Second, "how `long` a run may go on when the publisher is to stop")
	flags.DurationVar(&o.timeout, "run-timeout", 6*time.Hour, "how `long` a run may take; 0 for no limit")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "the `address` at which requests are taken; empty for none")
	flags.StringVar(&o.webhooks.TokenFile, "token-file", "", "the `file` with the token for POST /sync")
	flags.StringVar(&o.webhooks.GitHubSecretFile, "github-secret-file", "", "the `file` with the secret of GitHub's webhook")
	flags.StringVar(&o.webhooks.GitLabTokenFile, "gitlab-token-file", "", "the `file` with the secret token of GitLab's webhook")
	flags.StringVar(&o.webhooks.Repository, "webhook-repository", "", "the `URL` that webhooks have for the source (default that of --source)")
	flags.StringVar(&o.issue, "github-issue", "", "the `issue` to which failures are reported: OWNER/REPO#NUMBER, or OWNER/REPO for one of its own")
	flags.StringVar(&o.issueToken, "github-token-file", "", "the `file` with the token for --github-issue")
	flags.StringVar(&o.notifyURL, "notify-url-file", "", "the `file` with a URL to which failures are sent")
	flags.BoolVar(&o.elect, "leader-elect", false, "publish only while this process leads, by a lease in a Kubernetes cluster")
	flags.StringVar(&o.identity, "identity", "", "the `name` of this process in the lease, which no other may have (default the host's, and a number)")
	flags.DurationVar(&o.leaseDuration, "lease-duration", 15*time.Second, "how `long` the others wait for a leader that says nothing")
	o.cluster.add(c)
	flags.Var(&o.traces, "traces", "where to send OpenTelemetry traces: "+o.traces.choices())
	return c
}

func (f *flags) run(ctx context.Context, o *runFlags) (err error) {
	if o.interval <= 0 {
		return fmt.Errorf("--interval is %s: it must be more than nothing", o.interval)
	}
	if err := o.site.check(); err != nil {
		return err
	}
	b := &bot.Bot{
		Session:  f.session(o),
		Schedule: &schedule.Schedule{Interval: o.interval, Grace: o.grace},
		Timeout:  o.timeout,
		Webhooks: o.webhooks,
		Redact:   f.redact,
		Log:      f.log,
	}
	if o.site.dir != "" {
		b.Sync = f.syncWithSite(&o.site)
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
	if b.Reporters, err = o.reporters(); err != nil {
		return err
	}
	if o.elect {
		place, err := f.cluster(o)
		if err != nil {
			return err
		}
		reporter := place.Reporter(ctx)
		defer reporter.Close()
		b.Leader = place
		b.Reporters = append(b.Reporters, reporter)
	}
	if o.listen != "" {
		if b.Listener, err = new(net.ListenConfig).Listen(ctx, "tcp", o.listen); err != nil {
			return fmt.Errorf("%w; --listen takes another address", err)
		}
	}
	return b.Run(ctx)
}

// syncWithSite is a run that brings the site up to date, too. One that fails there has
// failed.
func (f *flags) syncWithSite(s *siteFlags) func(context.Context, session.Options) (*status.Outcome, error) {
	return func(ctx context.Context, o session.Options) (*status.Outcome, error) {
		started := time.Now().UTC()
		outcome, err := bot.Sync(ctx, o)
		if outcome.Plan == nil || ctx.Err() != nil {
			return outcome, err
		}
		// The report of this run is yet to be written.
		before, unknown := status.Read(mirror.WorkDir(o.Mirrors))
		if unknown != nil {
			before = nil
		}
		now := *outcome
		now.Run, now.Redact = status.Run{Started: started, Finished: time.Now().UTC()}, f.redact
		return outcome, errors.Join(err, f.siteAfter(ctx, s, status.Next(before, &now), o.Log))
	}
}

// session is how each run works.
func (f *flags) session(o *runFlags) session.Options {
	s := f.options()
	s.Push = !o.dryRun
	// A smoke test has no business with who may start runs.
	for _, file := range []string{f.credentials, o.webhooks.TokenFile, o.webhooks.GitHubSecretFile, o.webhooks.GitLabTokenFile, o.cluster.kubeconfig, o.issueToken, o.notifyURL} {
		if file != "" {
			s.Build.Hidden = append(s.Build.Hidden, file)
		}
	}
	o.site.hide(&s)
	return s
}

// reporters tell people what came of runs.
func (o *runFlags) reporters() (all []bot.Reporter, err error) {
	if o.issue != "" {
		issue, err := notify.ParseIssue(o.issue)
		if err != nil {
			return nil, fmt.Errorf("--github-issue: %w", err)
		}
		if o.issueToken == "" {
			return nil, errors.New("--github-issue needs --github-token-file")
		}
		issue.TokenFile = o.issueToken
		all = append(all, issue)
	}
	if o.notifyURL != "" {
		all = append(all, &notify.Webhook{URLFile: o.notifyURL})
	}
	return all, nil
}

// cluster is this process's place among its replicas.
func (f *flags) cluster(o *runFlags) (*cluster.Cluster, error) {
	c, err := o.cluster.options(f.log)
	if err != nil {
		return nil, err
	}
	c.Identity, c.LeaseDuration = o.identity, o.leaseDuration
	if c.Identity == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		// A pod's name is its host's. What is started again in it is somebody else.
		c.Identity = host + "_" + bot.NewID(time.Now())
	}
	return cluster.New(c)
}
