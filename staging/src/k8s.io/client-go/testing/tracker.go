package testing

import (
	"fmt"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/watch"
)

// An ObjectTracker is a map of API objects by resource, namespace and name that
// can be watched. Objects are copied on the way in and on the way out. Every
// method takes one options argument at most.
//
// Errors are those of an API server: [errors.IsNotFound] and
// [errors.IsAlreadyExists] tell what is wrong, and a namespace that is not the
// object's own is a bad request.
type ObjectTracker interface {
	// Add adds an object under the resource that its kind suggests, or the
	// objects in a list one by one.
	Add(obj runtime.Object) error

	// Get returns an object.
	Get(gvr schema.GroupVersionResource, ns, name string, opts ...metav1.GetOptions) (runtime.Object, error)

	// Create adds an object. An object without a namespace comes to be in ns.
	Create(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.CreateOptions) error

	// Update replaces an object.
	Update(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.UpdateOptions) error

	// Patch replaces an object by obj, which is the object after the patch.
	Patch(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.PatchOptions) error

	// Apply merges what an applier wants into an object, or creates it. Only a
	// tracker with managed fields knows who owns which field; others merge as
	// a strategic merge patch does.
	Apply(gvr schema.GroupVersionResource, applyConfiguration runtime.Object, ns string, opts ...metav1.PatchOptions) error

	// List returns a list of the objects in a namespace, or of all if ns is
	// "", ordered by namespace and name. gvk is their kind, without List.
	List(gvr schema.GroupVersionResource, gvk schema.GroupVersionKind, ns string, opts ...metav1.ListOptions) (runtime.Object, error)

	// Delete removes an object.
	Delete(gvr schema.GroupVersionResource, ns, name string, opts ...metav1.DeleteOptions) error

	// Watch returns the changes from now on in a namespace, or in all if ns is
	// "". With options, what changed since their resource version comes first,
	// which is everything there is if they have none. The result is a
	// [watch.RaceFreeFakeWatcher].
	Watch(gvr schema.GroupVersionResource, ns string, opts ...metav1.ListOptions) (watch.Interface, error)
}

// An ObjectScheme makes objects and knows their kinds.
type ObjectScheme interface {
	runtime.ObjectCreater
	runtime.ObjectTyper
}

// NewObjectTracker returns an empty tracker without managed fields. The decoder
// is for items of lists that are raw.
func NewObjectTracker(scheme ObjectScheme, decoder runtime.Decoder) ObjectTracker {
	return newTracker(scheme, decoder)
}

func newTracker(scheme ObjectScheme, decoder runtime.Decoder) *tracker {
	return &tracker{scheme: scheme, decoder: decoder, resources: map[schema.GroupVersionResource]*collection{}}
}

type tracker struct {
	scheme  ObjectScheme
	decoder runtime.Decoder

	mu        sync.Mutex
	resources map[schema.GroupVersionResource]*collection
}

func (t *tracker) Add(obj runtime.Object) error {
	if meta.IsListType(obj) {
		return t.addList(obj)
	}
	object, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	kinds, err := kindsOf(t.scheme, obj)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		// The plural is a guess, but the one that fake clients are made for.
		gvr, _ := meta.UnsafeGuessKindToResource(kind)
		if gvr.Version == runtime.APIVersionInternal {
			gvr.Version = ""
		}
		if err := t.put(gvr, object.GetNamespace(), obj, creating); err != nil {
			return err
		}
	}
	return nil
}

func (t *tracker) addList(list runtime.Object) error {
	items, err := meta.ExtractList(list)
	if err != nil {
		return err
	}
	if errs := runtime.DecodeList(items, t.decoder); len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	for _, item := range items {
		if err := t.Add(item); err != nil {
			return err
		}
	}
	return nil
}

// kindsOf returns the kinds that scheme knows obj by. Partial objects say
// themselves what they are part of.
func kindsOf(scheme runtime.ObjectTyper, obj runtime.Object) ([]schema.GroupVersionKind, error) {
	if partial, ok := obj.(*metav1.PartialObjectMetadata); ok && partial.APIVersion != "" {
		return []schema.GroupVersionKind{partial.GroupVersionKind()}, nil
	}
	kinds, _, err := scheme.ObjectKinds(obj)
	if err == nil && len(kinds) == 0 {
		err = fmt.Errorf("no kind is registered for %T", obj)
	}
	return kinds, err
}

func (t *tracker) Get(gvr schema.GroupVersionResource, ns, name string, opts ...metav1.GetOptions) (runtime.Object, error) {
	if err := oneOption(opts); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	entry, ok := t.resources[gvr].get(types.NamespacedName{Namespace: ns, Name: name})
	if !ok {
		return nil, errors.NewNotFound(gvr.GroupResource(), name)
	}
	return entry.object.DeepCopyObject(), nil
}

func (t *tracker) Create(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.CreateOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	return t.put(gvr, ns, obj, creating)
}

func (t *tracker) Update(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.UpdateOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	return t.put(gvr, ns, obj, replacing)
}

func (t *tracker) Patch(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.PatchOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	return t.put(gvr, ns, obj, replacing)
}

func (t *tracker) Apply(gvr schema.GroupVersionResource, applyConfiguration runtime.Object, ns string, opts ...metav1.PatchOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	wanted, err := meta.Accessor(applyConfiguration)
	if err != nil {
		return err
	}
	live, err := t.Get(gvr, ns, wanted.GetName())
	switch {
	case errors.IsNotFound(err):
		created, err := typed(t.scheme, applyConfiguration)
		if err != nil {
			return err
		}
		return t.put(gvr, ns, created, creating)
	case err != nil:
		return err
	}
	merged, err := mergeApplied(live, applyConfiguration)
	if err != nil {
		return err
	}
	return t.put(gvr, ns, merged, replacing)
}

func (t *tracker) Delete(gvr schema.GroupVersionResource, ns, name string, opts ...metav1.DeleteOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.resources[gvr].delete(types.NamespacedName{Namespace: ns, Name: name}) {
		return errors.NewNotFound(gvr.GroupResource(), name)
	}
	return nil
}

func (t *tracker) List(gvr schema.GroupVersionResource, gvk schema.GroupVersionKind, ns string, opts ...metav1.ListOptions) (runtime.Object, error) {
	if err := oneOption(opts); err != nil {
		return nil, err
	}
	gvk.Kind += "List"
	if gvk.Version == "" {
		gvk.Version = runtime.APIVersionInternal
	}
	list, err := t.scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	if !meta.IsListType(list) {
		return nil, fmt.Errorf("%v is registered as a %T, which is not a list", gvk, list)
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.resources[gvr]
	if c != nil {
		if err := meta.SetList(list, c.list(ns)); err != nil {
			return nil, err
		}
	}
	if m, err := meta.ListAccessor(list); err == nil {
		m.SetResourceVersion(strconv.FormatUint(c.now(), 10))
	}
	return list, nil
}

func (t *tracker) Watch(gvr schema.GroupVersionResource, ns string, opts ...metav1.ListOptions) (watch.Interface, error) {
	if err := oneOption(opts); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.collection(gvr)
	since := c.now()
	if len(opts) > 0 {
		since = 0
		if rv := opts[0].ResourceVersion; rv != "" {
			var err error
			if since, err = strconv.ParseUint(rv, 10, 64); err != nil {
				return nil, errors.NewBadRequest(fmt.Sprintf("resource version %q of a watch is not a number", rv))
			}
		}
	}
	return c.watch(ns, since), nil
}

// A condition is what has to be so before an object is put.
type condition bool

const (
	creating  condition = false // there is no such object
	replacing condition = true  // there is one
)

func (t *tracker) put(gvr schema.GroupVersionResource, ns string, obj runtime.Object, condition condition) error {
	obj = obj.DeepCopyObject()
	object, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	if object.GetNamespace() == "" {
		object.SetNamespace(ns)
	}
	if object.GetNamespace() != ns {
		return errors.NewBadRequest(fmt.Sprintf("request namespace does not match object namespace, request: %q object: %q", ns, object.GetNamespace()))
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.collection(gvr)
	key := types.NamespacedName{Namespace: ns, Name: object.GetName()}
	_, exists := c.get(key)
	switch {
	case condition == creating && exists:
		return errors.NewAlreadyExists(gvr.GroupResource(), key.Name)
	case condition == replacing && !exists:
		return errors.NewNotFound(gvr.GroupResource(), key.Name)
	}
	c.put(key, obj)
	return nil
}

func (t *tracker) collection(gvr schema.GroupVersionResource) *collection {
	c := t.resources[gvr]
	if c == nil {
		c = newCollection()
		t.resources[gvr] = c
	}
	return c
}

// oneOption is there because options are variadic only so that they could be
// added to methods that had none.
func oneOption[O any](opts []O) error {
	if len(opts) > 1 {
		return fmt.Errorf("expected only one option argument but got %d", len(opts))
	}
	return nil
}

// IsWatchListSemanticsUnSupported returns true: informers are to list before they
// watch, since no bookmark ends what a watch begins with.
func (t *tracker) IsWatchListSemanticsUnSupported() bool { return true }
