package testing

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// DeleteActionImpl is a [DeleteAction].
type DeleteActionImpl struct {
	ActionImpl
	Name          string
	DeleteOptions metav1.DeleteOptions
}

// NewDeleteAction returns an action that deletes an object in a namespace.
func NewDeleteAction(resource schema.GroupVersionResource, namespace, name string) DeleteActionImpl {
	return deleting(resource, "", namespace, name, metav1.DeleteOptions{})
}

// NewDeleteActionWithOptions is NewDeleteAction with options.
func NewDeleteActionWithOptions(resource schema.GroupVersionResource, namespace, name string, opts metav1.DeleteOptions) DeleteActionImpl {
	return deleting(resource, "", namespace, name, opts)
}

// NewDeleteSubresourceAction returns an action that deletes a subresource of an
// object in a namespace.
func NewDeleteSubresourceAction(resource schema.GroupVersionResource, subresource, namespace, name string) DeleteActionImpl {
	return deleting(resource, subresource, namespace, name, metav1.DeleteOptions{})
}

// NewDeleteSubresourceActionWithOptions is NewDeleteSubresourceAction with
// options.
func NewDeleteSubresourceActionWithOptions(resource schema.GroupVersionResource, subresource, namespace, name string, opts metav1.DeleteOptions) DeleteActionImpl {
	return deleting(resource, subresource, namespace, name, opts)
}

// NewRootDeleteAction returns an action that deletes an object of a cluster-wide
// resource.
func NewRootDeleteAction(resource schema.GroupVersionResource, name string) DeleteActionImpl {
	return deleting(resource, "", "", name, metav1.DeleteOptions{})
}

// NewRootDeleteActionWithOptions is NewRootDeleteAction with options.
func NewRootDeleteActionWithOptions(resource schema.GroupVersionResource, name string, opts metav1.DeleteOptions) DeleteActionImpl {
	return deleting(resource, "", "", name, opts)
}

// NewRootDeleteSubresourceAction returns an action that deletes a subresource of
// an object of a cluster-wide resource.
func NewRootDeleteSubresourceAction(resource schema.GroupVersionResource, subresource string, name string) DeleteActionImpl {
	return deleting(resource, subresource, "", name, metav1.DeleteOptions{})
}

// NewRootDeleteSubresourceActionWithOptions is NewRootDeleteSubresourceAction
// with options.
func NewRootDeleteSubresourceActionWithOptions(resource schema.GroupVersionResource, subresource string, name string, opts metav1.DeleteOptions) DeleteActionImpl {
	return deleting(resource, subresource, "", name, opts)
}

func deleting(resource schema.GroupVersionResource, subresource, namespace, name string, opts metav1.DeleteOptions) DeleteActionImpl {
	return DeleteActionImpl{ActionImpl: at("delete", resource, subresource, namespace), Name: name, DeleteOptions: opts}
}

// GetName returns the name of the object.
func (a DeleteActionImpl) GetName() string { return a.Name }

// GetDeleteOptions returns the options of the request.
func (a DeleteActionImpl) GetDeleteOptions() metav1.DeleteOptions { return a.DeleteOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a DeleteActionImpl) DeepCopy() Action {
	a.DeleteOptions = *a.DeleteOptions.DeepCopy()
	return a
}

// DeleteCollectionActionImpl is a [DeleteCollectionAction]. Its verb is
// delete-collection, with a hyphen.
type DeleteCollectionActionImpl struct {
	ActionImpl
	ListRestrictions ListRestrictions
	DeleteOptions    metav1.DeleteOptions
	ListOptions      metav1.ListOptions
}

// NewDeleteCollectionAction returns an action that deletes the objects in a
// namespace that opts, a [metav1.ListOptions], selects.
func NewDeleteCollectionAction(resource schema.GroupVersionResource, namespace string, opts interface{}) DeleteCollectionActionImpl {
	return deletingAll(resource, namespace, metav1.DeleteOptions{}, listOptions(opts))
}

// NewDeleteCollectionActionWithOptions is NewDeleteCollectionAction with all
// options.
func NewDeleteCollectionActionWithOptions(resource schema.GroupVersionResource, namespace string, deleteOpts metav1.DeleteOptions, listOpts metav1.ListOptions) DeleteCollectionActionImpl {
	return deletingAll(resource, namespace, deleteOpts, listOpts)
}

// NewRootDeleteCollectionAction returns an action that deletes the objects of a
// cluster-wide resource that opts, a [metav1.ListOptions], selects.
func NewRootDeleteCollectionAction(resource schema.GroupVersionResource, opts interface{}) DeleteCollectionActionImpl {
	return deletingAll(resource, "", metav1.DeleteOptions{}, listOptions(opts))
}

// NewRootDeleteCollectionActionWithOptions is NewRootDeleteCollectionAction with
// all options.
func NewRootDeleteCollectionActionWithOptions(resource schema.GroupVersionResource, deleteOpts metav1.DeleteOptions, listOpts metav1.ListOptions) DeleteCollectionActionImpl {
	return deletingAll(resource, "", deleteOpts, listOpts)
}

func deletingAll(resource schema.GroupVersionResource, namespace string, deleteOpts metav1.DeleteOptions, listOpts metav1.ListOptions) DeleteCollectionActionImpl {
	return DeleteCollectionActionImpl{
		ActionImpl:       at("delete-collection", resource, "", namespace),
		ListRestrictions: restrictions(listOpts),
		DeleteOptions:    deleteOpts,
		ListOptions:      listOpts,
	}
}

// GetListRestrictions returns the selectors of the request, parsed.
func (a DeleteCollectionActionImpl) GetListRestrictions() ListRestrictions { return a.ListRestrictions }

// GetDeleteOptions returns how to delete.
func (a DeleteCollectionActionImpl) GetDeleteOptions() metav1.DeleteOptions { return a.DeleteOptions }

// GetListOptions returns what to delete.
func (a DeleteCollectionActionImpl) GetListOptions() metav1.ListOptions { return a.ListOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a DeleteCollectionActionImpl) DeepCopy() Action {
	a.ListRestrictions = a.ListRestrictions.deepCopy()
	a.DeleteOptions = *a.DeleteOptions.DeepCopy()
	a.ListOptions = *a.ListOptions.DeepCopy()
	return a
}
