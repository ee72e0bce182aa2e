package webserver

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// measures are the metrics of a handler. Their labels have few values: paths are none.
type measures struct {
	requests *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMeasures(registry prometheus.Registerer) *measures {
	m := &measures{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "publisher_serve_requests_total", Help: "Requests for files of the site, by what was asked for and the status of the answer.",
		}, []string{"kind", "code"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "publisher_serve_sent_bytes_total", Help: "Bytes of files of the site that were sent, by what was asked for.",
		}, []string{"kind"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "publisher_serve_request_seconds", Help: "How long requests for files of the site took, by what was asked for.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}, []string{"kind"}),
	}
	if registry != nil {
		registry.MustRegister(m.requests, m.bytes, m.seconds)
	}
	return m
}

func (m *measures) observe(kind string, code int, size int64, took time.Duration) {
	m.requests.WithLabelValues(kind, strconv.Itoa(code)).Inc()
	m.bytes.WithLabelValues(kind).Add(float64(size))
	m.seconds.WithLabelValues(kind).Observe(took.Seconds())
}
