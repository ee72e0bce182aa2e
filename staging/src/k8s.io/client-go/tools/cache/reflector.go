package cache

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/naming"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgofeaturegate "k8s.io/client-go/features"
	"k8s.io/client-go/util/watchlist"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// A Reflector has a store follow what is in the API.
//
//	        ┌──────────────────────────────────────────────┐
//	        ▼                                              │ backoff
//	┌── stream or list ── error ──▶ WatchErrorHandler ──────┤
//	│       │                                              │
//	│       ▼ resource version                             │
//	│     watch ◀─┐                                        │
//	│       │     │ ended, server restarts, server is busy  │
//	│       ├─────┘                                        │
//	│       └── resource version expired, other errors ────┘
//	└─ context ended ─▶ return
//
// A stream is a watch that begins with all objects; where the server or the client
// cannot do that, there is a list, in pages. A watch that ends goes on from where
// it was, without another list.
type Reflector struct {
	// WatchListPageSize is how many objects to list at a time. If it is zero,
	// that is the pager's default where pages do no harm: for a list that may
	// be of any age, servers ignore it and answer from memory.
	WatchListPageSize int64
	// ShouldResync tells whether to resync the store when the time has come.
	// If it is nil, it always is.
	ShouldResync func() bool
	// MaxInternalErrorRetryDuration is how long to try the same watch again
	// where the server answers with an internal error, before a list. Zero is
	// not at all.
	MaxInternalErrorRetryDuration time.Duration

	name            string
	typeDescription string
	expectedType    reflect.Type             // nil for any
	expectedGVK     *schema.GroupVersionKind // for unstructured objects
	store           ReflectorStore
	source          ListerWatcherWithContext
	streams         bool // whether the source can be asked for streams
	wholeLists      bool // whether it wants no pages

	clock             clock.Clock
	delay             wait.DelayFunc
	resyncPeriod      time.Duration
	minWatchTimeout   time.Duration
	watchErrorHandler WatchErrorHandlerWithContext
	logger            *klog.Logger
	metrics           *reflectorMetrics // nil if there are none

	// pages is set once a server has answered a list in pages that it could
	// have answered from memory.
	pages bool

	mu sync.RWMutex
	// version is that of the store, or "" at first.
	version string
	// expired says that the server no longer knows version.
	expired bool
}

// ReflectorOptions say what to build a Reflector with.
type ReflectorOptions struct {
	// Logger is where it logs to. The default is the one in the context that
	// it runs with.
	Logger *klog.Logger

	// Name is what it is called in logs. The default is the file and line of
	// the code that makes it.
	Name string

	// TypeDescription is what the objects are called in logs. The default is
	// their type.
	TypeDescription string

	// ResyncPeriod is how often to ask ShouldResync. Zero is never.
	ResyncPeriod time.Duration

	// MinWatchTimeout is how long a watch lasts at least. The default, and
	// the least, is 5 minutes; each watch lasts up to twice as long.
	MinWatchTimeout time.Duration

	// Clock is for tests. The default is the real one.
	Clock clock.Clock

	// Backoff says how long to wait after errors. The default is from 0.8 to
	// 30 seconds, with jitter.
	Backoff *wait.Backoff
}

// A WatchErrorHandler is told of errors of lists and watches, after which the
// reflector tries again. It should return quickly.
type WatchErrorHandler func(r *Reflector, err error)

// A WatchErrorHandlerWithContext is told of errors of lists and watches, after
// which the reflector tries again. It should return quickly.
type WatchErrorHandlerWithContext func(ctx context.Context, r *Reflector, err error)

const (
	// leastWatchTimeout keeps reflectors from burdening the server.
	leastWatchTimeout = 5 * time.Minute
	// backoffReset is after how long without errors the backoff starts afresh.
	backoffReset = 2 * time.Minute
)

// defaultBackoff has many clients not come back at once when a server restarts.
func defaultBackoff() wait.Backoff {
	return wait.Backoff{Duration: 800 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 10, Cap: 30 * time.Second}
}

// NewReflector returns a reflector with a default name.
func NewReflector(lw ListerWatcher, expectedType interface{}, store ReflectorStore, resyncPeriod time.Duration) *Reflector {
	return NewReflectorWithOptions(lw, expectedType, store, ReflectorOptions{ResyncPeriod: resyncPeriod})
}

// NewNamedReflector returns a reflector with a name.
func NewNamedReflector(name string, lw ListerWatcher, expectedType interface{}, store ReflectorStore, resyncPeriod time.Duration) *Reflector {
	return NewReflectorWithOptions(lw, expectedType, store, ReflectorOptions{Name: name, ResyncPeriod: resyncPeriod})
}

// NewReflectorWithOptions returns a reflector from lw to store that does not run
// yet. Objects that are not of expectedType are passed over; unstructured ones have
// to be of its kind, too, if it has one. If it is nil, all are welcome.
func NewReflectorWithOptions(lw ListerWatcher, expectedType interface{}, store ReflectorStore, options ReflectorOptions) *Reflector {
	r := &Reflector{
		name:              options.Name,
		typeDescription:   options.TypeDescription,
		expectedGVK:       kindOf(expectedType),
		store:             store,
		source:            ToListerWatcherWithContext(lw),
		streams:           !watchlist.DoesClientNotSupportWatchListSemantics(lw),
		clock:             options.Clock,
		resyncPeriod:      options.ResyncPeriod,
		minWatchTimeout:   max(options.MinWatchTimeout, leastWatchTimeout),
		watchErrorHandler: DefaultWatchErrorHandler,
		logger:            options.Logger,
	}
	if lw, ok := lw.(*ListWatch); ok {
		r.wholeLists = lw.DisableChunking
	}
	if expectedType != nil {
		r.expectedType = reflect.TypeOf(expectedType)
	}
	if r.name == "" {
		r.name = naming.GetNameFromCallsite("k8s.io/client-go/tools/cache/")
	}
	r.metrics = newReflectorMetrics(r.name)
	if r.typeDescription == "" {
		r.typeDescription = describe(r.expectedType, r.expectedGVK)
	}
	if r.clock == nil {
		r.clock = clock.RealClock{}
	}
	backoff := defaultBackoff()
	if options.Backoff != nil {
		backoff = *options.Backoff
	}
	r.delay = backoff.DelayWithReset(r.clock, backoffReset)
	return r
}

// kindOf returns the kind of an unstructured object, or nil.
func kindOf(expected any) *schema.GroupVersionKind {
	u, ok := expected.(*unstructured.Unstructured)
	if !ok || u == nil || u.Object == nil {
		return nil
	}
	kind := u.GroupVersionKind()
	if kind.Empty() {
		return nil
	}
	return &kind
}

func describe(t reflect.Type, kind *schema.GroupVersionKind) string {
	switch {
	case t == nil:
		return "<unspecified>"
	case kind != nil:
		return kind.String()
	}
	return t.String()
}

// Name returns what the reflector is called in logs.
func (r *Reflector) Name() string { return r.name }

// TypeDescription returns what the objects are called in logs.
func (r *Reflector) TypeDescription() string { return r.typeDescription }

// LastSyncResourceVersion returns the resource version of the store, or "" if
// there was no list yet.
func (r *Reflector) LastSyncResourceVersion() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.version
}

func (r *Reflector) setVersion(version string) {
	r.mu.Lock()
	r.version = version
	r.mu.Unlock()
	r.metrics.at(version)
}

func (r *Reflector) setExpired(expired bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expired = expired
}

// knownVersion returns the version that the server still knows, or "".
func (r *Reflector) knownVersion() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.expired {
		return ""
	}
	return r.version
}

// Run is RunWithContext with a channel that is closed. Programs that log with a
// context should use the other one.
func (r *Reflector) Run(stopCh <-chan struct{}) {
	r.RunWithContext(wait.ContextForChannel(stopCh))
}

// RunWithContext has the store follow the API until ctx ends.
func (r *Reflector) RunWithContext(ctx context.Context) {
	if r.logger != nil {
		ctx = klog.NewContext(ctx, *r.logger)
	}
	log := klog.FromContext(ctx).V(3)
	log.Info("Starting reflector", "type", r.typeDescription, "resyncPeriod", r.resyncPeriod, "reflector", r.name)
	for ctx.Err() == nil {
		r.runOnce(ctx)
		r.pause(ctx, 0)
	}
	log.Info("Stopping reflector", "type", r.typeDescription, "resyncPeriod", r.resyncPeriod, "reflector", r.name)
}

func (r *Reflector) runOnce(ctx context.Context) {
	defer utilruntime.HandleCrashWithContext(ctx)
	if err := r.ListAndWatchWithContext(ctx); err != nil {
		r.watchErrorHandler(ctx, r, err)
	}
}

// pause waits as long as the backoff says, but at least for a duration, or until
// ctx ends.
func (r *Reflector) pause(ctx context.Context, atLeast time.Duration) {
	if ctx.Err() != nil {
		return
	}
	timer := r.clock.NewTimer(max(r.delay(), atLeast))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	}
}

// ListAndWatch is ListAndWatchWithContext with a channel that is closed.
func (r *Reflector) ListAndWatch(stopCh <-chan struct{}) error {
	return r.ListAndWatchWithContext(wait.ContextForChannel(stopCh))
}

// ListAndWatchWithContext puts all objects into the store, and then has it follow
// a watch for as long as that can be continued. It returns nil when ctx ends, or
// when a list is due because the server no longer knows how to go on; and an error
// if it did not come as far as a watch.
func (r *Reflector) ListAndWatchWithContext(ctx context.Context) error {
	var started *openWatch
	if r.streams && clientgofeaturegate.FeatureGates().Enabled(clientgofeaturegate.WatchListClient) {
		var err error
		started, err = r.stream(ctx)
		if err != nil {
			klog.FromContext(ctx).V(1).Info("Cannot stream objects, listing them instead", "reflector", r.name, "type", r.typeDescription, "err", err)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	if started == nil {
		if err := r.list(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return r.watchAndResync(ctx, started)
}

// watchAndResync has a resync that fails end the watch, as if it had expired: with
// a list, all objects go through the store once more.
func (r *Reflector) watchAndResync(ctx context.Context, started *openWatch) error {
	if r.resyncPeriod == 0 {
		return r.watch(ctx, started)
	}
	watching, cancel := context.WithCancel(ctx)
	var resyncing sync.WaitGroup
	resyncing.Go(func() {
		defer cancel()
		if err := r.resync(watching); err != nil {
			utilruntime.HandleErrorWithContext(ctx, err, "Failed to resync", "reflector", r.name, "type", r.typeDescription)
		}
	})
	err := r.watch(watching, started)
	cancel()
	resyncing.Wait()
	return err
}

// resync resyncs the store now and then until ctx ends.
func (r *Reflector) resync(ctx context.Context) error {
	for {
		timer := r.clock.NewTimer(r.resyncPeriod)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C():
		}
		if r.ShouldResync != nil && !r.ShouldResync() {
			continue
		}
		if err := r.store.Resync(); err != nil {
			return err
		}
	}
}

// timeout returns how long the next watch is to last, in seconds. Watches that
// started together do not end together.
func (r *Reflector) timeout() *int64 {
	seconds := int64(r.minWatchTimeout.Seconds() * (1 + rand.Float64()))
	return &seconds
}

// DefaultWatchErrorHandler logs errors, those that are usual only in detailed logs.
func DefaultWatchErrorHandler(ctx context.Context, r *Reflector, err error) {
	log := klog.FromContext(ctx)
	switch {
	case isExpired(err):
		log.V(4).Info("Watch closed", "reflector", r.name, "type", r.typeDescription, "err", err)
	case errors.Is(err, io.EOF): // as usual
	case errors.Is(err, io.ErrUnexpectedEOF):
		log.V(1).Info("Watch closed with unexpected EOF", "reflector", r.name, "type", r.typeDescription, "err", err)
	default:
		utilruntime.HandleErrorWithContext(ctx, err, "Failed to watch", "reflector", r.name, "type", r.typeDescription)
	}
}

// isExpired tells whether the server no longer knows a resource version.
func isExpired(err error) bool {
	return apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

// NewNamespaceKeyedIndexerAndReflector returns an empty store with an index by
// namespace, and a reflector for it that does not run yet.
func NewNamespaceKeyedIndexerAndReflector(lw ListerWatcher, expectedType interface{}, resyncPeriod time.Duration) (indexer Indexer, reflector *Reflector) {
	indexer = NewIndexer(MetaNamespaceKeyFunc, Indexers{NamespaceIndex: MetaNamespaceIndexFunc})
	return indexer, NewReflector(lw, expectedType, indexer, resyncPeriod)
}
