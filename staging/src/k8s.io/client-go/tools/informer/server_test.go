package informer_test

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
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/informer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server has pods, and one watch at a time.
type server struct {
	mu      sync.Mutex
	version int
	pods    map[string]*corev1.Pod
	log     []watch.Event // the versions of their objects count from oldest
	oldest  int           // what watches can begin after
	events  *watch.FakeWatcher
	lists   []metav1.ListOptions
}

func newServer(names ...string) *server {
	s := &server{pods: map[string]*corev1.Pod{}}
	for _, name := range names {
		s.set(name)
	}
	return s
}

func (*server) IsWatchListSemanticsUnSupported() bool { return true }

func (s *server) List(_ context.Context, options metav1.ListOptions) (*corev1.PodList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists = append(s.lists, options)
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(s.version)}}
	for _, name := range slices.Sorted(maps.Keys(s.pods)) {
		list.Items = append(list.Items, *s.pods[name].DeepCopy())
	}
	return list, nil
}

func (s *server) Watch(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, err := strconv.Atoi(options.ResourceVersion)
	if err != nil || since < s.oldest {
		return nil, apierrors.NewResourceExpired("too old")
	}
	s.events = watch.NewFakeWithChanSize(100_000, false)
	for _, event := range s.log[since-s.oldest:] {
		s.events.Action(event.Type, event.Object)
	}
	return s.events, nil
}

// set adds or updates a pod.
func (s *server) set(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	pod := s.pods[name].DeepCopy()
	kind := watch.Modified
	if pod == nil {
		kind = watch.Added
		pod = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(fmt.Sprint(name, s.version))}}
	}
	pod.Labels = map[string]string{"version": strconv.Itoa(s.version)}
	pod.ResourceVersion = strconv.Itoa(s.version)
	s.pods[name] = pod
	s.tell(kind, pod)
}

func (s *server) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	pod := s.pods[name].DeepCopy()
	pod.ResourceVersion = strconv.Itoa(s.version)
	delete(s.pods, name)
	s.tell(watch.Deleted, pod)
}

func (s *server) tell(kind watch.EventType, pod *corev1.Pod) {
	s.log = append(s.log, watch.Event{Type: kind, Object: pod})
	if s.events != nil {
		s.events.Action(kind, pod)
	}
}

// cut ends the watch. What happens in between is in no watch.
func (s *server) cut(between func()) {
	s.mu.Lock()
	events := s.events
	s.events = nil
	s.mu.Unlock()
	between()
	s.mu.Lock()
	s.log, s.oldest = nil, s.version
	s.mu.Unlock()
	events.Stop()
}

// versions are what the server has, as told by name and version.
func (s *server) versions() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := map[string]string{}
	for name, pod := range s.pods {
		versions[name] = pod.ResourceVersion
	}
	return versions
}

// run runs an informer until the test ends, and waits until it has what is there.
func run(t *testing.T, i *informer.Informer[*corev1.Pod]) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	if !cache.WaitFor(ctx, "", i.HasSyncedChecker()) {
		t.Fatal(context.Cause(ctx))
	}
}

// A recorder checks that what it is told makes sense, and keeps what is there according
// to that.
type recorder struct {
	t    *testing.T
	told chan string

	mu    sync.Mutex
	known map[string]*corev1.Pod
}

func newRecorder(t *testing.T) *recorder {
	return &recorder{t: t, known: map[string]*corev1.Pod{}, told: make(chan string, 100_000)}
}

func (r *recorder) record(what string, old, now *corev1.Pod, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[name] != old && what != "delete" {
		r.t.Errorf("%s of %s from another state than the one that was told before", what, name)
	}
	if now == nil {
		delete(r.known, name)
	} else {
		r.known[name] = now
	}
	r.told <- what + " " + name
}

func (r *recorder) OnAdd(pod *corev1.Pod, _ bool) { r.record("add", nil, pod, pod.Name) }
func (r *recorder) OnUpdate(old, pod *corev1.Pod) { r.record("update", old, pod, pod.Name) }
func (r *recorder) OnDelete(pod *corev1.Pod)      { r.record("delete", nil, nil, pod.Name) }
func (r *recorder) expect(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := <-r.told; got != w {
			r.t.Errorf("told %q, want %q", got, w)
		}
	}
}

func (r *recorder) versions() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	versions := map[string]string{}
	for name, pod := range r.known {
		versions[name] = pod.ResourceVersion
	}
	return versions
}
