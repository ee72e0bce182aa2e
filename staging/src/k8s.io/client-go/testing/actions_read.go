package testing

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GetActionImpl is a [GetAction].
type GetActionImpl struct {
	ActionImpl
	Name       string
	GetOptions metav1.GetOptions
}

// NewGetAction returns an action that reads an object in a namespace.
func NewGetAction(resource schema.GroupVersionResource, namespace, name string) GetActionImpl {
	return get(resource, "", namespace, name, metav1.GetOptions{})
}

// NewGetActionWithOptions is NewGetAction with options.
func NewGetActionWithOptions(resource schema.GroupVersionResource, namespace, name string, opts metav1.GetOptions) GetActionImpl {
	return get(resource, "", namespace, name, opts)
}

// NewGetSubresourceAction returns an action that reads a subresource of an
// object in a namespace.
func NewGetSubresourceAction(resource schema.GroupVersionResource, namespace, subresource, name string) GetActionImpl {
	return get(resource, subresource, namespace, name, metav1.GetOptions{})
}

// NewGetSubresourceActionWithOptions is NewGetSubresourceAction with options.
func NewGetSubresourceActionWithOptions(resource schema.GroupVersionResource, namespace, subresource, name string, opts metav1.GetOptions) GetActionImpl {
	return get(resource, subresource, namespace, name, opts)
}

// NewRootGetAction returns an action that reads an object of a cluster-wide
// resource.
func NewRootGetAction(resource schema.GroupVersionResource, name string) GetActionImpl {
	return get(resource, "", "", name, metav1.GetOptions{})
}

// NewRootGetActionWithOptions is NewRootGetAction with options.
func NewRootGetActionWithOptions(resource schema.GroupVersionResource, name string, opts metav1.GetOptions) GetActionImpl {
	return get(resource, "", "", name, opts)
}

// NewRootGetSubresourceAction returns an action that reads a subresource of an
// object of a cluster-wide resource.
func NewRootGetSubresourceAction(resource schema.GroupVersionResource, subresource, name string) GetActionImpl {
	return get(resource, subresource, "", name, metav1.GetOptions{})
}

// NewRootGetSubresourceActionWithOptions is NewRootGetSubresourceAction with
// options.
func NewRootGetSubresourceActionWithOptions(resource schema.GroupVersionResource, subresource, name string, opts metav1.GetOptions) GetActionImpl {
	return get(resource, subresource, "", name, opts)
}

func get(resource schema.GroupVersionResource, subresource, namespace, name string, opts metav1.GetOptions) GetActionImpl {
	return GetActionImpl{ActionImpl: at("get", resource, subresource, namespace), Name: name, GetOptions: opts}
}

// GetName returns the name of the object.
func (a GetActionImpl) GetName() string { return a.Name }

// GetGetOptions returns the options of the request.
func (a GetActionImpl) GetGetOptions() metav1.GetOptions { return a.GetOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a GetActionImpl) DeepCopy() Action {
	a.GetOptions = *a.GetOptions.DeepCopy()
	return a
}

// ListActionImpl is a [ListAction]. No constructor sets its Name.
type ListActionImpl struct {
	ActionImpl
	Kind             schema.GroupVersionKind
	Name             string
	ListRestrictions ListRestrictions
	ListOptions      metav1.ListOptions
}

// NewListAction returns an action that lists objects of a kind in a namespace,
// or in all if it is "". The selectors of opts, a [metav1.ListOptions], are all
// that is kept of it.
func NewListAction(resource schema.GroupVersionResource, kind schema.GroupVersionKind, namespace string, opts interface{}) ListActionImpl {
	return list(resource, kind, namespace, selectorsOf(opts))
}

// NewListActionWithOptions is NewListAction, but keeps all options.
func NewListActionWithOptions(resource schema.GroupVersionResource, kind schema.GroupVersionKind, namespace string, opts metav1.ListOptions) ListActionImpl {
	return list(resource, kind, namespace, opts)
}

// NewRootListAction returns an action that lists objects of a cluster-wide
// kind. The selectors of opts, a [metav1.ListOptions], are all that is kept of
// it.
func NewRootListAction(resource schema.GroupVersionResource, kind schema.GroupVersionKind, opts interface{}) ListActionImpl {
	return list(resource, kind, "", selectorsOf(opts))
}

// NewRootListActionWithOptions is NewRootListAction, but keeps all options.
func NewRootListActionWithOptions(resource schema.GroupVersionResource, kind schema.GroupVersionKind, opts metav1.ListOptions) ListActionImpl {
	return list(resource, kind, "", opts)
}

func list(resource schema.GroupVersionResource, kind schema.GroupVersionKind, namespace string, opts metav1.ListOptions) ListActionImpl {
	return ListActionImpl{
		ActionImpl:       at("list", resource, "", namespace),
		Kind:             kind,
		ListRestrictions: restrictions(opts),
		ListOptions:      opts,
	}
}

func selectorsOf(opts any) metav1.ListOptions {
	all := listOptions(opts)
	return metav1.ListOptions{LabelSelector: all.LabelSelector, FieldSelector: all.FieldSelector}
}

// GetKind returns the kind of the objects, not that of the list.
func (a ListActionImpl) GetKind() schema.GroupVersionKind { return a.Kind }

// GetListRestrictions returns the selectors of the request, parsed.
func (a ListActionImpl) GetListRestrictions() ListRestrictions { return a.ListRestrictions }

// GetListOptions returns the options of the request.
func (a ListActionImpl) GetListOptions() metav1.ListOptions { return a.ListOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a ListActionImpl) DeepCopy() Action {
	a.ListRestrictions = a.ListRestrictions.deepCopy()
	a.ListOptions = *a.ListOptions.DeepCopy()
	return a
}

// WatchActionImpl is a [WatchAction].
type WatchActionImpl struct {
	ActionImpl
	WatchRestrictions WatchRestrictions
	ListOptions       metav1.ListOptions
}

// NewWatchAction returns an action that watches a resource in a namespace, or
// in all if it is "". opts must be a [metav1.ListOptions].
func NewWatchAction(resource schema.GroupVersionResource, namespace string, opts interface{}) WatchActionImpl {
	return watching(resource, namespace, listOptions(opts))
}

// NewWatchActionWithOptions is NewWatchAction with typed options.
func NewWatchActionWithOptions(resource schema.GroupVersionResource, namespace string, opts metav1.ListOptions) WatchActionImpl {
	return watching(resource, namespace, opts)
}

// NewRootWatchAction returns an action that watches a cluster-wide resource.
// opts must be a [metav1.ListOptions].
func NewRootWatchAction(resource schema.GroupVersionResource, opts interface{}) WatchActionImpl {
	return watching(resource, "", listOptions(opts))
}

// NewRootWatchActionWithOptions is NewRootWatchAction with typed options.
func NewRootWatchActionWithOptions(resource schema.GroupVersionResource, opts metav1.ListOptions) WatchActionImpl {
	return watching(resource, "", opts)
}

func watching(resource schema.GroupVersionResource, namespace string, opts metav1.ListOptions) WatchActionImpl {
	action := WatchActionImpl{ActionImpl: at("watch", resource, "", namespace), ListOptions: opts}
	limits := &action.WatchRestrictions
	limits.Labels, limits.Fields, limits.ResourceVersion = ExtractFromListOptions(opts)
	return action
}

// GetWatchRestrictions returns the selectors and resource version of the
// request, parsed.
func (a WatchActionImpl) GetWatchRestrictions() WatchRestrictions { return a.WatchRestrictions }

// GetListOptions returns the options of the request.
func (a WatchActionImpl) GetListOptions() metav1.ListOptions { return a.ListOptions }

// DeepCopy returns a copy that shares nothing with a.
func (a WatchActionImpl) DeepCopy() Action {
	a.WatchRestrictions.Labels = copyLabels(a.WatchRestrictions.Labels)
	a.WatchRestrictions.Fields = copyFields(a.WatchRestrictions.Fields)
	a.ListOptions = *a.ListOptions.DeepCopy()
	return a
}

// ProxyGetActionImpl is a [ProxyGetAction].
type ProxyGetActionImpl struct {
	ActionImpl
	Scheme string
	Name   string
	Port   string
	Path   string
	Params map[string]string
}

// NewProxyGetAction returns an action that sends a GET request to a pod or
// service by way of the API server.
func NewProxyGetAction(resource schema.GroupVersionResource, namespace, scheme, name, port, path string, params map[string]string) ProxyGetActionImpl {
	return ProxyGetActionImpl{
		ActionImpl: at("get", resource, "", namespace),
		Scheme:     scheme, Name: name, Port: port, Path: path, Params: params,
	}
}

// GetScheme returns the URL scheme to speak to the target.
func (a ProxyGetActionImpl) GetScheme() string { return a.Scheme }

// GetName returns the name of the pod or service.
func (a ProxyGetActionImpl) GetName() string { return a.Name }

// GetPort returns the name or number of the port.
func (a ProxyGetActionImpl) GetPort() string { return a.Port }

// GetPath returns the path of the URL.
func (a ProxyGetActionImpl) GetPath() string { return a.Path }

// GetParams returns the query parameters.
func (a ProxyGetActionImpl) GetParams() map[string]string { return a.Params }

// DeepCopy returns a copy that shares nothing with a.
func (a ProxyGetActionImpl) DeepCopy() Action {
	a.Params = maps.Clone(a.Params)
	return a
}
