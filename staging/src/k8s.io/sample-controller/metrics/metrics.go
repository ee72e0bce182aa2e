// Package metrics has what the controller tells Prometheus.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/client-go/util/workqueue"
)

// Metrics are those of one controller.
type Metrics struct {
	registry   *prometheus.Registry
	reconciles *prometheus.CounterVec
	leader     prometheus.Gauge
}

// New returns metrics, and has work queues that are made from now on report to them.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		reconciles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sample_controller_reconciles_total", Help: "Pages that were worked on, by result.",
		}, []string{"result"}),
		leader: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sample_controller_leader", Help: "Whether this process leads.",
		}),
	}
	m.registry.MustRegister(m.reconciles, m.leader, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	workqueue.SetProvider(newQueues(m.registry))
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Count counts a page that was worked on.
func (m *Metrics) Count(result string) { m.reconciles.WithLabelValues(result).Inc() }

// SetLeader notes whether this process leads.
func (m *Metrics) SetLeader(leads bool) {
	value := 0.0
	if leads {
		value = 1
	}
	m.leader.Set(value)
}
