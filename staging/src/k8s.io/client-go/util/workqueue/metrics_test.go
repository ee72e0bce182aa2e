package workqueue_test

import (
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
	testingclock "k8s.io/utils/clock/testing"
)

// A board is a provider whose metrics are read by name. A histogram shows the
// sum of its observations, and how many there were.
type board struct {
	mu     sync.Mutex
	values map[string]float64
}

func (b *board) change(name string, f func(float64) float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.values == nil {
		b.values = map[string]float64{}
	}
	b.values[name] = f(b.values[name])
}

// read returns the values that are not zero.
func (b *board) read() map[string]float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	values := map[string]float64{}
	for name, v := range b.values {
		if v != 0 {
			values[name] = v
		}
	}
	return values
}

type metric struct {
	*board
	name string
}

func (m metric) Inc()          { m.change(m.name, func(v float64) float64 { return v + 1 }) }
func (m metric) Dec()          { m.change(m.name, func(v float64) float64 { return v - 1 }) }
func (m metric) Set(v float64) { m.change(m.name, func(float64) float64 { return v }) }

type histogram struct {
	*board
	name string
}

func (h histogram) Observe(v float64) {
	h.change(h.name, func(sum float64) float64 { return sum + v })
	h.change(h.name+" count", func(n float64) float64 { return n + 1 })
}

func (b *board) NewDepthMetric(q string) workqueue.GaugeMetric  { return metric{b, q + " depth"} }
func (b *board) NewAddsMetric(q string) workqueue.CounterMetric { return metric{b, q + " adds"} }
func (b *board) NewLatencyMetric(q string) workqueue.HistogramMetric {
	return histogram{b, q + " latency"}
}
func (b *board) NewWorkDurationMetric(q string) workqueue.HistogramMetric {
	return histogram{b, q + " work"}
}
func (b *board) NewUnfinishedWorkSecondsMetric(q string) workqueue.SettableGaugeMetric {
	return metric{b, q + " unfinished"}
}
func (b *board) NewLongestRunningProcessorSecondsMetric(q string) workqueue.SettableGaugeMetric {
	return metric{b, q + " longest"}
}
func (b *board) NewRetriesMetric(q string) workqueue.CounterMetric { return metric{b, q + " retries"} }

func TestMetricsFollowTheItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		q := workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.NewTypedItemFastSlowRateLimiter[string](2*time.Second, 0, 1),
			workqueue.TypedRateLimitingQueueConfig[string]{Name: "q", MetricsProvider: b})
		get := func() { q.Get() }
		for _, step := range []struct {
			name string
			do   func()
			want map[string]float64 // what changes
		}{
			{"add", func() { q.Add("a") }, map[string]float64{"q adds": 1, "q depth": 1}},
			{"add in line", func() { q.Add("a") }, nil},
			{"add another", func() { q.Add("b") }, map[string]float64{"q adds": 2, "q depth": 2}},
			{"wait", func() { time.Sleep(3 * time.Second) }, nil},
			{"get", get, map[string]float64{"q depth": 1, "q latency": 3, "q latency count": 1}},
			{"work", func() { time.Sleep(time.Second) }, map[string]float64{"q unfinished": 1, "q longest": 1}},
			{"add while held", func() { q.Add("a") }, map[string]float64{"q adds": 3, "q depth": 2}},
			{"add while held again", func() { q.Add("a") }, nil},
			{"get the other", get, map[string]float64{"q depth": 1, "q latency": 7, "q latency count": 2}},
			{"work", func() { time.Sleep(2 * time.Second) }, map[string]float64{"q unfinished": 5, "q longest": 3}},
			{"done", func() { q.Done("a") }, map[string]float64{"q work": 3, "q work count": 1}},
			{"a moment", func() { time.Sleep(500 * time.Millisecond) }, map[string]float64{"q unfinished": 2.5, "q longest": 2.5}},
			{"get again", get, map[string]float64{"q depth": 0, "q latency": 9.5, "q latency count": 3}},
			{"done", func() { q.Done("a") }, map[string]float64{"q work count": 2}},
			{"stray done", func() { q.Done("a") }, nil},
			{"retry", func() { q.AddRateLimited("a") }, map[string]float64{"q retries": 1}},
			{"retry at once", func() { q.AddAfter("c", 0) }, map[string]float64{"q retries": 2, "q adds": 4, "q depth": 1}},
			{"retry is due", func() { time.Sleep(2 * time.Second) },
				map[string]float64{"q adds": 5, "q depth": 2, "q unfinished": 4.5, "q longest": 4.5}},
			{"shut down", q.ShutDown, nil},
			{"refused", func() { q.Add("d"); q.AddRateLimited("e") }, nil},
			{"time passes", func() { time.Sleep(time.Second) }, nil},
			{"last done", func() { q.Done("b") },
				map[string]float64{"q work": 8.5, "q work count": 3, "q unfinished": 0, "q longest": 0}},
		} {
			want := b.read()
			maps.Copy(want, step.want)
			maps.DeleteFunc(want, func(_ string, v float64) bool { return v == 0 })
			step.do()
			synctest.Wait()
			if got := b.read(); !maps.Equal(got, want) {
				t.Fatalf("after %s:\n got %v\nwant %v", step.name, got, want)
			}
		}
	})
}

func TestMetricsUseTheGivenClock(t *testing.T) {
	b, clock := &board{}, testingclock.NewFakeClock(time.Unix(0, 0))
	q := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Name: "q", MetricsProvider: b, Clock: clock})
	if !clock.HasWaiters() {
		t.Error("stepping the clock would not refresh the gauges")
	}
	q.Add("a")
	clock.Step(50 * time.Microsecond)
	q.Get()
	clock.Step(25 * time.Microsecond)
	q.Done("a")
	want := map[string]float64{"q adds": 1, "q latency": 50e-6, "q latency count": 1, "q work": 25e-6, "q work count": 1}
	if got := b.read(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	q.ShutDown()
}

func TestQueueWithoutNameKeepsNoMetrics(t *testing.T) {
	b := &board{}
	q := workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[string]{MetricsProvider: b})
	q.AddAfter("a", 0)
	take(t, q)
	if got := b.read(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

// global sets the provider for the whole program, which can be done only once
// however often the tests are run.
var global = sync.OnceValues(func() (first *board, before workqueue.Interface) {
	first = &board{}
	before = workqueue.NewNamed("before")
	workqueue.SetProvider(first)
	return first, before
})

func TestFirstProviderCountsForQueuesMadeLater(t *testing.T) {
	first, before := global()
	second, own := &board{}, &board{}
	workqueue.SetProvider(second)
	after := workqueue.NewNamedDelayingQueue("after")
	with := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Name: "own", MetricsProvider: own})
	before.Add("a")
	after.AddAfter("a", 0)
	take(t, workqueue.Interface(after))
	with.Add("a")
	after.ShutDown()
	with.ShutDown()

	got := first.read()
	if got["after adds"] == 0 || got["after adds"] != got["after retries"] {
		t.Errorf("the first provider has %v", got)
	}
	if got["before adds"] != 0 || got["own adds"] != 0 {
		t.Errorf("the first provider has metrics of other queues: %v", got)
	}
	if got := second.read(); len(got) != 0 {
		t.Errorf("the second provider has %v", got)
	}
	if got := own.read(); got["own adds"] != 1 {
		t.Errorf("the queue's own provider has %v", got)
	}
}
