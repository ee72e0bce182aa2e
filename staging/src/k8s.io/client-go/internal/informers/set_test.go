package informers_test

import (
	"context"
	"errors"
	"maps"
	"testing"

	"go.uber.org/goleak"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/informers"
	"k8s.io/client-go/tools/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pods is a client for some pods, which never change. Lists fail with err.
type pods struct {
	items []corev1.Pod
	err   error
	seen  chan metav1.ListOptions
}

func (p pods) List(ctx context.Context, opts metav1.ListOptions) (*corev1.PodList, error) {
	if p.seen != nil {
		p.seen <- opts
	}
	return &corev1.PodList{Items: p.items}, p.err
}

func (p pods) Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	return watch.NewFake(), p.err
}

func (pods) IsWatchListSemanticsUnSupported() bool { return true }

func informer(client pods, tweak func(*metav1.ListOptions)) cache.SharedIndexInformer {
	source := informers.Source(func() informers.Client[*corev1.PodList] { return client }, tweak, client)
	return cache.NewSharedIndexInformerWithOptions(source, &corev1.Pod{}, cache.SharedIndexInformerOptions{})
}

func TestAnInformerIsMadeOnceAndStartedOnce(t *testing.T) {
	var set informers.Set[string]
	ctx, cancel := context.WithCancel(t.Context())
	made := 0
	get := func() cache.SharedIndexInformer {
		return set.Get("a", func() cache.SharedIndexInformer {
			made++
			return informer(pods{items: make([]corev1.Pod, 1)}, nil)
		})
	}
	first := get()
	for range 2 {
		set.Start(ctx)
		synced, err := set.WaitForSync(ctx)
		if want := (map[string]bool{"a": true}); err != nil || !maps.Equal(synced, want) {
			t.Errorf("synced: %v, %v; want %v", synced, err, want)
		}
		if get() != first || made != 1 {
			t.Errorf("made %d informers", made)
		}
	}
	cancel()
	set.Shutdown()
	if !first.IsStopped() {
		t.Error("it runs after Shutdown")
	}
}

func TestWhatIsAskedForLaterIsStartedByTheNextStart(t *testing.T) {
	var set informers.Set[string]
	ctx, cancel := context.WithCancel(t.Context())
	defer set.Shutdown()
	defer cancel()
	get := func(key string) { set.Get(key, func() cache.SharedIndexInformer { return informer(pods{}, nil) }) }
	get("a")
	set.Start(ctx)
	get("b")
	if synced, err := set.WaitForSync(ctx); err != nil || !maps.Equal(synced, map[string]bool{"a": true}) {
		t.Errorf("before: %v, %v", synced, err)
	}
	set.Start(ctx)
	if synced, err := set.WaitForSync(ctx); err != nil || !maps.Equal(synced, map[string]bool{"a": true, "b": true}) {
		t.Errorf("after: %v, %v", synced, err)
	}
}

func TestNothingStartsAfterShutdown(t *testing.T) {
	var set informers.Set[string]
	set.Get("a", func() cache.SharedIndexInformer { return informer(pods{}, nil) })
	set.Shutdown()
	set.Start(t.Context())
	if synced, err := set.WaitForSync(t.Context()); err != nil || len(synced) > 0 {
		t.Errorf("synced: %v, %v", synced, err)
	}
}

func TestWaitingTellsWhyItEnded(t *testing.T) {
	var set informers.Set[string]
	ctx, cancel := context.WithCancelCause(t.Context())
	defer set.Shutdown()
	seen := make(chan metav1.ListOptions, 100)
	set.Get("a", func() cache.SharedIndexInformer { return informer(pods{err: errors.New("no"), seen: seen}, nil) })
	set.Start(ctx)
	<-seen
	enough := errors.New("enough")
	cancel(enough)
	synced, err := set.WaitForSync(ctx)
	if !errors.Is(err, enough) || !maps.Equal(synced, map[string]bool{"a": false}) {
		t.Errorf("synced: %v, %v", synced, err)
	}
}

func TestOptionsCanBeChanged(t *testing.T) {
	seen := make(chan metav1.ListOptions, 100)
	running := informer(pods{seen: seen}, func(o *metav1.ListOptions) { o.LabelSelector = "app=web" })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		running.RunWithContext(ctx)
	}()
	if options := <-seen; options.LabelSelector != "app=web" {
		t.Errorf("listed with %v", options)
	}
	cancel()
	<-done
}
