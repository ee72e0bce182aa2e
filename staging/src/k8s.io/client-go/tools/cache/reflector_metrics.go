package cache

import (
	"strconv"
	"sync/atomic"
	"time"
)

// A CounterMetric is a number that goes up.
type CounterMetric interface {
	Inc()
}

// A SummaryMetric has observations.
type SummaryMetric interface {
	Observe(float64)
}

// A MetricsProvider makes the metrics of a reflector. All durations are in seconds.
type MetricsProvider interface {
	// NewListsMetric counts lists, streamed ones included.
	NewListsMetric(name string) CounterMetric
	// NewListDurationMetric observes how long they took.
	NewListDurationMetric(name string) SummaryMetric
	// NewItemsInListMetric observes how many objects were in them.
	NewItemsInListMetric(name string) SummaryMetric

	// NewWatchesMetric counts watches that were begun.
	NewWatchesMetric(name string) CounterMetric
	// NewShortWatchesMetric counts those that ended within a second and without
	// an event.
	NewShortWatchesMetric(name string) CounterMetric
	// NewWatchDurationMetric observes how long they lasted.
	NewWatchDurationMetric(name string) SummaryMetric
	// NewItemsInWatchMetric observes how many events came of them.
	NewItemsInWatchMetric(name string) SummaryMetric

	// NewLastResourceVersionMetric is the resource version of the reflector.
	NewLastResourceVersionMetric(name string) GaugeMetric
}

var reflectorMetricsProvider atomic.Pointer[MetricsProvider]

// SetReflectorMetricsProvider sets who makes the metrics of reflectors that are
// made from then on. Only the first call counts.
func SetReflectorMetricsProvider(metricsProvider MetricsProvider) {
	reflectorMetricsProvider.CompareAndSwap(nil, &metricsProvider)
}

// reflectorMetrics do nothing where they are nil.
type reflectorMetrics struct {
	lists         CounterMetric
	listDuration  SummaryMetric
	listItems     SummaryMetric
	watches       CounterMetric
	shortWatches  CounterMetric
	watchDuration SummaryMetric
	watchItems    SummaryMetric
	version       GaugeMetric
}

func newReflectorMetrics(name string) *reflectorMetrics {
	provider := reflectorMetricsProvider.Load()
	if provider == nil || *provider == nil {
		return nil
	}
	p := *provider
	return &reflectorMetrics{
		lists:         p.NewListsMetric(name),
		listDuration:  p.NewListDurationMetric(name),
		listItems:     p.NewItemsInListMetric(name),
		watches:       p.NewWatchesMetric(name),
		shortWatches:  p.NewShortWatchesMetric(name),
		watchDuration: p.NewWatchDurationMetric(name),
		watchItems:    p.NewItemsInWatchMetric(name),
		version:       p.NewLastResourceVersionMetric(name),
	}
}

func (m *reflectorMetrics) listed(took time.Duration, items int) {
	if m == nil {
		return
	}
	m.lists.Inc()
	m.listDuration.Observe(took.Seconds())
	m.listItems.Observe(float64(items))
}

func (m *reflectorMetrics) watched(took time.Duration, events int, short bool) {
	if m == nil {
		return
	}
	m.watches.Inc()
	if short {
		m.shortWatches.Inc()
	}
	m.watchDuration.Observe(took.Seconds())
	m.watchItems.Observe(float64(events))
}

func (m *reflectorMetrics) at(version string) {
	if m == nil {
		return
	}
	if number, err := strconv.ParseFloat(version, 64); err == nil {
		m.version.Set(number)
	}
}
