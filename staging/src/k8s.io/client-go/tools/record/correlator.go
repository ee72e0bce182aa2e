package record

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"
)

// What holds for options that are zero.
const (
	defaultCacheSize = 4096

	defaultSpamBurst = 25
	defaultSpamQPS   = 1. / 300

	defaultAggregateMaxEvents         = 10
	defaultAggregateIntervalInSeconds = 600
)

// CorrelatorOptions change when an [EventCorrelator] holds events back or joins
// them. A field that is zero stands for its default.
type CorrelatorOptions struct {
	// LRUCacheSize is how many kinds of events, and how many objects, are
	// remembered: 4096.
	LRUCacheSize int
	// BurstSize is how many events of a source about an object may come in one
	// go: 25.
	BurstSize int
	// QPS is how many may follow each second: 1/300.
	QPS float32
	// KeyFunc groups the events that one event may stand for:
	// [EventAggregatorByReasonFunc].
	KeyFunc EventAggregatorKeyFunc
	// MessageFunc gives that event its message: [EventAggregatorByReasonMessageFunc].
	MessageFunc EventAggregatorMessageFunc
	// MaxEvents is from which one on the different events of a group are joined: 10.
	MaxEvents int
	// MaxIntervalInSeconds is how long a group must be quiet, in seconds, before
	// its next event begins a new one: 600.
	MaxIntervalInSeconds int
	// Clock is for tests.
	Clock clock.PassiveClock
	// SpamKeyFunc says which events share the budget of BurstSize and QPS: those
	// of the same source about the same object.
	SpamKeyFunc EventSpamKeyFunc
}

// withDefaults fills in what is zero.
func (o CorrelatorOptions) withDefaults() CorrelatorOptions {
	orDefault(&o.LRUCacheSize, defaultCacheSize)
	orDefault(&o.BurstSize, defaultSpamBurst)
	orDefault(&o.QPS, defaultSpamQPS)
	orDefault(&o.MaxEvents, defaultAggregateMaxEvents)
	orDefault(&o.MaxIntervalInSeconds, defaultAggregateIntervalInSeconds)
	if o.KeyFunc == nil {
		o.KeyFunc = EventAggregatorByReasonFunc
	}
	if o.MessageFunc == nil {
		o.MessageFunc = EventAggregatorByReasonMessageFunc
	}
	if o.SpamKeyFunc == nil {
		o.SpamKeyFunc = spamKey
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

func orDefault[T int | float32](value *T, fallback T) {
	if *value == 0 {
		*value = fallback
	}
}

// An EventCorrelator decides what becomes of each event before it is written:
// whether it is one too many, whether it counts up an event that is there, and
// whether one event comes to stand for many.
type EventCorrelator struct {
	aggregator *EventAggregator
	history    *history
	skip       EventFilterFunc
}

// EventCorrelateResult says what is to be done for an event.
type EventCorrelateResult struct {
	// Event is what is to be written.
	Event *corev1.Event
	// Patch is a strategic merge patch that does so, if the event's count is
	// above 1.
	Patch []byte
	// Skip is true if nothing is to be written.
	Skip bool
}

// EventFilterFunc reports whether an event is to be skipped.
type EventFilterFunc func(event *corev1.Event) bool

// NewEventCorrelator returns a correlator with defaults, which are said at
// [CorrelatorOptions].
func NewEventCorrelator(clock clock.PassiveClock) *EventCorrelator {
	return NewEventCorrelatorWithOptions(CorrelatorOptions{Clock: clock})
}

// NewEventCorrelatorWithOptions returns a correlator.
func NewEventCorrelatorWithOptions(options CorrelatorOptions) *EventCorrelator {
	o := options.withDefaults()
	spam := NewEventSourceObjectSpamFilter(o.LRUCacheSize, o.BurstSize, o.QPS, o.Clock, o.SpamKeyFunc)
	return &EventCorrelator{
		aggregator: NewEventAggregator(o.LRUCacheSize, o.KeyFunc, o.MessageFunc, o.MaxEvents, o.MaxIntervalInSeconds, o.Clock),
		history:    newHistory(o.LRUCacheSize),
		skip:       spam.Filter,
	}
}

// EventCorrelate says what is to be done for an event. The result is there even
// with an error, which says that no patch could be made.
func (c *EventCorrelator) EventCorrelate(newEvent *corev1.Event) (*EventCorrelateResult, error) {
	event, key := c.aggregator.EventAggregate(newEvent)
	counted, patch, err := c.history.count(event, key)
	// All of an object's events use up its budget, joined ones too.
	return &EventCorrelateResult{Event: counted, Patch: patch, Skip: c.skip(newEvent)}, err
}

// UpdateState tells the correlator what a server has made of an event, so that the
// next one of its kind is a change to that.
func (c *EventCorrelator) UpdateState(event *corev1.Event) {
	if event != nil {
		c.history.written(event)
	}
}
