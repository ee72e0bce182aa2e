package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgofeaturegate "k8s.io/client-go/features"
	"k8s.io/klog/v2"
)

// leastResyncPeriod is how often resyncs are checked at most.
const leastResyncPeriod = time.Second

var errStarted = errors.New("informer has already started")

func newSharedIndexInformer(lw ListerWatcher, example runtime.Object, options SharedIndexInformerOptions) *sharedIndexInformer {
	return &sharedIndexInformer{
		source:  lw,
		example: example,
		options: options,
		indexer: NewIndexer(DeletionHandlingMetaNamespaceKeyFunc, options.Indexers,
			WithStoreMetrics(options.Identifier, options.InformerMetricsProvider)),
		checkPeriod: options.ResyncPeriod,
		log:         newHandlerLog(),
		handlers:    map[*handlerRunner]bool{},
		synced:      make(chan struct{}),
		mutations:   NewCacheMutationDetector(fmt.Sprintf("%T", example)),
	}
}

type sharedIndexInformer struct {
	source  ListerWatcher
	example runtime.Object
	options SharedIndexInformerOptions
	indexer Indexer
	log     *handlerLog
	synced  chan struct{} // closed when all of the first list is in the store
	running sync.WaitGroup

	mutations MutationDetector

	// changing is held while the store and the log are changed together, and
	// to find the two in the same state. It is taken before mu.
	changing  sync.Mutex
	told      bool // the log has it that all of the first list is in it
	round     *resyncRound
	unlimited int // how many entries the log got since limits were checked

	mu           sync.Mutex
	started      bool
	stopped      bool
	controller   Controller // once it is started
	handlers     map[*handlerRunner]bool
	checkPeriod  time.Duration
	transform    TransformFunc
	onWatchError WatchErrorHandlerWithContext
}

var _ SharedIndexInformer = &sharedIndexInformer{}

func (s *sharedIndexInformer) Run(stopCh <-chan struct{}) {
	s.RunWithContext(wait.ContextForChannel(stopCh))
}

func (s *sharedIndexInformer) RunWithContext(ctx context.Context) {
	controller, checker := s.start(ctx)
	if controller == nil {
		return
	}
	helping, stopHelping := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	helpers.Go(func() { s.mutations.Run(helping.Done()) })
	helpers.Go(func() {
		select {
		case <-checker.Done():
			s.tellSynced()
		case <-helping.Done():
		}
	})
	defer stopHelping()
	defer s.setStopped() // a panic must get out, and waits for nobody
	controller.RunWithContext(ctx)
	s.setStopped()
	stopHelping()
	helpers.Wait()
	s.stopHandlers()
	s.running.Wait()
}

// start returns nil if the informer was started before.
func (s *sharedIndexInformer) start(ctx context.Context) (Controller, DoneChecker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		klog.FromContext(ctx).Info("Warning: the informer was started before, and cannot be started again", "type", fmt.Sprintf("%T", s.example))
		return nil, nil
	}
	s.started = true
	logger := klog.FromContext(ctx)
	queue := newInformerQueue(s.indexer, InformerOptions{
		Logger:                  &logger,
		Transform:               s.transform,
		Identifier:              s.options.Identifier,
		InformerMetricsProvider: s.options.InformerMetricsProvider,
	})
	p := processor{store: s.indexer, keyFunc: DeletionHandlingMetaNamespaceKeyFunc, tell: s.tell}
	s.controller = New(&Config{
		Queue:             queue,
		ListerWatcher:     s.source,
		ObjectType:        s.example,
		ObjectDescription: s.options.ObjectDescription,
		FullResyncPeriod:  s.checkPeriod,
		ShouldResync:      s.shouldResync,
		Process: func(obj any, isInInitialList bool) error {
			return s.change(func() error { return p.process(obj, isInInitialList) })
		},
		ProcessBatch: func(deltas []Delta, isInInitialList bool) error {
			return s.change(func() error { return p.batch(deltas, isInInitialList) })
		},
		WatchErrorHandlerWithContext: s.onWatchError,
	})
	for h := range s.handlers {
		s.running.Go(h.run)
	}
	return s.controller, queue.HasSyncedChecker()
}

// change has f change the store and tell of it.
func (s *sharedIndexInformer) change(f func() error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	defer s.flush()
	return f()
}

// checkLimits is after how many notifications it is checked which handlers are too
// slow.
const checkLimits = 256

func (s *sharedIndexInformer) flush() {
	s.log.flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.handlers {
		h.observe()
	}
	if s.unlimited < checkLimits {
		return
	}
	s.unlimited = 0
	objects := len(s.indexer.ListKeys())
	for h := range s.handlers {
		h.limit(objects)
	}
}

// tell has the handlers be told. Those that are not resynced want to see no update
// that changes nothing.
func (s *sharedIndexInformer) tell(n notification) {
	var only *resyncRound
	if n.changesNothing() {
		if only = s.round; only == nil || len(only.members) == 0 {
			return
		}
	} else {
		s.mutations.AddObject(n.obj)
	}
	s.unlimited++
	s.log.append(n, only)
}

// tellSynced has handlers know that there is nothing more in the first list.
func (s *sharedIndexInformer) tellSynced() {
	s.changing.Lock()
	defer s.changing.Unlock()
	close(s.synced)
	s.told = true
	s.log.append(notification{kind: syncedNotification}, nil)
	s.log.flush()
}

func (s *sharedIndexInformer) setStopped() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}

func (s *sharedIndexInformer) stopHandlers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.handlers {
		h.stop()
	}
}

func (s *sharedIndexInformer) IsStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

func (s *sharedIndexInformer) HasSynced() bool { return IsDone(s.HasSyncedChecker()) }

func (s *sharedIndexInformer) HasSyncedChecker() DoneChecker {
	return informerChecker{s}
}

type informerChecker struct{ *sharedIndexInformer }

func (c informerChecker) Name() string          { return fmt.Sprintf("SharedIndexInformer %T", c.example) }
func (c informerChecker) Done() <-chan struct{} { return c.synced }

func (s *sharedIndexInformer) LastSyncResourceVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.controller == nil {
		return ""
	}
	return s.controller.LastSyncResourceVersion()
}

func (s *sharedIndexInformer) GetStore() Store { return s.indexer }

func (s *sharedIndexInformer) GetIndexer() Indexer { return s.indexer }

func (s *sharedIndexInformer) AddIndexers(indexers Indexers) error {
	if s.IsStopped() {
		return errors.New("indexer was not added because the informer has stopped already")
	}
	return s.indexer.AddIndexers(indexers)
}

func (s *sharedIndexInformer) SetWatchErrorHandler(handler WatchErrorHandler) error {
	return s.SetWatchErrorHandlerWithContext(func(_ context.Context, r *Reflector, err error) { handler(r, err) })
}

func (s *sharedIndexInformer) SetWatchErrorHandlerWithContext(handler WatchErrorHandlerWithContext) error {
	return s.configure(func() { s.onWatchError = handler })
}

func (s *sharedIndexInformer) SetTransform(handler TransformFunc) error {
	return s.configure(func() { s.transform = handler })
}

// configure changes what cannot be changed after the start.
func (s *sharedIndexInformer) configure(f func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return errStarted
	}
	f()
	return nil
}

// GetController returns something that cannot be run.
func (s *sharedIndexInformer) GetController() Controller { return placeholder{s} }

// placeholderVersion is "" unless a feature says otherwise, as it was for long.
func (s *sharedIndexInformer) placeholderVersion() string {
	if !clientgofeaturegate.FeatureGates().Enabled(clientgofeaturegate.InformerResourceVersion) {
		return ""
	}
	return s.LastSyncResourceVersion()
}

// A placeholder is the Controller of an informer that has none to show.
type placeholder struct{ informer *sharedIndexInformer }

func (placeholder) RunWithContext(context.Context)    {}
func (placeholder) Run(<-chan struct{})               {}
func (p placeholder) HasSynced() bool                 { return p.informer.HasSynced() }
func (p placeholder) HasSyncedChecker() DoneChecker   { return p.informer.HasSyncedChecker() }
func (p placeholder) LastSyncResourceVersion() string { return p.informer.placeholderVersion() }
