package cache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
)

var realClock = clock.RealClock{}

// surviveCrashes makes the crash handler log and go on, for one test.
func surviveCrashes(t *testing.T) {
	really := utilruntime.ReallyCrash
	utilruntime.ReallyCrash = false
	t.Cleanup(func() { utilruntime.ReallyCrash = really })
}

type activity struct{ done chan struct{} }

func (a activity) Name() string          { return "activity" }
func (a activity) Done() <-chan struct{} { return a.done }

func TestWaitForReturnsAtOnceWhenAllIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := activity{make(chan struct{})}, activity{make(chan struct{})}
		time.AfterFunc(time.Second, func() { close(b.done) })
		time.AfterFunc(3*time.Second, func() { close(a.done) })
		start := time.Now()
		if !cache.WaitFor(t.Context(), "two", a, b) || time.Since(start) != 3*time.Second {
			t.Errorf("waited for %v", time.Since(start))
		}
		if !cache.IsDone(a) {
			t.Error("it is not done after all")
		}
	})
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	done := activity{make(chan struct{})}
	close(done.done)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if cache.WaitFor(ctx, "", done, activity{make(chan struct{})}) {
			t.Error("what never ends is done")
		}
		if !cache.WaitFor(ctx, "", done) {
			t.Error("what is done is not, because the context has ended")
		}
	})
}

func TestWaitForCacheSyncPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		after := func(d time.Duration) cache.InformerSynced {
			return func() bool { return time.Since(start) >= d }
		}
		if !cache.WaitForCacheSync(t.Context().Done(), after(0), after(3*time.Second), after(time.Second)) {
			t.Error("did not sync")
		}
		if waited := time.Since(start); waited < 3*time.Second || waited > 4*time.Second {
			t.Errorf("waited for %v", waited)
		}
		if !cache.WaitForNamedCacheSync("test", t.Context().Done(), after(0)) {
			t.Error("did not sync by name")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if cache.WaitForNamedCacheSyncWithContext(ctx, after(time.Hour)) {
			t.Error("synced though the context ended")
		}
	})
}
