// Package framework has a [FakeControllerSource]: what an informer lists and watches,
// for tests, without a server.
package framework

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// watchBuffer is how many events a watcher may be behind before it holds up others.
const watchBuffer = 100

// A FakeControllerSource has objects that can be listed and watched. It is a
// cache.ListerWatcher.
//
// Every change has a resource version, which counts the changes. A watch from a
// resource version gets all changes after it, those that nobody was told of included,
// unless they were flushed by ResetWatch.
type FakeControllerSource struct {
	mu sync.RWMutex

	// Items are the objects.
	Items map[nnu]runtime.Object

	// Broadcaster sends events to watchers.
	Broadcaster *watch.Broadcaster

	changes []watch.Event
	flushed int // how many changes there were before those

	// ListError, if it is set, is what List returns.
	ListError error
}

// nnu tells objects apart.
type nnu struct {
	namespace, name string
	uid             types.UID
}

// A FakePVControllerSource lists PersistentVolumes as what they are.
type FakePVControllerSource struct {
	FakeControllerSource
}

// A FakePVCControllerSource lists PersistentVolumeClaims as what they are.
type FakePVCControllerSource struct {
	FakeControllerSource
}

// NewFakeControllerSource returns a source without objects.
func NewFakeControllerSource() *FakeControllerSource {
	f := &FakeControllerSource{}
	f.setUp()
	return f
}

// NewFakePVControllerSource returns a source without objects.
func NewFakePVControllerSource() *FakePVControllerSource {
	f := &FakePVControllerSource{}
	f.setUp()
	return f
}

// NewFakePVCControllerSource returns a source without objects.
func NewFakePVCControllerSource() *FakePVCControllerSource {
	f := &FakePVCControllerSource{}
	f.setUp()
	return f
}

func (f *FakeControllerSource) setUp() {
	f.Items = map[nnu]runtime.Object{}
	f.Broadcaster = watch.NewBroadcaster(watchBuffer, watch.WaitIfChannelFull)
}

// Add adds an object, with a new resource version, and tells watchers.
func (f *FakeControllerSource) Add(obj runtime.Object) {
	f.Change(watch.Event{Type: watch.Added, Object: obj}, 1)
}

// Modify changes an object, with a new resource version, and tells watchers.
func (f *FakeControllerSource) Modify(obj runtime.Object) {
	f.Change(watch.Event{Type: watch.Modified, Object: obj}, 1)
}

// Delete removes an object, whose last state gets a new resource version, and tells
// watchers.
func (f *FakeControllerSource) Delete(lastValue runtime.Object) {
	f.Change(watch.Event{Type: watch.Deleted, Object: lastValue}, 1)
}

// AddDropWatch is Add that does not tell watchers.
func (f *FakeControllerSource) AddDropWatch(obj runtime.Object) {
	f.Change(watch.Event{Type: watch.Added, Object: obj}, 0)
}

// ModifyDropWatch is Modify that does not tell watchers.
func (f *FakeControllerSource) ModifyDropWatch(obj runtime.Object) {
	f.Change(watch.Event{Type: watch.Modified, Object: obj}, 0)
}

// DeleteDropWatch is Delete that does not tell watchers.
func (f *FakeControllerSource) DeleteDropWatch(lastValue runtime.Object) {
	f.Change(watch.Event{Type: watch.Deleted, Object: lastValue}, 0)
}

// Change makes a change, and tells watchers with a probability. It panics for what
// is not an object, or not a change.
func (f *FakeControllerSource) Change(e watch.Event, watchProbability float64) {
	object, err := meta.Accessor(e.Object)
	if err != nil {
		panic(fmt.Errorf("cannot change a %T: %w", e.Object, err))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	object.SetResourceVersion(strconv.Itoa(f.version() + 1))
	f.changes = append(f.changes, watch.Event{Type: e.Type, Object: e.Object.DeepCopyObject()})
	key := nnu{object.GetNamespace(), object.GetName(), object.GetUID()}
	switch e.Type {
	case watch.Added, watch.Modified:
		f.Items[key] = e.Object.DeepCopyObject()
	case watch.Deleted:
		delete(f.Items, key)
	default:
		panic(fmt.Errorf("cannot change an object by an event of type %q", e.Type))
	}
	if rand.Float64() < watchProbability {
		if err := f.Broadcaster.Action(e.Type, e.Object.DeepCopyObject()); err != nil {
			panic(err)
		}
	}
}

func (f *FakeControllerSource) version() int { return f.flushed + len(f.changes) }

// ResetWatch ends all watches, and flushes the changes: who wants to watch has to
// list first.
func (f *FakeControllerSource) ResetWatch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Broadcaster.Shutdown()
	f.Broadcaster = watch.NewBroadcaster(watchBuffer, watch.WaitIfChannelFull)
	f.flushed += len(f.changes)
	f.changes = nil
}

// Shutdown ends all watches after what they are still to get. The source must not be
// used any more: whoever does so waits forever.
func (f *FakeControllerSource) Shutdown() {
	f.mu.Lock() // for good
	f.Broadcaster.Shutdown()
}

// List returns a v1.List.
func (f *FakeControllerSource) List(options metav1.ListOptions) (runtime.Object, error) {
	return f.listAs(&corev1.List{})
}

// List returns a PersistentVolumeList.
func (f *FakePVControllerSource) List(options metav1.ListOptions) (runtime.Object, error) {
	return f.listAs(&corev1.PersistentVolumeList{})
}

// List returns a PersistentVolumeClaimList.
func (f *FakePVCControllerSource) List(options metav1.ListOptions) (runtime.Object, error) {
	return f.listAs(&corev1.PersistentVolumeClaimList{})
}

func (f *FakeControllerSource) listAs(list runtime.Object) (runtime.Object, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.ListError != nil {
		return nil, f.ListError
	}
	if err := meta.SetList(list, f.copies()); err != nil {
		return nil, err
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return nil, err
	}
	accessor.SetResourceVersion(strconv.Itoa(f.version()))
	return list, nil
}

func (f *FakeControllerSource) copies() []runtime.Object {
	objects := make([]runtime.Object, 0, len(f.Items))
	for _, obj := range f.Items {
		objects = append(objects, obj.DeepCopyObject())
	}
	return objects
}

// Watch returns the changes after the resource version in options, which is required:
// a watch cannot begin with all objects. The error is apierrors.IsResourceExpired for
// a version after which changes were flushed.
func (f *FakeControllerSource) Watch(options metav1.ListOptions) (watch.Interface, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	version, err := strconv.Atoi(options.ResourceVersion)
	if err != nil {
		return nil, fmt.Errorf("cannot watch from resource version %q: %w", options.ResourceVersion, err)
	}
	if version < f.flushed {
		return nil, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", version, f.flushed))
	}
	if version > f.version() {
		return nil, errors.New("resource version in the future not supported")
	}
	var missed []watch.Event
	for _, change := range f.changes[version-f.flushed:] {
		missed = append(missed, *change.DeepCopy())
	}
	return f.Broadcaster.WatchWithPrefix(missed)
}
