package synctrack_test

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/cache/synctrack"
)

var (
	_ cache.DoneChecker = &synctrack.AsyncTracker[string]{}
	_ cache.DoneChecker = &synctrack.SingleFileTracker{}
)

func TestAnAsyncTrackerIsDoneWhenTheLastKeyIs(t *testing.T) {
	for _, upstreamFirst := range []bool{true, false} {
		tracker := synctrack.NewAsyncTracker[int]("x")
		for key := range 100 {
			tracker.Start(key)
		}
		if upstreamFirst {
			tracker.UpstreamHasSynced()
		}
		tracker.Finished(1000)
		var workers sync.WaitGroup
		for key := range 99 {
			workers.Go(func() { tracker.Finished(key) })
		}
		workers.Wait()
		if tracker.HasSynced() {
			t.Error("done before the last key")
		}
		tracker.Finished(99)
		tracker.UpstreamHasSynced()
		<-tracker.Done()
		if !tracker.HasSynced() || tracker.Name() != "x" {
			t.Error("not done after the last key")
		}
		tracker.Start(1) // too late to matter
		if !tracker.HasSynced() {
			t.Error("done no longer")
		}
	}
}

func TestASingleFileTrackerIsDoneWhenAllAre(t *testing.T) {
	tracker := synctrack.NewSingleFileTracker("x")
	tracker.Start()
	tracker.Start()
	tracker.Finished()
	tracker.UpstreamHasSynced()
	if tracker.HasSynced() {
		t.Error("done before the last one")
	}
	tracker.Finished()
	<-tracker.Done()
	defer func() {
		if recover() == nil {
			t.Error("it finished more than was started")
		}
	}()
	tracker.Finished()
}

func TestALazyValueIsComputedOnceUntilSomethingChanges(t *testing.T) {
	var computed atomic.Int64
	lazy := synctrack.Lazy[string]{Evaluate: func() (string, error) {
		return strconv.FormatInt(computed.Add(1), 10), nil
	}}
	for _, want := range []string{"1", "2", "3"} {
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() {
				if got, err := lazy.Get(); got != want || err != nil {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			})
		}
		readers.Wait()
		lazy.Notify()
	}
}

func TestAnErrorIsNotKept(t *testing.T) {
	fail := errors.New("x")
	lazy := synctrack.Lazy[int]{Evaluate: func() (int, error) { return 1, fail }}
	if _, err := lazy.Get(); err == nil {
		t.Error("no error")
	}
	fail = nil
	if _, err := lazy.Get(); err != nil {
		t.Error(err)
	}
}

func TestAValueThatIsOutdatedWhileItIsComputedIsNotKept(t *testing.T) {
	var current atomic.Int64
	started, goOn := make(chan bool), make(chan bool)
	lazy := synctrack.Lazy[int64]{}
	lazy.Evaluate = func() (int64, error) {
		value := current.Load()
		if value == 0 {
			started <- true
			<-goOn
		}
		return value, nil
	}
	var slow sync.WaitGroup
	slow.Go(func() {
		if got, err := lazy.Get(); got != 0 || err != nil {
			t.Errorf("the slow one got %d, %v", got, err)
		}
	})
	<-started
	current.Store(1)
	lazy.Notify()
	if got, err := lazy.Get(); got != 1 || err != nil {
		t.Errorf("got %d, %v after the change", got, err)
	}
	goOn <- true
	slow.Wait()
	if got, err := lazy.Get(); got != 1 || err != nil {
		t.Errorf("got %d, %v at the end", got, err)
	}
}
