package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	eventsv1beta1 "k8s.io/api/events/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2/textlogger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a sink that keeps events as a server does, and notes what is asked of it.
type store struct {
	mu     sync.Mutex
	events map[string]*eventsv1.Event
	calls  []string
	fail   func(verb string, n int) error // n is 1 for the first call
}

var resource = schema.GroupResource{Group: "events.k8s.io", Resource: "events"}

func (s *store) do(verb string, event *eventsv1.Event, change func(kept *eventsv1.Event) (*eventsv1.Event, error)) (*eventsv1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf("%s %s %d", verb, event.Note, countOf(event)))
	if s.fail != nil {
		if err := s.fail(verb, len(s.calls)); err != nil {
			return nil, err
		}
	}
	after, err := change(s.events[event.Name])
	if err != nil {
		return nil, err
	}
	if s.events == nil {
		s.events = map[string]*eventsv1.Event{}
	}
	after.ResourceVersion = fmt.Sprint(len(s.calls))
	s.events[event.Name] = after
	return after.DeepCopy(), nil
}

func (s *store) Create(_ context.Context, event *eventsv1.Event) (*eventsv1.Event, error) {
	return s.do("create", event, func(kept *eventsv1.Event) (*eventsv1.Event, error) {
		if kept != nil {
			return nil, apierrors.NewAlreadyExists(resource, event.Name)
		}
		if event.ResourceVersion != "" {
			return nil, apierrors.NewBadRequest("a new event has no version")
		}
		return event.DeepCopy(), nil
	})
}

func (s *store) Update(_ context.Context, event *eventsv1.Event) (*eventsv1.Event, error) {
	return nil, errors.New("nobody should replace events")
}

func (s *store) Patch(_ context.Context, event *eventsv1.Event, patch []byte) (*eventsv1.Event, error) {
	return s.do("patch", event, func(kept *eventsv1.Event) (*eventsv1.Event, error) {
		if kept == nil {
			return nil, apierrors.NewNotFound(resource, event.Name)
		}
		kept = kept.DeepCopy()
		return kept, json.Unmarshal(patch, kept)
	})
}

func (s *store) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.calls, ", ")
}

// expire removes all events.
func (s *store) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = nil
}

var web = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "1"}}

// start starts a broadcaster for a sink, and returns a recorder of it.
func start(t *testing.T, sink EventSink) (EventRecorderLogger, context.CancelFunc) {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	b := NewBroadcaster(sink)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(b.Shutdown)
	t.Cleanup(cancel)
	if err := b.StartRecordingToSinkWithContext(ctx); err != nil {
		t.Fatal(err)
	}
	return b.NewRecorder(scheme, "example.com/tester"), cancel
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestSeriesIsToldAtItsSecondEventThenEveryHalfHourAndWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{}
		recorder, _ := start(t, sink)
		pod := web.DeepCopy()
		pass(time.Minute)
		began := metav1.NowMicro()
		var last metav1.MicroTime
		for i := range 40 { // one a minute, of an object that changes
			pod.ResourceVersion = fmt.Sprint(i)
			recorder.Eventf(pod, nil, "Normal", "Tested", "Testing", "a")
			last = metav1.NowMicro()
			pass(time.Minute)
		}
		if got, want := sink.seen(), "create a 1, patch a 2, patch a 29"; got != want {
			t.Errorf("after 40 events the sink was asked for %q, want %q", got, want)
		}
		pass(time.Hour)
		if got, want := sink.seen(), "create a 1, patch a 2, patch a 29, patch a 40"; got != want {
			t.Errorf("in the end the sink was asked for %q, want %q", got, want)
		}
		for _, event := range sink.events {
			if event.Series.Count != 40 || !event.EventTime.Equal(&began) || !event.Series.LastObservedTime.Equal(&last) {
				t.Errorf("the event is from %v, with the series %+v; want %v and 40 until %v", event.EventTime, event.Series, began, last)
			}
		}
		recorder.Eventf(pod, nil, "Normal", "Tested", "Testing", "b")
		synctest.Wait()
		if !strings.HasSuffix(sink.seen(), ", create b 1") || len(sink.events) != 2 {
			t.Errorf("an event after the end does not begin a new series: %q", sink.seen())
		}
	})
}

func TestEventsOfOneSeriesDifferInNoteAndTimeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{}
		recorder, _ := start(t, sink)
		other := web.DeepCopy()
		other.UID = "2"
		pass(1) // so that names differ
		recorder.Eventf(web, nil, "Normal", "Tested", "Testing", "a")
		pass(1)
		recorder.Eventf(web, nil, "Normal", "Tested", "Testing", "%s", "b")
		pass(1)
		recorder.Eventf(other, nil, "Normal", "Tested", "Testing", "c")
		pass(1)
		recorder.Eventf(web, other, "Normal", "Tested", "Testing", "d")
		pass(1)
		recorder.Eventf(web, nil, "Warning", "Tested", "Testing", "e")
		pass(1)
		recorder.Eventf(web, nil, "Normal", "Failed", "Testing", "f")
		pass(1)
		recorder.Eventf(web, nil, "Normal", "Tested", "Looking", "g")
		synctest.Wait()
		if got := len(sink.events); got != 6 {
			t.Errorf("there are %d events, want 6: %s", got, sink.seen())
		}
		for _, event := range sink.events {
			if event.Note == "a" && event.Series == nil {
				t.Error("two equal events make no series")
			}
			if event.Note == "d" && (event.Related == nil || event.Related.UID != "2" || event.Related.Kind != "Pod") {
				t.Errorf("the related object is %v", event.Related)
			}
			if event.ReportingController != "example.com/tester" || !strings.HasPrefix(event.ReportingInstance, "example.com/tester-") || event.EventTime.IsZero() || event.Namespace != "ns" {
				t.Errorf("the event is %+v", event)
			}
		}
	})
}

// The second event may come while the first is still being written.
func TestSeriesIsWrittenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("connection refused")
		sink := &store{fail: func(_ string, n int) error {
			if n <= 3 {
				return down
			}
			return nil
		}}
		recorder, _ := start(t, sink)
		for range 5 {
			recorder.Eventf(web, nil, "Normal", "Tested", "Testing", "a")
			synctest.Wait()
		}
		pass(time.Minute)
		if got, want := sink.seen(), "create a 1, create a 1, create a 1, create a 1, patch a 5"; got != want {
			t.Errorf("the sink was asked for %q, want %q", got, want)
		}
	})
}

func TestOneSeriesThatFailsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{}
		sink.fail = func(string, int) error {
			if strings.HasPrefix(sink.calls[len(sink.calls)-1], "create bad") {
				return errors.New("connection refused")
			}
			return nil
		}
		recorder, cancel := start(t, sink)
		recorder.Eventf(web, nil, "Normal", "Tested", "Testing", "bad")
		synctest.Wait()
		recorder.Eventf(web, nil, "Normal", "Tested", "Looking", "good")
		synctest.Wait()
		if got, want := sink.seen(), "create bad 1, create good 1"; got != want {
			t.Errorf("the sink was asked for %q, want %q", got, want)
		}
		cancel()
		pass(time.Hour)
		if got := len(sink.calls); got != 2 {
			t.Errorf("the sink was asked %d times after the end", got-2)
		}
	})
}

func TestSeriesOfAnEventThatHasExpiredIsCreatedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{}
		recorder, _ := start(t, sink)
		recorder.Eventf(web, nil, "Normal", "Tested", "Testing", "a")
		synctest.Wait()
		sink.expire()
		recorder.Eventf(web, nil, "Normal", "Tested", "Testing", "a")
		synctest.Wait()
		if got, want := sink.seen(), "create a 1, patch a 2, create a 2"; got != want {
			t.Errorf("the sink was asked for %q, want %q", got, want)
		}
	})
}

func TestWritingIsTriedAgainWhereThatMakesSense(t *testing.T) {
	weird := errors.New("connection refused")
	for _, test := range []struct {
		name  string
		err   error
		times int // it fails
		calls int
		end   outcome
	}{
		{"not reached", weird, 1000, 12, unreached},
		{"not reached at first", weird, 2, 3, written},
		{"something else answered", &apierrors.UnexpectedObjectError{}, 1, 2, written},
		{"refused", apierrors.NewBadRequest("no action"), 1000, 1, refused},
		{"refused, wrapped", fmt.Errorf("writing: %w", apierrors.NewBadRequest("no action")), 1000, 1, refused},
		{"there already", apierrors.NewAlreadyExists(resource, "a"), 1000, 1, refused},
		{"no request", &rest.RequestConstructionError{Err: weird}, 1000, 1, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &store{fail: func(_ string, n int) error {
					if n <= test.times {
						return test.err
					}
					return nil
				}}
				event := &eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}}
				_, end := write(t.Context(), sink, event, true, retryPause)
				if end != test.end || len(sink.calls) != test.calls {
					t.Errorf("outcome %d after %d tries, want %d after %d", end, len(sink.calls), test.end, test.calls)
				}
			})
		})
	}
}

func TestSeriesThatIsNewIsCreatedWithoutAPatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{}
		event := &eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}, Series: &eventsv1.EventSeries{Count: 5}}
		for _, there := range []bool{false, true, false} {
			if _, end := write(t.Context(), sink, event.DeepCopy(), there, retryPause); end != written {
				t.Errorf("outcome %d: %s", end, sink.seen())
			}
		}
		if got, want := sink.seen(), "create  5, patch  5, create  5, patch  5"; got != want {
			t.Errorf("the sink was asked for %q, want %q", got, want)
		}
	})
}

// Two processes may write the event of one name.
func TestSeriesWhoseEventAppearsMeanwhileIsPatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{}
		event := &eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}, Series: &eventsv1.EventSeries{Count: 2}}
		sink.fail = func(verb string, n int) error {
			if verb == "create" && n == 2 {
				sink.events = map[string]*eventsv1.Event{"a": event.DeepCopy()}
			}
			return nil
		}
		if _, end := write(t.Context(), sink, event, true, retryPause); end != written {
			t.Errorf("outcome %d: %s", end, sink.seen())
		}
		if got, want := sink.seen(), "patch  2, create  2, patch  2"; got != want {
			t.Errorf("the sink was asked for %q, want %q", got, want)
		}
	})
}

func TestSeriesThatTheSinkRefusesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{fail: func(string, int) error { return apierrors.NewForbidden(resource, "a", nil) }}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := newWriter(ctx, sink, 0)
		at := metav1.NowMicro()
		for range 5 {
			w.observe(&eventsv1.Event{EventTime: at})
		}
		time.Sleep(finishTime)
		w.finish()
		synctest.Wait()
		if len(w.series) != 0 {
			t.Error("it is kept")
		}
	})
}

func TestEventThatHasNoSeriesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{}
		w := newWriter(t.Context(), sink, 0)
		w.observe(&eventsv1.Event{EventTime: metav1.NowMicro()})
		synctest.Wait()
		w.finish()
		if len(w.series) != 1 {
			t.Error("it is forgotten at once")
		}
		time.Sleep(finishTime)
		w.finish()
		if len(w.series) != 0 || len(sink.calls) != 1 {
			t.Errorf("%d are kept after %s", len(w.series), sink.seen())
		}
	})
}

func TestBroadcasterThatIsShutDownSaysSo(t *testing.T) {
	b := NewBroadcaster(&store{})
	var logged bytes.Buffer
	logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&logged)))
	recorder := b.NewRecorder(runtime.NewScheme(), "example.com/tester").WithLogger(logger)
	b.Shutdown()
	b.Shutdown()
	if err := b.StartRecordingToSinkWithContext(t.Context()); err == nil {
		t.Error("it starts to record")
	}
	if _, err := b.StartLogging(logger); err == nil {
		t.Error("it starts to log")
	}
	b.StartStructuredLogging(9)()
	recorder.Eventf(&corev1.ObjectReference{}, nil, "Normal", "Tested", "Testing", "a")
	recorder.Eventf(&corev1.Secret{StringData: map[string]string{"k": "hunter2"}}, nil, "Normal", "Tested", "Testing", "a")
	recorder.Eventf(&corev1.ObjectReference{}, nil, "normal", "Tested", "Testing", "a")
	for _, want := range []string{"Unable to record event", "Could not construct reference", "*v1.Secret", "Unsupported event type"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, &logged)
		}
	}
	if strings.Contains(logged.String(), "hunter2") {
		t.Errorf("a secret is in the log:\n%s", &logged)
	}
}

func TestEventIsLoggedAndWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBroadcaster(nil)
		defer b.Shutdown()
		var logged bytes.Buffer
		stop, err := b.StartLogging(textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&logged))))
		if err != nil {
			t.Fatal(err)
		}
		var notes []string
		if _, err := b.StartEventWatcher(func(o runtime.Object) { notes = append(notes, o.(*eventsv1.Event).Note) }); err != nil {
			t.Fatal(err)
		}
		recorder := b.NewRecorder(nil, "example.com/tester")
		about := &corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: "ns", Name: "web"}
		recorder.Eventf(about, nil, "Normal", "Tested", "Testing", "a")
		synctest.Wait()
		stop()
		recorder.Eventf(about, nil, "Normal", "Tested", "Testing", "b")
		synctest.Wait()
		if got, want := logged.String(), `object="ns/web" kind="Pod" apiVersion="v1" type="Normal" reason="Tested" action="Testing" note="a"`; strings.Count(got, "Event occurred") != 1 || !strings.Contains(got, want) {
			t.Errorf("logged: %s", got)
		}
		if got := strings.Join(notes, " "); got != "a b" {
			t.Errorf("watched: %q", got)
		}
	})
}

func TestSelectorOfTheEventsAboutAnObject(t *testing.T) {
	deployment := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	for _, test := range []struct {
		version schema.GroupVersion
		kind    schema.GroupVersionKind
		name    string
		uid     string
		want    string
	}{
		{corev1.SchemeGroupVersion, deployment, "web", "1", "involvedObject.apiVersion=apps/v1,involvedObject.kind=Deployment,involvedObject.name=web,involvedObject.uid=1"},
		{eventsv1.SchemeGroupVersion, deployment, "web", "1", "regarding.apiVersion=apps/v1,regarding.kind=Deployment,regarding.name=web,regarding.uid=1"},
		{eventsv1beta1.SchemeGroupVersion, schema.GroupVersionKind{}, "web", "", "regarding.name=web"},
		{eventsv1.SchemeGroupVersion, schema.GroupVersionKind{}, "", "", ""},
		{schema.GroupVersion{Group: "events.k8s.io", Version: "v2"}, deployment, "web", "1", "an error"},
	} {
		got := "an error"
		if selector, err := GetFieldSelector(test.version, test.kind, test.name, types.UID(test.uid)); err == nil {
			got = selector.String()
		}
		if got != test.want {
			t.Errorf("selector for %v: %s, want %s", test.version, got, test.want)
		}
	}
}

func TestFakeRecorderSendsLines(t *testing.T) {
	fake := NewFakeRecorder(1)
	fake.WithLogger(textlogger.NewLogger(textlogger.NewConfig())).Eventf(web, nil, "Normal", "Tested", "Testing", "%d%%", 100)
	if got, want := <-fake.Events, "Normal Tested 100%"; got != want {
		t.Errorf("the line is %q, want %q", got, want)
	}
	(&FakeRecorder{}).Eventf(web, nil, "Normal", "Dropped", "Testing", "")
}
