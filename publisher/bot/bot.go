// Package bot runs the publisher day by day: it takes requests, runs syncs when they
// are due, and tells people and machines what came of them.
//
//	webhook ──▶ schedule ──▶ run ──▶ status ──▶ metrics, reporters
//
// A bot has nothing to lose. What is published is read from the mirrors at each
// run; a run that is cut off is resumed by the next one; and the report of where
// destinations stand only loses dates.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/publisher/metrics"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/schedule"
	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
	"k8s.io/publisher/tracing"
	"k8s.io/publisher/webhook"
)

// Reporter tells somebody what came of a run.
type Reporter interface {
	// Name is who is told.
	Name() string
	// Report is called after each run, with the end of its log. The context bounds
	// how long it may take.
	Report(ctx context.Context, s *status.Status, log string) error
}

// Leader decides which of several processes publishes.
type Leader interface {
	// Lead calls work while this process leads, until ctx ends and work has returned.
	// The context of work ends when another process may lead.
	Lead(ctx context.Context, work func(leading context.Context)) error
	// Request passes a request on to the process that leads.
	Request(ctx context.Context, cause string) (bool, error)
	// Requests calls request for each request that others pass on, until ctx ends.
	Requests(ctx context.Context, request func(cause string))
}

// errLost is the cause with which a run is cancelled that may not be the only one any
// more.
var errLost = errors.New("this process no longer leads")

// Bot is a publisher that goes on. Session, Schedule and Log are to be set.
type Bot struct {
	// Session is how each run works. The bot sets Log and Observe itself.
	Session session.Options
	// Sync is what a run does. Nil: [Sync].
	Sync func(ctx context.Context, o session.Options) (*status.Outcome, error)
	// Schedule is when runs happen.
	Schedule *schedule.Schedule
	// Timeout ends a run that takes longer. Zero: none.
	Timeout time.Duration
	// Listener is where requests are taken. Nil: nowhere.
	Listener net.Listener
	// Webhooks check requests. The bot sets Request and Log itself.
	Webhooks webhook.Handler
	// Reporters are told what came of runs.
	Reporters []Reporter
	// Leader is nil where there is no other process.
	Leader Leader
	// Tracer may be nil.
	Tracer *tracing.Tracer
	// Redact takes secrets out of what others are told. Nil: there are none.
	Redact func(string) string
	Log    *slog.Logger

	metrics *metrics.Metrics
	report  *status.Status
	ready   atomic.Bool // requests are taken
	leading atomic.Bool // they are answered here
}

const (
	// reportTime bounds how long each reporter may take.
	reportTime = time.Minute
	// requestTime bounds how long passing a request on may take.
	requestTime = 10 * time.Second
)

// Run runs until ctx ends, and then as long as the schedule's grace time lets the run
// that is at work. An error is one of the server's; those of runs are reported.
func (b *Bot) Run(ctx context.Context) error {
	b.start()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	server := b.serve(stop)
	b.ready.Store(true)
	unready := context.AfterFunc(ctx, func() { b.ready.Store(false) })
	defer unready()
	var err error
	if b.Leader == nil {
		b.work(ctx, context.Background())
	} else {
		err = b.Leader.Lead(ctx, func(leading context.Context) { b.work(ctx, leading) })
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return errors.Join(err, server.close())
}

// work runs as the schedule says, until ctx ends or this process no longer leads. A
// run may go on after the end of ctx, but not after that of leading.
func (b *Bot) work(ctx, leading context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lost := context.AfterFunc(leading, cancel)
	defer lost()
	b.lead(true)
	defer b.lead(false)
	var listening sync.WaitGroup
	defer listening.Wait()
	if b.Leader != nil {
		// The one that led before may have left a newer report here than ours.
		b.readReport()
		listening.Go(func() { b.Leader.Requests(ctx, func(cause string) { b.Schedule.Request(cause) }) })
		defer cancel()
	}
	b.Schedule.Run(ctx, func(ctx context.Context, causes []string) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		lost := context.AfterFunc(leading, func() { cancel(errLost) })
		defer lost()
		return b.run(ctx, causes)
	})
}

func (b *Bot) lead(leads bool) {
	b.leading.Store(leads)
	b.metrics.Lead(leads)
}

// start fills in what was left out.
func (b *Bot) start() {
	if b.Sync == nil {
		b.Sync = Sync
	}
	if b.Redact == nil {
		b.Redact = func(text string) string { return text }
	}
	b.readReport()
	b.metrics = metrics.New(b.report)
	b.Webhooks.Log = b.Log
	b.Webhooks.Request = b.request
}

func (b *Bot) readReport() {
	report, err := status.Read(b.folder())
	if err != nil {
		b.Log.Warn("where destinations stood is not known", "error", err)
	}
	b.report = report
}

// errStopping is for requests that no run would answer.
var errStopping = errors.New("the publisher is stopping")

func (b *Bot) request(cause string) (first bool, err error) {
	switch {
	case !b.ready.Load():
		return false, errStopping
	case b.Leader == nil || b.leading.Load():
		return b.Schedule.Request(cause), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	return b.Leader.Request(ctx, cause)
}

func (b *Bot) folder() string { return mirror.WorkDir(b.Session.Mirrors) }

// run is one run, with all that it leaves behind.
func (b *Bot) run(ctx context.Context, causes []string) error {
	run := status.Run{ID: NewID(time.Now()), Cause: strings.Join(causes, "; "), Started: time.Now().UTC()}
	kept := new(tail)
	log := slog.New(slog.NewMultiHandler(b.Log.Handler(), slog.NewTextHandler(kept, nil))).With("run", run.ID)
	log.Info("a run starts", "cause", run.Cause)
	b.metrics.Started()
	outcome, err := b.sync(ctx, run, log)
	run.Finished = time.Now().UTC()
	if err != nil {
		run.Error = b.Redact(err.Error())
	}
	outcome.Run, outcome.Redact = run, b.Redact
	for _, name := range slices.Sorted(maps.Keys(outcome.Failures)) {
		failed := outcome.Failures[name]
		log.Error("a destination was not published", "destination", name, "kind", metrics.Kind(failed), "error", failed)
	}
	took := slog.Float64("seconds", run.Finished.Sub(run.Started).Seconds())
	if err == nil {
		log.Info("the run has ended", took)
	} else {
		log.Error("the run has failed", took, "error", err)
	}
	b.report = status.Next(b.report, outcome)
	b.metrics.Ended(outcome, err, b.report)
	if err := b.report.Write(b.folder()); err != nil {
		log.Warn("publisher status will not know of this run", "error", err)
	}
	if cause := context.Cause(ctx); errors.Is(cause, schedule.ErrGrace) || errors.Is(cause, errLost) {
		return err // The next process has the last word.
	}
	for _, r := range b.Reporters {
		b.tell(ctx, r, b.Redact(kept.text()), log)
	}
	return err
}

// sync calls Sync with a limit of time.
func (b *Bot) sync(ctx context.Context, run status.Run, log *slog.Logger) (*status.Outcome, error) {
	o := b.Session
	o.Log = log
	o.Observe = session.Observers(o.Observe, b.metrics.Observe, b.Tracer.Observe)
	if b.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.Timeout, fmt.Errorf("the run took longer than %s", b.Timeout))
		defer cancel()
	}
	ctx, done := b.Tracer.Run(ctx, run.ID, run.Cause)
	outcome, err := b.Sync(ctx, o)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	done(err)
	return outcome, err
}

// tell reports, and does not fail a run for it: what is published is published.
func (b *Bot) tell(ctx context.Context, r Reporter, log string, to *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	err := r.Report(ctx, b.report, log)
	b.metrics.Notified(r.Name(), err)
	if err != nil {
		to.Error("what came of the run could not be reported", "to", r.Name(), "error", err)
	}
}
