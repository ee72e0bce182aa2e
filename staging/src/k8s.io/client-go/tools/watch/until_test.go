package watch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
)

func named(name string) toolswatch.ConditionFunc {
	return func(event watch.Event) (bool, error) {
		return event.Object.(*corev1.Pod).Name == name, nil
	}
}

func always(watch.Event) (bool, error) { return true, nil }

func never(watch.Event) (bool, error) { return false, nil }

var errBad = errors.New("bad")

func bad(watch.Event) (bool, error) { return false, errBad }

func TestUntilWithoutRetry(t *testing.T) {
	for name, c := range map[string]struct {
		conditions []toolswatch.ConditionFunc
		open       bool
		last       string // "" for none
		err        error
	}{
		"the condition is met":                 {conditions: []toolswatch.ConditionFunc{named("b")}, last: "b"},
		"conditions are met one after another": {conditions: []toolswatch.ConditionFunc{named("a"), named("c")}, last: "c"},
		"one event meets all that are left":    {conditions: []toolswatch.ConditionFunc{named("b"), named("b"), always}, last: "b"},
		"it meets one, and another fails":      {conditions: []toolswatch.ConditionFunc{named("b"), bad}, last: "b", err: errBad},
		"none is asked about earlier events":   {conditions: []toolswatch.ConditionFunc{named("b"), named("a")}, last: "c", err: toolswatch.ErrWatchClosed},
		"one event, and nothing comes after":   {conditions: []toolswatch.ConditionFunc{named("c"), always}, open: true, last: "c"},
		"there are none":                       {},
		"it fails":                             {conditions: []toolswatch.ConditionFunc{bad}, last: "a", err: errBad},
		"the watch ends":                       {conditions: []toolswatch.ConditionFunc{never}, last: "c", err: toolswatch.ErrWatchClosed},
		"the context ends":                     {conditions: []toolswatch.ConditionFunc{never}, open: true, last: "c", err: errors.New("timed out waiting for the condition")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				w := watch.NewFakeWithChanSize(3, false)
				for _, name := range []string{"a", "b", "c"} {
					w.Add(pod(name, "1"))
				}
				if !c.open {
					w.Stop()
				}
				event, err := toolswatch.UntilWithoutRetry(ctx, w, c.conditions...)
				last := ""
				if event != nil {
					last = event.Object.(*corev1.Pod).Name
				}
				if last != c.last || (err == nil) != (c.err == nil) || err != nil && err.Error() != c.err.Error() {
					t.Errorf("got %q, %v, want %q, %v", last, err, c.last, c.err)
				}
				if c.open && err != nil && !wait.Interrupted(err) {
					t.Errorf("%v is not a timeout", err)
				}
				if !w.IsStopped() {
					t.Error("the watch is not stopped")
				}
			})
		})
	}
}

func TestUntilGoesOnFromOneWatchToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{turns: []turn{{events: []watch.Event{added("a", "5")}}, {err: errBad}, {events: []watch.Event{added("b", "6")}}}, start: time.Now()}
		lw := &cache.ListWatch{WatchFuncWithContext: s.WatchWithContext}
		event, err := toolswatch.Until(t.Context(), "1", lw, named("a"), named("b"))
		if err != nil || event.Object.(*corev1.Pod).Name != "b" {
			t.Errorf("got %v, %v", event, err)
		}
		if _, err := toolswatch.Until(t.Context(), "0", lw, never); err == nil {
			t.Error("began at any version")
		}
	})
}

// listing returns what lists a pod and then follows the script.
func listing(s *script) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			return &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "5"}, Items: []corev1.Pod{*pod("a", "5")}}, nil
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			if options.SendInitialEvents != nil {
				return nil, apierrors.NewBadRequest("no streams here")
			}
			return s.WatchWithContext(ctx, options)
		},
	}
}

func TestUntilWithSync(t *testing.T) {
	isThere := func(met bool, err error) toolswatch.PreconditionFunc {
		return func(store cache.Store) (bool, error) {
			if len(store.List()) == 0 {
				return false, errors.New("the store is not filled")
			}
			return met, err
		}
	}
	for name, c := range map[string]struct {
		precondition toolswatch.PreconditionFunc
		conditions   []toolswatch.ConditionFunc
		last         string
		err          error
	}{
		"sees what is there": {conditions: []toolswatch.ConditionFunc{named("a")}, last: "a"},
		"and what comes":     {conditions: []toolswatch.ConditionFunc{named("b")}, last: "b"},
		"need not wait":      {precondition: isThere(true, nil), conditions: []toolswatch.ConditionFunc{never}},
		"has to wait":        {precondition: isThere(false, nil), conditions: []toolswatch.ConditionFunc{named("b")}, last: "b"},
		"cannot wait":        {precondition: isThere(false, errBad), conditions: []toolswatch.ConditionFunc{never}, err: errBad},
		"survives what Until does not, an expiry": {conditions: []toolswatch.ConditionFunc{named("c")}, last: "c"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{start: time.Now(), turns: []turn{
					{events: []watch.Event{added("b", "6"), status(apierrors.NewResourceExpired("x"))}},
					{events: []watch.Event{added("c", "7")}, lasts: true},
				}}
				event, err := toolswatch.UntilWithSync(t.Context(), listing(s), &corev1.Pod{}, c.precondition, c.conditions...)
				last := ""
				if event != nil {
					last = event.Object.(*corev1.Pod).Name
				}
				if last != c.last || !errors.Is(err, c.err) {
					t.Errorf("got %q, %v, want %q, %v", last, err, c.last, c.err)
				}
			})
		})
	}
}

func TestUntilWithSyncFailsIfThereIsNoSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		lw := &cache.ListWatch{
			ListWithContextFunc:  func(context.Context, metav1.ListOptions) (runtime.Object, error) { return nil, errBad },
			WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return nil, errBad },
		}
		_, err := toolswatch.UntilWithSync(ctx, lw, &corev1.Pod{}, func(cache.Store) (bool, error) { return true, nil }, never)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v", err)
		}
		// The informer may be asleep in a global error handler that knows the real
		// time, which is decades ahead.
		time.Sleep(100 * 365 * 24 * time.Hour)
	})
}

// A list that does not listen to its context keeps nobody waiting.
func TestUntilWithSyncEndsThoughAListDoesNot(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	lw := &cache.ListWatch{
		ListWithContextFunc:  func(context.Context, metav1.ListOptions) (runtime.Object, error) { <-release; return nil, errBad },
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { <-release; return nil, errBad },
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := toolswatch.UntilWithSync(ctx, lw, &corev1.Pod{}, nil, never); !wait.Interrupted(err) {
		t.Errorf("got error %v", err)
	}
}

func TestInformerWatcherKeepsWhatIsNotReadYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []watch.Event
		for range 500 {
			events = append(events, watch.Event{Type: watch.Modified, Object: pod("a", "6")})
		}
		events = append(events, watch.Event{Type: watch.Deleted, Object: pod("a", "7")})
		store, controller, w, done := toolswatch.NewIndexerInformerWatcher(listing(&script{turns: []turn{{events: events, lasts: true}}}), &corev1.Pod{})
		synctest.Wait()
		if !controller.HasSynced() || len(store.List()) != 0 {
			t.Errorf("synced: %t, the store has %d", controller.HasSynced(), len(store.List()))
		}
		got, _ := read(w)
		if len(got) != 502 || got[0] != "ADDED a@5" || got[501] != "DELETED a@7" {
			t.Errorf("%d events, from %q", len(got), got[:min(1, len(got))])
		}
		w.Stop()
		<-done
		if _, open := <-w.ResultChan(); open {
			t.Error("there is an event after the end")
		}
	})
}

func TestTimeoutIsOptional(t *testing.T) {
	for timeout, want := range map[time.Duration]bool{0: false, -1: false, time.Hour: true} {
		ctx, cancel := toolswatch.ContextWithOptionalTimeout(t.Context(), timeout)
		if _, has := ctx.Deadline(); has != want {
			t.Errorf("timeout %v has a deadline: %t", timeout, has)
		}
		cancel()
	}
}
