package testing

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// NewFieldManagedObjectTracker returns an empty tracker that keeps record of who
// owns which field, in the objects' managedFields, and so can apply as an API
// server does. The type converter knows the schemas of the types; the decoder is
// for items of lists that are raw. Objects that come by Add are owned by nobody.
func NewFieldManagedObjectTracker(scheme *runtime.Scheme, decoder runtime.Decoder, typeConverter managedfields.TypeConverter) ObjectTracker {
	return &managedTracker{
		tracker:   newTracker(scheme, decoder),
		scheme:    scheme,
		converter: typeConverter,
		managers:  map[schema.GroupVersionKind]*managedfields.FieldManager{},
	}
}

// unknownManager owns what is written without a field manager.
const unknownManager = "unknown"

type managedTracker struct {
	*tracker
	scheme    *runtime.Scheme
	converter managedfields.TypeConverter

	// writing makes reading the live object and writing it one.
	writing  sync.Mutex
	managers map[schema.GroupVersionKind]*managedfields.FieldManager
}

func (t *managedTracker) Create(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.CreateOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	manager := ""
	if len(opts) > 0 {
		manager = opts[0].FieldManager
	}
	return t.own(gvr, obj, ns, manager, creating)
}

func (t *managedTracker) Update(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.UpdateOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	manager := ""
	if len(opts) > 0 {
		manager = opts[0].FieldManager
	}
	return t.own(gvr, obj, ns, manager, replacing)
}

func (t *managedTracker) Patch(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.PatchOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	manager := ""
	if len(opts) > 0 {
		manager = opts[0].FieldManager
	}
	return t.own(gvr, obj, ns, manager, replacing)
}

// own puts obj with the fields that it changes owned by manager. It also tells
// obj its owners, since programs that wrap a tracker read them there.
func (t *managedTracker) own(gvr schema.GroupVersionResource, obj runtime.Object, ns, manager string, condition condition) error {
	given := obj
	obj = obj.DeepCopyObject()
	object, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	kind, err := t.kindOf(gvr, obj)
	if err != nil {
		return err
	}
	fields, err := t.fieldManager(kind)
	if err != nil {
		return err
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	live, err := t.Get(gvr, ns, object.GetName())
	switch {
	case err == nil && condition == creating:
		return errors.NewAlreadyExists(gvr.GroupResource(), object.GetName())
	case err != nil && condition == replacing:
		return err
	case condition == creating:
		if live, err = t.scheme.New(kind); err != nil {
			return err
		}
	}
	live.GetObjectKind().SetGroupVersionKind(kind)
	// The schema is found by the kind, which typed objects seldom name.
	named := obj.GetObjectKind().GroupVersionKind()
	obj.GetObjectKind().SetGroupVersionKind(kind)
	if manager == "" {
		manager = unknownManager
	}
	owned, err := fields.Update(live, obj, manager)
	if err != nil {
		return fmt.Errorf("managed fields of %s %q: %w", gvr.Resource, object.GetName(), err)
	}
	if condition == replacing {
		owned.GetObjectKind().SetGroupVersionKind(named)
	}
	if err := t.put(gvr, ns, owned, condition); err != nil {
		return err
	}
	return tellOwners(owned, given)
}

// tellOwners copies the managed fields of one object to another.
func tellOwners(from, to runtime.Object) error {
	source, err := meta.Accessor(from)
	if err != nil {
		return err
	}
	target, err := meta.Accessor(to)
	if err != nil {
		return err
	}
	target.SetManagedFields(source.GetManagedFields())
	return nil
}

func (t *managedTracker) Apply(gvr schema.GroupVersionResource, applyConfiguration runtime.Object, ns string, opts ...metav1.PatchOptions) error {
	if err := oneOption(opts); err != nil {
		return err
	}
	var options metav1.PatchOptions
	if len(opts) > 0 {
		options = opts[0]
	}
	if options.FieldManager == "" {
		options.FieldManager = unknownManager
	}
	kind, err := t.kindOf(gvr, applyConfiguration)
	if err != nil {
		return err
	}
	wanted, object, err := t.applicable(gvr, applyConfiguration, ns, kind)
	if err != nil {
		return err
	}
	fields, err := t.fieldManager(kind)
	if err != nil {
		return err
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	condition := replacing
	live, err := t.Get(gvr, ns, object.GetName())
	if errors.IsNotFound(err) {
		condition = creating
		live, err = t.blank(kind, ns, object.GetName())
	}
	if err != nil {
		return err
	}
	live.GetObjectKind().SetGroupVersionKind(kind)
	merged, err := fields.Apply(live, wanted, options.FieldManager, options.Force != nil && *options.Force)
	if err != nil {
		return err // a conflict is of a type of its own
	}
	return t.put(gvr, ns, merged, condition)
}

// applicable returns a copy of an apply configuration that names its kind and
// namespace and has fields only that it sets.
func (t *managedTracker) applicable(gvr schema.GroupVersionResource, obj runtime.Object, ns string, kind schema.GroupVersionKind) (runtime.Object, metav1.Object, error) {
	obj, err := untyped(obj)
	if err != nil {
		return nil, nil, err
	}
	object, err := meta.Accessor(obj)
	if err != nil {
		return nil, nil, err
	}
	obj.GetObjectKind().SetGroupVersionKind(kind)
	if object.GetNamespace() == "" && ns != "" {
		object.SetNamespace(ns)
	}
	if object.GetNamespace() != ns {
		return nil, nil, errors.NewBadRequest(fmt.Sprintf("%s %q is applied in namespace %q, but is of namespace %q: request namespace does not match object namespace",
			gvr.Resource, object.GetName(), ns, object.GetNamespace()))
	}
	return obj, object, nil
}

func (t *managedTracker) blank(kind schema.GroupVersionKind, ns, name string) (runtime.Object, error) {
	obj, err := t.scheme.New(kind)
	if err != nil {
		return nil, err
	}
	object, err := meta.Accessor(obj)
	if err != nil {
		return nil, err
	}
	object.SetNamespace(ns)
	object.SetName(name)
	return obj, nil
}

// kindOf returns the kind of obj in the version of gvr, which must be
// registered: without a Go type there is no schema.
func (t *managedTracker) kindOf(gvr schema.GroupVersionResource, obj runtime.Object) (schema.GroupVersionKind, error) {
	kinds, err := kindsOf(t.scheme, obj)
	if err != nil {
		if runtime.IsMissingKind(err) || runtime.IsMissingVersion(err) {
			err = errors.NewBadRequest(fmt.Sprintf("the object for %s names no kind: %v", gvr.Resource, err))
		}
		return schema.GroupVersionKind{}, err
	}
	for _, kind := range kinds {
		if kind.GroupVersion() == gvr.GroupVersion() && t.scheme.Recognizes(kind) {
			return kind, nil
		}
	}
	if !t.scheme.Recognizes(kinds[0]) {
		return schema.GroupVersionKind{}, &meta.NoResourceMatchError{PartialResource: gvr}
	}
	return kinds[0], nil
}

func (t *managedTracker) fieldManager(kind schema.GroupVersionKind) (*managedfields.FieldManager, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	if known := t.managers[kind]; known != nil {
		return known, nil
	}
	made, err := managedfields.NewDefaultFieldManager(t.converter, t.scheme, t.scheme, t.scheme, kind, kind.GroupVersion(), "", nil)
	if err != nil {
		return nil, err
	}
	t.managers[kind] = made
	return made, nil
}
