package watch

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// NewIndexerInformerWatcher is [NewIndexerInformerWatcherWithLogger] with klog's
// logger.
func NewIndexerInformerWatcher(lw cache.ListerWatcher, objType runtime.Object) (cache.Indexer, cache.Controller, watch.Interface, <-chan struct{}) {
	return NewIndexerInformerWatcherWithLogger(klog.Background(), lw, objType)
}

// NewIndexerInformerWatcherWithLogger starts an informer for lw and returns its
// store, its controller, and what happens to the store as a watch: an addition for
// every object that there is, and then the changes. objType is an example of the
// objects.
//
// The watch goes on until it is stopped. The channel is closed when nothing of the
// informer runs any more. Events that are not read yet are kept, however many.
func NewIndexerInformerWatcherWithLogger(logger klog.Logger, lw cache.ListerWatcher, objType runtime.Object) (cache.Indexer, cache.Controller, watch.Interface, <-chan struct{}) {
	events := make(chan watch.Event)
	watcher := watch.NewProxyWatcher(events)
	backlog := newBacklog()
	add := func(kind watch.EventType, obj any) {
		if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = tombstone.Obj // which is the best there is
		}
		if object, ok := obj.(runtime.Object); ok {
			backlog.add(watch.Event{Type: kind, Object: object})
		}
	}
	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		Logger:        &logger,
		ListerWatcher: lw,
		ObjectType:    objType,
		Indexers:      cache.Indexers{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { add(watch.Added, obj) },
			UpdateFunc: func(_, obj any) { add(watch.Modified, obj) },
			DeleteFunc: func(obj any) { add(watch.Deleted, obj) },
		},
	})

	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logger))
	var running sync.WaitGroup
	running.Go(func() {
		<-watcher.StopChan()
		cancel()
	})
	running.Go(func() { controller.RunWithContext(ctx) })
	running.Go(func() {
		defer close(events)
		backlog.send(ctx, events)
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		running.Wait()
	}()
	return store.(cache.Indexer), controller, watcher, done
}

// A backlog keeps events until somebody reads them. An informer cannot wait for
// that, or its store would fall behind.
type backlog struct {
	mu     sync.Mutex
	events []watch.Event
	more   chan struct{} // has one element if there may be events
}

func newBacklog() *backlog {
	return &backlog{more: make(chan struct{}, 1)}
}

func (b *backlog) add(event watch.Event) {
	b.mu.Lock()
	b.events = append(b.events, event)
	b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
}

func (b *backlog) take() []watch.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.events = nil
	return events
}

// send sends events as they come, until ctx ends.
func (b *backlog) send(ctx context.Context, to chan<- watch.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.more:
		}
		for _, event := range b.take() {
			select {
			case <-ctx.Done():
				return
			case to <- event:
			}
		}
	}
}
