package record

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

// EventAggregatorKeyFunc groups events. Those of one aggregateKey may be joined if
// there are many of different localKeys.
type EventAggregatorKeyFunc func(event *corev1.Event) (aggregateKey string, localKey string)

// EventAggregatorMessageFunc returns the message of an event that stands for many,
// of which it is given the last.
type EventAggregatorMessageFunc func(event *corev1.Event) string

// EventAggregatorByReasonFunc groups events by all that matters but the message:
// source, object, type, reason, reporting controller and instance. The message is the
// local key.
func EventAggregatorByReasonFunc(event *corev1.Event) (string, string) {
	about := &event.InvolvedObject
	return joined(event.Source.Component, event.Source.Host,
		about.Kind, about.Namespace, about.Name, string(about.UID), about.APIVersion,
		event.Type, event.Reason, event.ReportingController, event.ReportingInstance), event.Message
}

// EventAggregatorByReasonMessageFunc puts before a message that it is one of many.
func EventAggregatorByReasonMessageFunc(event *corev1.Event) string {
	return "(combined from similar events): " + event.Message
}

// An EventAggregator finds out where one event may stand for many.
type EventAggregator struct {
	sync.RWMutex

	keys     EventAggregatorKeyFunc
	message  EventAggregatorMessageFunc
	from     int
	interval time.Duration
	clock    clock.PassiveClock
	groups   *lru.Cache // of *group, by aggregate key
}

// group is what is known of the events of one aggregate key.
type group struct {
	locals sets.Set[string]
	last   time.Time
}

// NewEventAggregator returns an aggregator that joins the events of a group from its
// maxEvents-th one on, until there was none for an interval in seconds. It remembers
// lruCacheSize groups.
func NewEventAggregator(lruCacheSize int, keyFunc EventAggregatorKeyFunc, messageFunc EventAggregatorMessageFunc,
	maxEvents int, maxIntervalInSeconds int, clock clock.PassiveClock) *EventAggregator {
	return &EventAggregator{
		keys:     keyFunc,
		message:  messageFunc,
		from:     maxEvents,
		interval: time.Duration(maxIntervalInSeconds) * time.Second,
		clock:    clock,
		groups:   lru.New(lruCacheSize),
	}
}

// EventAggregate returns newEvent and a key for all that is the same but for its
// time; or, if its group has many events already, a new event that stands for them,
// and the key of the group.
func (e *EventAggregator) EventAggregate(newEvent *corev1.Event) (*corev1.Event, string) {
	now := e.clock.Now()
	groupKey, local := e.keys(newEvent)
	if !e.crowded(groupKey, local, now) {
		return newEvent, eventKey(newEvent)
	}
	at := metav1.NewTime(now)
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Name:      util.GenerateEventName(newEvent.InvolvedObject.Name, now.UnixNano()),
			Namespace: newEvent.Namespace,
		},
		InvolvedObject:      newEvent.InvolvedObject,
		Type:                newEvent.Type,
		Reason:              newEvent.Reason,
		Message:             e.message(newEvent),
		FirstTimestamp:      at,
		LastTimestamp:       at,
		Count:               1,
		Source:              newEvent.Source,
		ReportingController: newEvent.ReportingController,
		ReportingInstance:   newEvent.ReportingInstance,
	}, groupKey
}

// crowded notes an event and reports whether its group has so many that they are to
// be joined.
func (e *EventAggregator) crowded(groupKey, local string, now time.Time) bool {
	e.Lock()
	defer e.Unlock()
	known, ok := e.groups.Get(groupKey)
	if !ok || now.Sub(known.(*group).last) > e.interval {
		known = &group{locals: sets.New[string]()}
		e.groups.Add(groupKey, known)
	}
	members := known.(*group)
	members.last = now
	members.locals.Insert(local)
	if members.locals.Len() < e.from {
		return false
	}
	// It does not matter which ones are known, only how many; so the set stays small.
	members.locals.PopAny()
	return true
}
