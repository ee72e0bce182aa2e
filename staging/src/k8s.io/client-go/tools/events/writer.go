package events

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
)

// writer tells a sink of events, and of series. For each series it is known what the
// sink has to be told; a goroutine tells it that, and goes when there is nothing more.
type writer struct {
	ctx   context.Context
	sink  EventSink
	pause time.Duration // between tries

	mu     sync.Mutex
	series map[seriesKey]*series
}

// seriesKey is what the events of a series have in common.
type seriesKey struct {
	eventType  string
	action     string
	reason     string
	controller string
	instance   string
	regarding  corev1.ObjectReference
	related    corev1.ObjectReference
}

func keyOf(event *eventsv1.Event) seriesKey {
	key := seriesKey{
		eventType:  event.Type,
		action:     event.Action,
		reason:     event.Reason,
		controller: event.ReportingController,
		instance:   event.ReportingInstance,
		regarding:  event.Regarding,
	}
	if event.Related != nil {
		key.related = *event.Related
	}
	// A series goes on when the objects change, as they do at every heartbeat.
	key.regarding.ResourceVersion, key.related.ResourceVersion = "", ""
	return key
}

// series is guarded by the writer's mutex.
type series struct {
	event *eventsv1.Event // the first one, with all occurrences so far in its Series

	due     bool  // the sink is to be told
	telling bool  // a goroutine does so
	told    int32 // the count that the sink knows
	sent    int32 // the count that it knows, or is being told
	ending  bool  // there is to be nothing after what is due
}

func newWriter(ctx context.Context, sink EventSink, pause time.Duration) *writer {
	return &writer{ctx: ctx, sink: sink, pause: pause, series: map[seriesKey]*series{}}
}

// observe takes an event in. It does not wait for the sink.
func (w *writer) observe(event *eventsv1.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := keyOf(event)
	s := w.series[key]
	switch {
	case s == nil:
		s = &series{event: event.DeepCopy(), due: true}
		w.series[key] = s
	case s.event.Series == nil:
		s.event.Series = &eventsv1.EventSeries{Count: 2, LastObservedTime: event.EventTime}
		s.due = true
	default:
		s.event.Series.Count++
		s.event.Series.LastObservedTime = event.EventTime
	}
	s.ending = false
	w.tell(key, s)
}

// refresh tells the sink of all that has happened since it was last told.
func (w *writer) refresh() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, s := range w.series {
		if s.count() > s.sent {
			s.due = true
			w.tell(key, s)
		}
	}
}

// finish forgets series that had no event for a while, once the sink knows all of
// them.
func (w *writer) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, s := range w.series {
		if time.Since(s.last()) < finishTime {
			continue
		}
		s.ending = true
		if s.event.Series != nil && s.count() > s.sent {
			s.due = true
		}
		if s.due || s.telling {
			w.tell(key, s)
			continue
		}
		delete(w.series, key)
	}
}

func (s *series) count() int32 { return countOf(s.event) }

func countOf(event *eventsv1.Event) int32 {
	if event.Series == nil {
		return 1
	}
	return event.Series.Count
}

func (s *series) last() time.Time {
	if s.event.Series == nil {
		return s.event.EventTime.Time
	}
	return s.event.Series.LastObservedTime.Time
}

// tell sees to it that what is due is told. w.mu is held.
func (w *writer) tell(key seriesKey, s *series) {
	if s.due && !s.telling {
		s.telling = true
		go w.run(key, s)
	}
}

// run tells the sink what is due, until nothing is.
func (w *writer) run(key seriesKey, s *series) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { s.telling = false }()
	for s.due {
		s.due = false
		event := s.event.DeepCopy() // A sink may keep what it is given.
		there := s.told > 0
		s.sent = countOf(event)
		w.mu.Unlock()
		kept, outcome := write(w.ctx, w.sink, event, there, w.pause)
		w.mu.Lock()
		if outcome == written {
			s.told = s.sent
			if kept != nil && kept.Name != "" {
				s.event.Name, s.event.Namespace, s.event.ResourceVersion = kept.Name, kept.Namespace, kept.ResourceVersion
			}
		}
		s.sent = s.told
		// What the sink refuses now it will refuse later. What did not reach it
		// is tried again when series are next looked at.
		if s.ending && !s.due && outcome != unreached {
			delete(w.series, key)
		}
	}
}
