package testing

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// An Action is a request to the API.
type Action interface {
	GetNamespace() string
	GetVerb() string
	GetResource() schema.GroupVersionResource
	GetSubresource() string
	// Matches tells whether the action has this verb and is about this
	// resource, in any letter case. The resource "pods" stands for all of its
	// subresources too, "pods/status" for one of them.
	Matches(verb, resource string) bool

	// DeepCopy returns an action that shares nothing with this one. Fake hands
	// out copies only, so that few callers need it.
	DeepCopy() Action
}

// A GenericAction is a request that fits none of the other interfaces.
type GenericAction interface {
	Action
	GetValue() interface{}
}

// A GetAction reads one object.
type GetAction interface {
	Action
	GetName() string
}

// A ListAction reads the objects of a kind.
type ListAction interface {
	Action
	GetListRestrictions() ListRestrictions
}

// A CreateAction creates an object, or a subresource of one.
type CreateAction interface {
	Action
	GetObject() runtime.Object
}

// An UpdateAction replaces an object, or a subresource of one.
type UpdateAction interface {
	Action
	GetObject() runtime.Object
}

// A DeleteAction deletes one object.
type DeleteAction interface {
	Action
	GetName() string
	GetDeleteOptions() metav1.DeleteOptions
}

// A DeleteCollectionAction deletes the objects that meet some restrictions.
type DeleteCollectionAction interface {
	Action
	GetListRestrictions() ListRestrictions
}

// A PatchAction changes parts of an object.
type PatchAction interface {
	Action
	GetName() string
	GetPatchType() types.PatchType
	GetPatch() []byte
}

// A WatchAction asks for the events of a kind.
type WatchAction interface {
	Action
	GetWatchRestrictions() WatchRestrictions
}

// A ProxyGetAction is a GET request to a pod or service, by way of the API
// server.
type ProxyGetAction interface {
	Action
	GetScheme() string
	GetName() string
	GetPort() string
	GetPath() string
	GetParams() map[string]string
}

// ListRestrictions say which objects of a kind an action is about.
type ListRestrictions struct {
	Labels labels.Selector
	Fields fields.Selector
}

// WatchRestrictions say which events an action asks for.
type WatchRestrictions struct {
	Labels          labels.Selector
	Fields          fields.Selector
	ResourceVersion string
}

// ExtractFromListOptions returns the selectors and the resource version of opts,
// which must be a [metav1.ListOptions] or a pointer to one. It panics if it is
// not, or if a selector is malformed: that is a mistake in the code under test.
func ExtractFromListOptions(opts interface{}) (labelSelector labels.Selector, fieldSelector fields.Selector, resourceVersion string) {
	options := listOptions(opts)
	labelSelector, err := labels.Parse(options.LabelSelector)
	if err != nil {
		panic(fmt.Errorf("label selector %q of list options: %w", options.LabelSelector, err))
	}
	fieldSelector, err = fields.ParseSelector(options.FieldSelector)
	if err != nil {
		panic(fmt.Errorf("field selector %q of list options: %w", options.FieldSelector, err))
	}
	return labelSelector, fieldSelector, options.ResourceVersion
}

func listOptions(opts any) metav1.ListOptions {
	switch options := opts.(type) {
	case metav1.ListOptions:
		return options
	case *metav1.ListOptions:
		if options != nil {
			return *options
		}
	}
	panic(fmt.Errorf("list options are a %T, want metav1.ListOptions", opts))
}

func restrictions(opts metav1.ListOptions) ListRestrictions {
	labels, fields, _ := ExtractFromListOptions(opts)
	return ListRestrictions{Labels: labels, Fields: fields}
}

// deepCopy leaves nil selectors alone.
func (r ListRestrictions) deepCopy() ListRestrictions {
	return ListRestrictions{Labels: copyLabels(r.Labels), Fields: copyFields(r.Fields)}
}

func copyLabels(s labels.Selector) labels.Selector {
	if s == nil {
		return nil
	}
	return s.DeepCopySelector()
}

func copyFields(s fields.Selector) fields.Selector {
	if s == nil {
		return nil
	}
	return s.DeepCopySelector()
}

// ActionImpl is what all actions have in common.
type ActionImpl struct {
	Namespace   string
	Verb        string
	Resource    schema.GroupVersionResource
	Subresource string
}

// GetNamespace returns the namespace, "" for one that is not in any or is about all.
func (a ActionImpl) GetNamespace() string { return a.Namespace }

// GetVerb returns the verb, in small letters.
func (a ActionImpl) GetVerb() string { return a.Verb }

// GetResource returns the resource in question.
func (a ActionImpl) GetResource() schema.GroupVersionResource { return a.Resource }

// GetSubresource returns the subresource, or "".
func (a ActionImpl) GetSubresource() string { return a.Subresource }

// Matches is described at [Action].
func (a ActionImpl) Matches(verb, resource string) bool {
	if !strings.EqualFold(verb, a.Verb) {
		return false
	}
	parent, subresource, one := strings.Cut(resource, "/")
	return strings.EqualFold(parent, a.Resource.Resource) && (!one || strings.EqualFold(subresource, a.Subresource))
}

// DeepCopy returns a copy.
func (a ActionImpl) DeepCopy() Action { return a }

// at says where an action takes place: subresource may be empty, and so may
// the namespace.
func at(verb string, resource schema.GroupVersionResource, subresource, namespace string) ActionImpl {
	return ActionImpl{Verb: verb, Resource: resource, Subresource: subresource, Namespace: namespace}
}
