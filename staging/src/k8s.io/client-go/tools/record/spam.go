package record

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

// EventSpamKeyFunc returns what an event shares with those that use up the same
// budget.
type EventSpamKeyFunc func(event *corev1.Event) string

// spamKey is the source and the object.
func spamKey(event *corev1.Event) string {
	about := &event.InvolvedObject
	return joined(event.Source.Component, event.Source.Host,
		about.Kind, about.Namespace, about.Name, string(about.UID), about.APIVersion)
}

// An EventSourceObjectSpamFilter has a budget of events for each source and object.
type EventSourceObjectSpamFilter struct {
	burst int
	qps   float32
	clock clock.PassiveClock
	key   EventSpamKeyFunc

	mu      sync.Mutex
	budgets *lru.Cache // of flowcontrol.PassiveRateLimiter
}

// NewEventSourceObjectSpamFilter returns a filter that lets burst events pass at
// once, and qps in each second after that, for each of lruCacheSize keys.
func NewEventSourceObjectSpamFilter(lruCacheSize, burst int, qps float32, clock clock.PassiveClock, spamKeyFunc EventSpamKeyFunc) *EventSourceObjectSpamFilter {
	return &EventSourceObjectSpamFilter{
		burst:   burst,
		qps:     qps,
		clock:   clock,
		key:     spamKeyFunc,
		budgets: lru.New(lruCacheSize),
	}
}

// Filter reports whether an event is one too many.
func (f *EventSourceObjectSpamFilter) Filter(event *corev1.Event) bool {
	key := f.key(event)
	f.mu.Lock()
	defer f.mu.Unlock()
	budget, ok := f.budgets.Get(key)
	if !ok {
		budget = flowcontrol.NewTokenBucketPassiveRateLimiterWithClock(f.qps, f.burst, f.clock)
		f.budgets.Add(key, budget)
	}
	return !budget.(flowcontrol.PassiveRateLimiter).TryAccept()
}
