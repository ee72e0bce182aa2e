// Package metrics tells Prometheus what the publisher did and where destinations
// stand. The names are in the tables below; all begin with publisher_.
package metrics

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"k8s.io/publisher/plan"
	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
)

// Metrics are those of one publisher. Where destinations stand is taken from the
// last report, when somebody asks.
type Metrics struct {
	registry *prometheus.Registry
	report   atomic.Pointer[status.Status]

	runs          *prometheus.CounterVec
	running       prometheus.Gauge
	leading       prometheus.Gauge
	runSeconds    prometheus.Histogram
	stageSeconds  *prometheus.HistogramVec
	commits, tags *prometheus.CounterVec
	failures      *prometheus.CounterVec
	notifications *prometheus.CounterVec
}

// Results of runs, as the label result has them.
const (
	success = "success"
	failure = "failure"
)

// New makes metrics. The report, which may be nil, is that of a publisher that was
// here before.
func New(before *status.Status) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "publisher_runs_total", Help: "Runs that have ended, by result: success or failure.",
		}, []string{"result"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "publisher_running", Help: "1 while a run is at work.",
		}),
		leading: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "publisher_leading", Help: "1 where this process is the one that runs; 0 where another one leads.",
		}),
		runSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "publisher_run_duration_seconds", Help: "How long runs took.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200},
		}),
		stageSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "publisher_stage_duration_seconds", Help: "How long the stages of runs took; those of destinations for each destination.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 30, 60, 300, 1800},
		}, []string{"stage"}),
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "publisher_commits_published_total", Help: "Commits that were published.",
		}, []string{"destination"}),
		tags: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "publisher_tags_published_total", Help: "Tags that were published.",
		}, []string{"destination"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "publisher_failures_total", Help: "Failures of runs and of destinations, by kind.",
		}, []string{"kind"}),
		notifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "publisher_notifications_total", Help: "Reports about runs to people, by receiver and result.",
		}, []string{"receiver", "result"}),
	}
	m.report.Store(before)
	m.registry.MustRegister(
		m.runs, m.running, m.leading, m.runSeconds, m.stageSeconds, m.commits, m.tags, m.failures, m.notifications, (*standing)(m),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	)
	// A counter that appears with its first failure has no increase to be seen.
	for _, result := range []string{success, failure} {
		m.runs.WithLabelValues(result)
	}
	for _, k := range kinds {
		m.failures.WithLabelValues(k)
	}
	return m
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Lead tells whether this process leads.
func (m *Metrics) Lead(leads bool) { m.leading.Set(number(leads)) }

// Started tells that a run has started.
func (m *Metrics) Started() { m.running.Set(1) }

// Ended tells that a run has ended, what it did, and where that leaves destinations.
func (m *Metrics) Ended(o *status.Outcome, err error, report *status.Status) {
	m.running.Set(0)
	m.report.Store(report)
	m.runSeconds.Observe(o.Run.Finished.Sub(o.Run.Started).Seconds())
	if err == nil {
		m.runs.WithLabelValues(success).Inc()
	} else {
		m.runs.WithLabelValues(failure).Inc()
	}
	if o.Plan == nil {
		if err != nil {
			m.failures.WithLabelValues(Kind(err)).Inc()
		}
		return
	}
	for _, d := range o.Plan.Destinations {
		commits, tags := m.commits.WithLabelValues(d.Name), m.tags.WithLabelValues(d.Name)
		if err := o.Failure(d); err != nil {
			m.failures.WithLabelValues(Kind(err)).Inc()
			continue
		}
		commits.Add(float64(d.NewCommits()))
		for _, t := range d.Tags {
			if t.Action == plan.Create {
				tags.Add(float64(len(t.Names)))
			}
		}
	}
}

// Notified tells of a report to people.
func (m *Metrics) Notified(receiver string, err error) {
	result := success
	if err != nil {
		result = failure
	}
	m.notifications.WithLabelValues(receiver, result).Inc()
}

// Observe is an observer of sessions.
func (m *Metrics) Observe(ctx context.Context, stage session.Stage, _ string) (context.Context, func(error)) {
	start := time.Now()
	return ctx, func(error) { m.stageSeconds.WithLabelValues(string(stage)).Observe(time.Since(start).Seconds()) }
}

// standing collects where destinations stand.
type standing Metrics

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("publisher_destination_"+name, help, []string{"destination"}, nil)
}

var (
	lastSuccess = describe("last_success_timestamp_seconds", "When the destination was last found up to date, or made so, in seconds since 1970.")
	took        = describe("duration_seconds", "How long the destination's part of its last successful run took.")
	waiting     = describe("refs_waiting", "Branches and tags that are not in the destination as they should be.")
	failing     = describe("failing", "1 where the last run failed at the destination.")
	lastRun     = prometheus.NewDesc("publisher_last_run_timestamp_seconds", "When the last run ended, in seconds since 1970.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (*standing) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lastSuccess, took, waiting, failing, lastRun} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (s *standing) Collect(to chan<- prometheus.Metric) {
	report := s.report.Load()
	if report == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(lastRun, seconds(report.Run.Finished))
	for _, d := range report.Destinations {
		// One that was never published has its place too, at the beginning of time, so
		// that alerts on the age see it.
		at := 0.0
		if d.LastSuccess != nil {
			at = seconds(*d.LastSuccess)
			gauge(took, d.Seconds, d.Name)
		}
		gauge(lastSuccess, at, d.Name)
		gauge(waiting, float64(d.Waiting), d.Name)
		gauge(failing, number(d.Error != ""), d.Name)
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
