package informer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/informers"
	"k8s.io/client-go/internal/share"
	"k8s.io/client-go/tools/cache"
)

// A Client lists and watches the objects of a resource. L is the type of a list of them.
type Client[L runtime.Object] interface {
	List(ctx context.Context, opts metav1.ListOptions) (L, error)
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
}

// Options say how to make an informer. The zero value will do.
type Options[T Object] struct {
	// Name is what the informer is called in logs and in metrics of reflectors. The
	// default is the type of the objects.
	Name string

	// TweakListOptions, if there is one, changes the options of every list and watch:
	// sets a label selector, for example.
	TweakListOptions func(*metav1.ListOptions)

	// Transform, if there is one, returns what is to be kept of an object: the same,
	// changed, or another one of the same name. It may be given what it has returned
	// before. Objects that it returns an error for are logged and passed over.
	Transform func(obj T) (T, error)

	// Indexes are those of the store, by their names.
	Indexes map[string]IndexFunc[T]
}

// An Informer has a store follow the objects of a resource, and tells handlers. All
// methods can be called at the same time.
type Informer[T Object] struct {
	source    cache.ListerWatcher
	name      string
	transform func(T) (T, error)
	sharer    share.Sharer
	store     *Store[T]
	synced    chan struct{}
	running   sync.WaitGroup // of handlers

	// mu is held while the store is changed and the handlers are told to be told, so
	// that they see all changes in one order.
	mu       sync.Mutex
	ctx      context.Context // of Run, once it is called
	stopped  bool
	handlers map[*Registration[T]]bool
}

// New returns an informer of what a client lists. It does nothing before Run is called.
func New[T Object, L runtime.Object](client Client[L], options Options[T]) *Informer[T] {
	name := options.Name
	if name == "" {
		name = fmt.Sprintf("%T", *new(T))
	}
	return &Informer[T]{
		source:    informers.Source(func() informers.Client[L] { return client }, options.TweakListOptions, client),
		name:      name,
		transform: options.Transform,
		store:     newStore(options.Indexes),
		synced:    make(chan struct{}),
		handlers:  map[*Registration[T]]bool{},
	}
}

// Store returns what the informer knows. It is empty at first; see HasSyncedChecker.
func (i *Informer[T]) Store() *Store[T] { return i.store }

// Lister returns a lister of what is in the store.
func (i *Informer[T]) Lister() Lister[T] { return NewLister(i.store) }

// HasSynced reports whether all objects that were there at first are in the store.
func (i *Informer[T]) HasSynced() bool { return cache.IsDone(i.HasSyncedChecker()) }

// HasSyncedChecker returns what [cache.WaitFor] can wait for until all objects that were
// there at first are in the store.
func (i *Informer[T]) HasSyncedChecker() cache.DoneChecker { return checker[T]{i} }

type checker[T Object] struct{ informer *Informer[T] }

func (c checker[T]) Name() string          { return "informer of " + c.informer.name }
func (c checker[T]) Done() <-chan struct{} { return c.informer.synced }

// ErrStopped says that an informer does not run any more.
var ErrStopped = errors.New("the informer has stopped")

// AddHandler has a handler be told of what is in the store, and from then on of every
// change. The error is ErrStopped or nil.
func (i *Informer[T]) AddHandler(handler Handler[T]) (*Registration[T], error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stopped {
		return nil, ErrStopped
	}
	for r := range i.handlers {
		if r.removed.Load() {
			delete(i.handlers, r)
		}
	}
	r := newRegistration(handler)
	i.handlers[r] = true
	for _, obj := range i.store.List() {
		r.add(change[T]{kind: addition, obj: obj, initial: true})
	}
	if i.HasSynced() {
		r.add(change[T]{kind: synced})
	}
	if i.ctx != nil {
		i.start(r)
	}
	return r, nil
}

func (i *Informer[T]) start(r *Registration[T]) {
	i.running.Go(func() { r.run(i.ctx) })
}

// Run has the store follow the server, and handlers be told, until the context ends and
// no handler is in a call. It panics where it is called a second time.
func (i *Informer[T]) Run(ctx context.Context) {
	i.mu.Lock()
	if i.ctx != nil {
		i.mu.Unlock()
		panic("informer: Run was called before")
	}
	i.ctx = ctx
	for r := range i.handlers {
		i.start(r)
	}
	i.mu.Unlock()

	// Objects that are not of type T are found where they are converted.
	reflector := cache.NewReflectorWithOptions(i.source, nil, sink[T]{i}, cache.ReflectorOptions{
		Name:            i.name,
		TypeDescription: i.name,
	})
	reflector.RunWithContext(ctx)

	i.mu.Lock()
	i.stopped = true
	i.mu.Unlock()
	i.running.Wait()
}
