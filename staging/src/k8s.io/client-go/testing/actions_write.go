package testing

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// CreateActionImpl is a [CreateAction]. Name is that of the parent if a
// subresource is created, and else "".
type CreateActionImpl struct {
	ActionImpl
	Name          string
	Object        runtime.Object
	CreateOptions metav1.CreateOptions
}

// NewCreateAction returns an action that creates object in a namespace.
func NewCreateAction(resource schema.GroupVersionResource, namespace string, object runtime.Object) CreateActionImpl {
	return create(resource, "", namespace, "", object, metav1.CreateOptions{})
}

// NewCreateActionWithOptions is NewCreateAction with options.
func NewCreateActionWithOptions(resource schema.GroupVersionResource, namespace string, object runtime.Object, opts metav1.CreateOptions) CreateActionImpl {
	return create(resource, "", namespace, "", object, opts)
}

// NewCreateSubresourceAction returns an action that creates object as a
// subresource of the object name in a namespace.
func NewCreateSubresourceAction(resource schema.GroupVersionResource, name, subresource, namespace string, object runtime.Object) CreateActionImpl {
	return create(resource, subresource, namespace, name, object, metav1.CreateOptions{})
}

// NewCreateSubresourceActionWithOptions is NewCreateSubresourceAction with
// options.
func NewCreateSubresourceActionWithOptions(resource schema.GroupVersionResource, name, subresource, namespace string, object runtime.Object, opts metav1.CreateOptions) CreateActionImpl {
	return create(resource, subresource, namespace, name, object, opts)
}

// NewRootCreateAction returns an action that creates object, which is
// cluster-wide.
func NewRootCreateAction(resource schema.GroupVersionResource, object runtime.Object) CreateActionImpl {
	return create(resource, "", "", "", object, metav1.CreateOptions{})
}

// NewRootCreateActionWithOptions is NewRootCreateAction with options.
func NewRootCreateActionWithOptions(resource schema.GroupVersionResource, object runtime.Object, opts metav1.CreateOptions) CreateActionImpl {
	return create(resource, "", "", "", object, opts)
}

// NewRootCreateSubresourceAction returns an action that creates object as a
// subresource of the object name, which is cluster-wide.
func NewRootCreateSubresourceAction(resource schema.GroupVersionResource, name, subresource string, object runtime.Object) CreateActionImpl {
	return create(resource, subresource, "", name, object, metav1.CreateOptions{})
}

// NewRootCreateSubresourceActionWithOptions is NewRootCreateSubresourceAction
// with options.
func NewRootCreateSubresourceActionWithOptions(resource schema.GroupVersionResource, name, subresource string, object runtime.Object, opts metav1.CreateOptions) CreateActionImpl {
	return create(resource, subresource, "", name, object, opts)
}

func create(resource schema.GroupVersionResource, subresource, namespace, name string, object runtime.Object, opts metav1.CreateOptions) CreateActionImpl {
	return CreateActionImpl{ActionImpl: at("create", resource, subresource, namespace), Name: name, Object: object, CreateOptions: opts}
}

// GetObject returns what is to be created.
func (a CreateActionImpl) GetObject() runtime.Object { return a.Object }

// GetCreateOptions returns the options of the request.
func (a CreateActionImpl) GetCreateOptions() metav1.CreateOptions { return a.CreateOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a CreateActionImpl) DeepCopy() Action {
	a.Object = copyObject(a.Object)
	a.CreateOptions = *a.CreateOptions.DeepCopy()
	return a
}

// UpdateActionImpl is an [UpdateAction].
type UpdateActionImpl struct {
	ActionImpl
	Object        runtime.Object
	UpdateOptions metav1.UpdateOptions
}

// NewUpdateAction returns an action that updates object in a namespace.
func NewUpdateAction(resource schema.GroupVersionResource, namespace string, object runtime.Object) UpdateActionImpl {
	return update(resource, "", namespace, object, metav1.UpdateOptions{})
}

// NewUpdateActionWithOptions is NewUpdateAction with options.
func NewUpdateActionWithOptions(resource schema.GroupVersionResource, namespace string, object runtime.Object, opts metav1.UpdateOptions) UpdateActionImpl {
	return update(resource, "", namespace, object, opts)
}

// NewUpdateSubresourceAction returns an action that updates a subresource of
// object in a namespace.
func NewUpdateSubresourceAction(resource schema.GroupVersionResource, subresource string, namespace string, object runtime.Object) UpdateActionImpl {
	return update(resource, subresource, namespace, object, metav1.UpdateOptions{})
}

// NewUpdateSubresourceActionWithOptions is NewUpdateSubresourceAction with
// options.
func NewUpdateSubresourceActionWithOptions(resource schema.GroupVersionResource, subresource string, namespace string, object runtime.Object, opts metav1.UpdateOptions) UpdateActionImpl {
	return update(resource, subresource, namespace, object, opts)
}

// NewRootUpdateAction returns an action that updates object, which is
// cluster-wide.
func NewRootUpdateAction(resource schema.GroupVersionResource, object runtime.Object) UpdateActionImpl {
	return update(resource, "", "", object, metav1.UpdateOptions{})
}

// NewRootUpdateActionWithOptions is NewRootUpdateAction with options.
func NewRootUpdateActionWithOptions(resource schema.GroupVersionResource, object runtime.Object, opts metav1.UpdateOptions) UpdateActionImpl {
	return update(resource, "", "", object, opts)
}

// NewRootUpdateSubresourceAction returns an action that updates a subresource of
// object, which is cluster-wide.
func NewRootUpdateSubresourceAction(resource schema.GroupVersionResource, subresource string, object runtime.Object) UpdateActionImpl {
	return update(resource, subresource, "", object, metav1.UpdateOptions{})
}

// NewRootUpdateSubresourceActionWithOptions is NewRootUpdateSubresourceAction
// with options.
func NewRootUpdateSubresourceActionWithOptions(resource schema.GroupVersionResource, subresource string, object runtime.Object, opts metav1.UpdateOptions) UpdateActionImpl {
	return update(resource, subresource, "", object, opts)
}

func update(resource schema.GroupVersionResource, subresource, namespace string, object runtime.Object, opts metav1.UpdateOptions) UpdateActionImpl {
	return UpdateActionImpl{ActionImpl: at("update", resource, subresource, namespace), Object: object, UpdateOptions: opts}
}

// GetObject returns the new state.
func (a UpdateActionImpl) GetObject() runtime.Object { return a.Object }

// GetUpdateOptions returns the options of the request.
func (a UpdateActionImpl) GetUpdateOptions() metav1.UpdateOptions { return a.UpdateOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a UpdateActionImpl) DeepCopy() Action {
	a.Object = copyObject(a.Object)
	a.UpdateOptions = *a.UpdateOptions.DeepCopy()
	return a
}

// PatchActionImpl is a [PatchAction].
type PatchActionImpl struct {
	ActionImpl
	Name         string
	PatchType    types.PatchType
	Patch        []byte
	PatchOptions metav1.PatchOptions
}

// NewPatchAction returns an action that patches an object in a namespace.
func NewPatchAction(resource schema.GroupVersionResource, namespace string, name string, pt types.PatchType, patch []byte) PatchActionImpl {
	return patching(resource, nil, namespace, name, pt, patch, metav1.PatchOptions{})
}

// NewPatchActionWithOptions is NewPatchAction with options.
func NewPatchActionWithOptions(resource schema.GroupVersionResource, namespace string, name string, pt types.PatchType, patch []byte, opts metav1.PatchOptions) PatchActionImpl {
	return patching(resource, nil, namespace, name, pt, patch, opts)
}

// NewPatchSubresourceAction returns an action that patches a subresource of an
// object in a namespace. Several subresources are the elements of one path.
func NewPatchSubresourceAction(resource schema.GroupVersionResource, namespace, name string, pt types.PatchType, patch []byte, subresources ...string) PatchActionImpl {
	return patching(resource, subresources, namespace, name, pt, patch, metav1.PatchOptions{})
}

// NewPatchSubresourceActionWithOptions is NewPatchSubresourceAction with
// options.
func NewPatchSubresourceActionWithOptions(resource schema.GroupVersionResource, namespace, name string, pt types.PatchType, patch []byte, opts metav1.PatchOptions, subresources ...string) PatchActionImpl {
	return patching(resource, subresources, namespace, name, pt, patch, opts)
}

// NewRootPatchAction returns an action that patches an object of a cluster-wide
// resource.
func NewRootPatchAction(resource schema.GroupVersionResource, name string, pt types.PatchType, patch []byte) PatchActionImpl {
	return patching(resource, nil, "", name, pt, patch, metav1.PatchOptions{})
}

// NewRootPatchActionWithOptions is NewRootPatchAction with options.
func NewRootPatchActionWithOptions(resource schema.GroupVersionResource, name string, pt types.PatchType, patch []byte, opts metav1.PatchOptions) PatchActionImpl {
	return patching(resource, nil, "", name, pt, patch, opts)
}

// NewRootPatchSubresourceAction returns an action that patches a subresource of
// an object of a cluster-wide resource. Several subresources are the elements
// of one path.
func NewRootPatchSubresourceAction(resource schema.GroupVersionResource, name string, pt types.PatchType, patch []byte, subresources ...string) PatchActionImpl {
	return patching(resource, subresources, "", name, pt, patch, metav1.PatchOptions{})
}

// NewRootPatchSubresourceActionWithOptions is NewRootPatchSubresourceAction with
// options.
func NewRootPatchSubresourceActionWithOptions(resource schema.GroupVersionResource, name string, pt types.PatchType, patch []byte, opts metav1.PatchOptions, subresources ...string) PatchActionImpl {
	return patching(resource, subresources, "", name, pt, patch, opts)
}

func patching(resource schema.GroupVersionResource, subresources []string, namespace, name string, pt types.PatchType, patch []byte, opts metav1.PatchOptions) PatchActionImpl {
	return PatchActionImpl{
		ActionImpl: at("patch", resource, strings.Join(subresources, "/"), namespace),
		Name:       name, PatchType: pt, Patch: patch, PatchOptions: opts,
	}
}

// GetName returns the name of the object.
func (a PatchActionImpl) GetName() string { return a.Name }

// GetPatchType returns the format of the patch.
func (a PatchActionImpl) GetPatchType() types.PatchType { return a.PatchType }

// GetPatch returns the patch, as it would go over the wire.
func (a PatchActionImpl) GetPatch() []byte { return a.Patch }

// GetPatchOptions returns the options of the request.
func (a PatchActionImpl) GetPatchOptions() metav1.PatchOptions { return a.PatchOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a PatchActionImpl) DeepCopy() Action {
	a.Patch = slices.Clone(a.Patch)
	a.PatchOptions = *a.PatchOptions.DeepCopy()
	return a
}

// GenericActionImpl is a [GenericAction].
type GenericActionImpl struct {
	ActionImpl
	Value interface{}
}

// GetValue returns the value that goes with the request.
func (a GenericActionImpl) GetValue() interface{} { return a.Value }

// DeepCopy returns a copy. The value is copied if it is an API object, and else
// is shared.
func (a GenericActionImpl) DeepCopy() Action {
	if object, ok := a.Value.(runtime.Object); ok {
		a.Value = copyObject(object)
	}
	return a
}

func copyObject(object runtime.Object) runtime.Object {
	if object == nil {
		return nil
	}
	return object.DeepCopyObject()
}
