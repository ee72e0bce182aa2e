package workqueue

import (
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// A MetricsProvider makes the metrics of a queue, given the queue's name. It is
// asked for each of them when the queue is made, before that is returned. All
// times are in seconds.
//
// A queue updates its metrics under its lock, so they should be quick and must
// not call the queue.
type MetricsProvider interface {
	// NewDepthMetric counts the items that wait for a worker, those included
	// that were added while a worker held them.
	NewDepthMetric(name string) GaugeMetric
	// NewAddsMetric counts additions, less those of items already waiting.
	NewAddsMetric(name string) CounterMetric
	// NewLatencyMetric observes how long each item waited for a worker.
	NewLatencyMetric(name string) HistogramMetric
	// NewWorkDurationMetric observes how long each item was held by a worker.
	NewWorkDurationMetric(name string) HistogramMetric
	// NewUnfinishedWorkSecondsMetric is the sum of the times for which the
	// items now held have been held. If it grows steadily, workers are stuck.
	NewUnfinishedWorkSecondsMetric(name string) SettableGaugeMetric
	// NewLongestRunningProcessorSecondsMetric is the longest of those times.
	NewLongestRunningProcessorSecondsMetric(name string) SettableGaugeMetric
	// NewRetriesMetric counts the calls of AddAfter, those of AddRateLimited
	// included.
	NewRetriesMetric(name string) CounterMetric
}

// A GaugeMetric is a number that goes up and down by one.
type GaugeMetric interface {
	Inc()
	Dec()
}

// A SettableGaugeMetric is a number that is set to a value.
type SettableGaugeMetric interface {
	Set(float64)
}

// A CounterMetric is a number that only grows.
type CounterMetric interface {
	Inc()
}

// A SummaryMetric takes observations of a number and keeps what sums them up.
// No queue uses it.
type SummaryMetric interface {
	Observe(float64)
}

// A HistogramMetric takes observations of a number and counts them by size.
type HistogramMetric interface {
	Observe(float64)
}

// refreshPeriod is how often the two gauges of work in progress are set.
const refreshPeriod = 500 * time.Millisecond

var globalProvider atomic.Pointer[MetricsProvider]

// SetProvider sets what makes the metrics of queues that are made from now on
// and have a name, but no provider of their own. Only the first call counts.
func SetProvider(metricsProvider MetricsProvider) {
	globalProvider.CompareAndSwap(nil, &metricsProvider)
}

// providerFor returns nil where there are to be no metrics.
func providerFor(name string, own MetricsProvider) MetricsProvider {
	if name == "" {
		return nil
	}
	if own != nil {
		return own
	}
	if global := globalProvider.Load(); global != nil {
		return *global
	}
	return nil
}

// newRetriesMetric returns nil where there are to be no metrics.
func newRetriesMetric(name string, own MetricsProvider) CounterMetric {
	if provider := providerFor(name, own); provider != nil {
		return provider.NewRetriesMetric(name)
	}
	return nil
}

// queueMetrics follows items through a queue. Its nil pointer is of use: it
// keeps no metrics.
type queueMetrics[T comparable] struct {
	clock clock.PassiveClock

	depth       GaugeMetric
	adds        CounterMetric
	latency     HistogramMetric
	duration    HistogramMetric
	unfinished  SettableGaugeMetric
	longestHeld SettableGaugeMetric

	waitingSince map[T]time.Time
	heldSince    map[T]time.Time
}

func newQueueMetrics[T comparable](name string, own MetricsProvider, clock clock.PassiveClock) *queueMetrics[T] {
	provider := providerFor(name, own)
	if provider == nil {
		return nil
	}
	return &queueMetrics[T]{
		clock:        clock,
		depth:        provider.NewDepthMetric(name),
		adds:         provider.NewAddsMetric(name),
		latency:      provider.NewLatencyMetric(name),
		duration:     provider.NewWorkDurationMetric(name),
		unfinished:   provider.NewUnfinishedWorkSecondsMetric(name),
		longestHeld:  provider.NewLongestRunningProcessorSecondsMetric(name),
		waitingSince: map[T]time.Time{},
		heldSince:    map[T]time.Time{},
	}
}

func (m *queueMetrics[T]) added(item T) {
	if m == nil {
		return
	}
	m.adds.Inc()
	m.depth.Inc()
	m.waitingSince[item] = m.clock.Now()
}

func (m *queueMetrics[T]) started(item T) {
	if m == nil {
		return
	}
	m.depth.Dec()
	m.heldSince[item] = m.clock.Now()
	if since, ok := m.waitingSince[item]; ok {
		m.latency.Observe(m.clock.Since(since).Seconds())
		delete(m.waitingSince, item)
	}
}

func (m *queueMetrics[T]) finished(item T) {
	if m == nil {
		return
	}
	m.duration.Observe(m.clock.Since(m.heldSince[item]).Seconds())
	delete(m.heldSince, item)
}

func (m *queueMetrics[T]) refresh() {
	if m == nil {
		return
	}
	var total, longest time.Duration
	for _, since := range m.heldSince {
		held := m.clock.Since(since)
		total += held
		longest = max(longest, held)
	}
	m.unfinished.Set(total.Seconds())
	m.longestHeld.Set(longest.Seconds())
}
