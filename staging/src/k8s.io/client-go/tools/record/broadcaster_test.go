package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2/textlogger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a sink that notes what is asked of it, and fails as it is told.
type store struct {
	mu    sync.Mutex
	calls []string
	at    []time.Time
	fail  func(verb string, n int) error // n is 1 for the first call
}

func (s *store) answer(verb string, event *corev1.Event) (*corev1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf("%s %s %d", verb, event.Message, event.Count))
	s.at = append(s.at, time.Now())
	if s.fail != nil {
		if err := s.fail(verb, len(s.calls)); err != nil {
			return nil, err
		}
	}
	kept := event.DeepCopy()
	kept.ResourceVersion = fmt.Sprint(len(s.calls))
	return kept, nil
}

func (s *store) Create(event *corev1.Event) (*corev1.Event, error) {
	if event.ResourceVersion != "" {
		return nil, errors.New("a new event has no version")
	}
	return s.answer("create", event)
}
func (s *store) Update(event *corev1.Event) (*corev1.Event, error) { return s.answer("update", event) }
func (s *store) Patch(event *corev1.Event, patch []byte) (*corev1.Event, error) {
	if !bytes.HasPrefix(patch, []byte(fmt.Sprintf(`{"count":%d,`, event.Count))) {
		return nil, fmt.Errorf("patch %s for count %d", patch, event.Count)
	}
	return s.answer("patch", event)
}

func (s *store) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.calls, ", ")
}

func testScheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return scheme
}

var web = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "1"}}

func TestEventReachesAllWhoListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBroadcaster()
		defer b.Shutdown()
		sink := &store{}
		b.StartRecordingToSink(sink)
		var lines []string
		b.StartLogging(func(format string, args ...interface{}) { lines = append(lines, fmt.Sprintf(format, args...)) })
		var events []*corev1.Event
		stopped := b.StartEventWatcher(func(e *corev1.Event) { events = append(events, e) })

		recorder := b.NewRecorder(testScheme(t), corev1.EventSource{Component: "tester", Host: "node"})
		recorder.Event(web, "Normal", "Tested", "100% fine")
		recorder.Eventf(web, "Normal", "Tested", "%d%% fine", 100)
		synctest.Wait()
		stopped.Stop()
		recorder.AnnotatedEventf(web, map[string]string{"a": "b"}, "Warning", "Failed", "no. %d", 3)
		synctest.Wait()

		if got, want := sink.seen(), "create 100% fine 1, patch 100% fine 2, create no. 3 1"; got != want {
			t.Errorf("the sink was asked for %q, want %q", got, want)
		}
		if len(lines) != 3 || !strings.HasSuffix(lines[2], `type: 'Warning' reason: 'Failed' no. 3`) {
			t.Errorf("logged: %q", lines)
		}
		if len(events) != 2 {
			t.Fatalf("the watcher that was stopped after two events has seen %d", len(events))
		}
		first := events[0]
		if first.Count != 1 || first.Namespace != "ns" || !strings.HasPrefix(first.Name, "web.") || first.InvolvedObject.Kind != "Pod" ||
			first.ReportingController != "tester" || first.ReportingInstance != "node" {
			t.Errorf("the first event is %+v", first)
		}
	})
}

func TestSinkIsTriedAgainWhereThatMakesSense(t *testing.T) {
	weird := errors.New("connection refused")
	events := schema.GroupResource{Resource: "events"}
	terminating := apierrors.NewForbidden(events, "a", errors.New("namespace is going"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for _, test := range []struct {
		name  string
		err   error
		times int // it fails
		calls int
		least time.Duration // that it takes
		most  time.Duration
	}{
		{"not reached", weird, 1000, 12, 100 * time.Second, 110 * time.Second},
		{"not reached at first", weird, 2, 3, 10 * time.Second, 20 * time.Second},
		{"something else answered", &apierrors.UnexpectedObjectError{}, 1, 2, 0, 10 * time.Second},
		{"refused", apierrors.NewInvalid(schema.GroupKind{Kind: "Event"}, "a", nil), 1000, 1, 0, 0},
		{"there already", apierrors.NewAlreadyExists(events, "a"), 1000, 1, 0, 0},
		{"namespace is going", terminating, 1000, 1, 0, 0},
		{"refused, wrapped", fmt.Errorf("writing: %w", apierrors.NewForbidden(events, "a", weird)), 1000, 1, 0, 0},
		{"no request", &rest.RequestConstructionError{Err: weird}, 1000, 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &store{fail: func(_ string, n int) error {
					if n <= test.times {
						return test.err
					}
					return nil
				}}
				b := NewBroadcaster()
				defer b.Shutdown()
				b.StartRecordingToSink(sink)
				b.NewRecorder(testScheme(t), corev1.EventSource{}).Event(web, "Normal", "Tested", "a")
				time.Sleep(time.Hour)
				synctest.Wait()
				if len(sink.at) != test.calls {
					t.Fatalf("it was tried %d times, want %d", len(sink.at), test.calls)
				}
				if took := sink.at[len(sink.at)-1].Sub(sink.at[0]); took < test.least || took > test.most {
					t.Errorf("it took %v, want %v to %v", took, test.least, test.most)
				}
			})
		})
	}
}

func TestEventThatHasExpiredIsCreatedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &store{fail: func(verb string, n int) error {
			if verb == "patch" {
				return apierrors.NewNotFound(schema.GroupResource{Resource: "events"}, "a")
			}
			return nil
		}}
		b := NewBroadcaster()
		defer b.Shutdown()
		b.StartRecordingToSink(sink)
		recorder := b.NewRecorder(testScheme(t), corev1.EventSource{})
		recorder.Event(web, "Normal", "Tested", "a")
		recorder.Event(web, "Normal", "Tested", "a")
		synctest.Wait()
		if got, want := sink.seen(), "create a 1, patch a 2, create a 2"; got != want {
			t.Errorf("the sink was asked for %q, want %q", got, want)
		}
	})
}

func TestQueuedEventsAreTriedOnceAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(b EventBroadcaster, cancel func()){
		"Shutdown": func(b EventBroadcaster, _ func()) { b.Shutdown(); b.Shutdown() },
		"cancel":   func(_ EventBroadcaster, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				sink := &store{fail: func(string, int) error { return errors.New("not reached") }}
				b := NewBroadcaster(WithContext(ctx))
				b.StartRecordingToSink(sink)
				recorder := b.NewRecorder(testScheme(t), corev1.EventSource{})
				for _, message := range []string{"a", "b", "c"} {
					recorder.Event(web, "Normal", "Tested", message)
				}
				synctest.Wait() // a was tried, and waits
				end(b, cancel)
				synctest.Wait()
				if got, want := sink.seen(), "create a 1, create b 1, create c 1"; got != want {
					t.Errorf("the sink was asked for %q, want %q", got, want)
				}
				recorder.Event(web, "Normal", "Tested", "too late")
				if w := b.StartRecordingToSink(sink); w == nil {
					t.Error("a watch of a broadcaster that has ended is nil")
				} else {
					w.Stop()
				}
			})
		})
	}
}

func TestRecorderNeverWaits(t *testing.T) {
	release := make(chan struct{})
	b := NewBroadcaster()
	stopped := b.StartEventWatcher(func(*corev1.Event) { <-release })
	recorder := b.NewRecorder(testScheme(t), corev1.EventSource{})
	var logged bytes.Buffer
	recorder = recorder.WithLogger(textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&logged))))
	for range 4 * maxQueuedEvents {
		recorder.Event(web, "Normal", "Tested", "a") // a deadlock fails the test
	}
	close(release)
	stopped.Stop()
	b.Shutdown()
}

func TestWhatMakesNoEventIsLoggedWithoutTheObject(t *testing.T) {
	b := NewBroadcaster()
	defer b.Shutdown()
	var logged bytes.Buffer
	logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&logged)))
	recorder := b.NewRecorder(runtime.NewScheme(), corev1.EventSource{}).WithLogger(logger)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, StringData: map[string]string{"k": "hunter2"}}
	recorder.Event(secret, "Normal", "Tested", "a") // of a kind that is not known
	recorder.Event(&corev1.ObjectReference{Name: "s"}, "Bad", "Tested", "a")
	for _, want := range []string{"Could not construct reference", "*v1.Secret", "Unsupported event type"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, &logged)
		}
	}
	if strings.Contains(logged.String(), "hunter2") {
		t.Errorf("a secret is in the log:\n%s", &logged)
	}
}

func TestFakeRecorderSendsLines(t *testing.T) {
	fake := NewFakeRecorder(4)
	pod := web.DeepCopy()
	pod.APIVersion, pod.Kind = "v1", "Pod"
	fake.Event(pod, "Normal", "Tested", "100%")
	fake.WithLogger(textlogger.NewLogger(textlogger.NewConfig())).AnnotatedEventf(pod, map[string]string{"k": "v"}, "Warning", "Failed", "%d", 1)
	fake.IncludeObject = true
	fake.Eventf(pod, "Normal", "Tested", "a %s", "b")
	NewEventRecorderAdapter(fake).Eventf(pod, nil, "Normal", "Tested", "Testing", "note %d", 2)
	for _, want := range []string{
		"Normal Tested 100%",
		"Warning Failed 1 map[k:v]",
		"Normal Tested a b involvedObject{kind=Pod,apiVersion=v1}",
		"Normal Tested note 2 involvedObject{kind=Pod,apiVersion=v1}",
	} {
		if got := <-fake.Events; got != want {
			t.Errorf("the line is %q, want %q", got, want)
		}
	}
	(&FakeRecorder{}).Event(pod, "Normal", "Dropped", "")
}
