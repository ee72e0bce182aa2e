package elector

import "sync"

// LeaderMetric tells who leads. The name is that of the election's config.
type LeaderMetric interface {
	// On is called when this program has become the leader.
	On(name string)
	// Off is called when an elector is made, and when it leads no more.
	Off(name string)
	// SlowpathExercised is called when a leader had to look at the record before
	// it renewed it, because somebody had written it or a request had failed.
	SlowpathExercised(name string)
}

// MetricsProvider makes the metrics of an elector.
type MetricsProvider interface {
	NewLeaderMetric() LeaderMetric
}

var provider struct {
	sync.Mutex
	MetricsProvider
}

// SetProvider says where the electors that are made from now on report to. Only the
// first call has an effect.
func SetProvider(metricsProvider MetricsProvider) {
	provider.Lock()
	defer provider.Unlock()
	if provider.MetricsProvider == nil {
		provider.MetricsProvider = metricsProvider
	}
}

func newMetric() LeaderMetric {
	provider.Lock()
	defer provider.Unlock()
	if provider.MetricsProvider == nil {
		return discard{}
	}
	return provider.NewLeaderMetric()
}

type discard struct{}

func (discard) On(string)                {}
func (discard) Off(string)               {}
func (discard) SlowpathExercised(string) {}
