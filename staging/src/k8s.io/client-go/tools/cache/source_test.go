package cache_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPod(namespace, name, version string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, ResourceVersion: version}}
}

// A source is an API of pods in one namespace, with resource versions, watches and
// failures on demand.
type source struct {
	// noStreams has it refuse streams as old servers do.
	noStreams bool

	mu       sync.Mutex
	version  int
	oldest   int // the first version that it still knows
	pods     map[string]*corev1.Pod
	log      []logged
	watchers map[*sourceWatch]bool
	failures []error // of the next requests
	requests []string
}

type logged struct {
	version int
	event   watch.Event
}

func newSource(names ...string) *source {
	s := &source{pods: map[string]*corev1.Pod{}, watchers: map[*sourceWatch]bool{}}
	for _, name := range names {
		s.set(name)
	}
	return s
}

// set adds or updates a pod.
func (s *source) set(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := watch.Modified
	if s.pods[name] == nil {
		kind = watch.Added
	}
	s.version++
	s.pods[name] = newPod("ns", name, strconv.Itoa(s.version))
	s.tell(kind, s.pods[name])
}

func (s *source) delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	delete(s.pods, name)
	s.tell(watch.Deleted, newPod("ns", name, strconv.Itoa(s.version)))
}

func (s *source) bookmark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.tell(watch.Bookmark, newPod("", "", strconv.Itoa(s.version)))
}

func (s *source) tell(kind watch.EventType, pod *corev1.Pod) {
	event := watch.Event{Type: kind, Object: pod}
	s.log = append(s.log, logged{s.version, event})
	for w := range s.watchers {
		w.events <- event
	}
}

// endWatches ends all watches, after an error if there is one.
func (s *source) endWatches(status *metav1.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		if status != nil {
			w.events <- watch.Event{Type: watch.Error, Object: status}
		}
		close(w.events)
	}
	clear(s.watchers)
}

// forget has the server no longer know the versions before this one.
func (s *source) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldest = s.version
}

// fail has the next requests fail.
func (s *source) fail(errs ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, errs...)
}

// asked returns the requests so far, and forgets them.
func (s *source) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

func (s *source) failure() error {
	if len(s.failures) == 0 {
		return nil
	}
	err := s.failures[0]
	s.failures = s.failures[1:]
	return err
}

func (s *source) tooOld(version string) error {
	if v, _ := strconv.Atoi(version); version != "" && version != "0" && v < s.oldest {
		return apierrors.NewResourceExpired("too old resource version")
	}
	return nil
}

func (s *source) List(options metav1.ListOptions) (runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, "list "+options.ResourceVersion)
	if err := s.failure(); err != nil {
		return nil, err
	}
	if err := s.tooOld(options.ResourceVersion); err != nil {
		return nil, err
	}
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(s.version)}}
	for _, name := range slices.Sorted(maps.Keys(s.pods)) {
		list.Items = append(list.Items, *s.pods[name])
	}
	return list, nil
}

func (s *source) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return s.WatchWithContext(context.Background(), options)
}

func (s *source) ListWithContext(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
	return s.List(options)
}

func (s *source) WatchWithContext(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stream := options.SendInitialEvents != nil && *options.SendInitialEvents
	verb := "watch"
	if stream {
		verb = "stream"
	}
	s.requests = append(s.requests, fmt.Sprintf("%s %s", verb, options.ResourceVersion))
	if stream && s.noStreams {
		return nil, apierrors.NewBadRequest("sendInitialEvents is forbidden")
	}
	if err := s.failure(); err != nil {
		return nil, err
	}
	if err := s.tooOld(options.ResourceVersion); err != nil {
		return nil, err
	}
	w := &sourceWatch{source: s, events: make(chan watch.Event, 100)}
	s.watchers[w] = true
	if stream {
		for _, name := range slices.Sorted(maps.Keys(s.pods)) {
			w.events <- watch.Event{Type: watch.Added, Object: s.pods[name]}
		}
		end := newPod("", "", strconv.Itoa(s.version))
		end.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: "true"}
		w.events <- watch.Event{Type: watch.Bookmark, Object: end}
		return w, nil
	}
	since, _ := strconv.Atoi(options.ResourceVersion)
	for _, l := range s.log {
		if l.version > since {
			w.events <- l.event
		}
	}
	return w, nil
}

type sourceWatch struct {
	source *source
	events chan watch.Event
}

func (w *sourceWatch) ResultChan() <-chan watch.Event { return w.events }

func (w *sourceWatch) Stop() {
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	if w.source.watchers[w] {
		delete(w.source.watchers, w)
		close(w.events)
	}
}
