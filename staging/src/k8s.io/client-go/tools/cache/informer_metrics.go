package cache

import (
	"strconv"
	"sync/atomic"
)

// A GaugeMetric is a number that goes up and down.
type GaugeMetric interface {
	Set(float64)
}

// A HistogramMetric counts observations by their size.
type HistogramMetric interface {
	Observe(float64)
}

// An InformerMetricsProvider makes the metrics of informers. What it makes should
// look at id.Reserved before it publishes anything: an informer can be over
// before the process is.
type InformerMetricsProvider interface {
	// NewQueuedItemMetric is the number of changes that wait to be processed.
	NewQueuedItemMetric(id InformerNameAndResource) GaugeMetric

	// NewProcessingLatencyMetric observes how long it took to process a
	// change, or a batch of them, in seconds.
	NewProcessingLatencyMetric(id InformerNameAndResource) HistogramMetric

	// NewStoreResourceVersionMetric is the resource version of the store.
	NewStoreResourceVersionMetric(id InformerNameAndResource) GaugeMetric
}

var globalInformerMetrics atomic.Pointer[InformerMetricsProvider]

// SetInformerMetricsProvider sets what makes the metrics of informers that are
// made from now on and have no provider of their own. Only the first call counts.
func SetInformerMetricsProvider(metricsProvider InformerMetricsProvider) {
	globalInformerMetrics.CompareAndSwap(nil, &metricsProvider)
}

// informerMetricsProvider returns nil where there are to be no metrics.
func informerMetricsProvider(id InformerNameAndResource, own InformerMetricsProvider) InformerMetricsProvider {
	if !id.Reserved() {
		return nil
	}
	if own != nil {
		return own
	}
	if global := globalInformerMetrics.Load(); global != nil {
		return *global
	}
	return nil
}

// publishVersion passes over resource versions that are not numbers.
func publishVersion(metric GaugeMetric, version string) {
	if number, err := strconv.ParseFloat(version, 64); err == nil {
		metric.Set(number)
	}
}

// A HandlerMetricsProvider is an [InformerMetricsProvider] that has metrics of the
// handlers of shared informers, too.
type HandlerMetricsProvider interface {
	InformerMetricsProvider

	// NewHandlerBacklogMetric is the number of notifications that wait for a
	// handler. It keeps growing where a handler is slower than the changes
	// come, up to where notifications are combined: see HandlerOptions.
	NewHandlerBacklogMetric(id InformerNameAndResource, handler string) GaugeMetric

	// NewHandlerCombinedMetric counts how often notifications for a handler had
	// to be combined.
	NewHandlerCombinedMetric(id InformerNameAndResource, handler string) CounterMetric
}

// handlerMetrics has nils where there are no metrics.
type handlerMetrics struct {
	backlog    GaugeMetric
	combinings CounterMetric
}

func newHandlerMetrics(id InformerNameAndResource, own InformerMetricsProvider, handler string) handlerMetrics {
	provider, ok := informerMetricsProvider(id, own).(HandlerMetricsProvider)
	if !ok {
		return handlerMetrics{}
	}
	return handlerMetrics{
		backlog:    provider.NewHandlerBacklogMetric(id, handler),
		combinings: provider.NewHandlerCombinedMetric(id, handler),
	}
}
