package gentype

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// NamedObject is the constraint on an apply configuration's type. It can be
// compared so that nil can be told.
type NamedObject interface {
	comparable
	GetName() *string
}

// applier adds server-side apply to the client that it points into.
type applier[T Object, C NamedObject] struct {
	client *Client[T]
}

// Apply sends the fields that the caller wants to own, and returns the object
// that came of it. opts.FieldManager says who the caller is. Fields that
// somebody else owns are a conflict unless opts.Force is set.
func (a *applier[T, C]) Apply(ctx context.Context, obj C, opts metav1.ApplyOptions) (T, error) {
	name, err := NameToApply(obj, errNoObject, errNoObjectName)
	if err != nil {
		return *new(T), err
	}
	applied := a.client.newObject()
	return applied, a.client.endpoint.apply(ctx, name, obj, opts, applied)
}

// ApplyStatus is Apply for the status alone.
func (a *applier[T, C]) ApplyStatus(ctx context.Context, obj C, opts metav1.ApplyOptions) (T, error) {
	name, err := NameToApply(obj, errNoObject, errNoObjectName)
	if err != nil {
		return *new(T), err
	}
	applied := a.client.newObject()
	return applied, a.client.endpoint.apply(ctx, name, obj, opts, applied, "status")
}

var (
	errNoObject     = errors.New("object provided to Apply must not be nil")
	errNoObjectName = errors.New("obj.Name must be provided to Apply")
)

// NameToApply returns the name of an apply configuration, or one of the given
// errors if there is no configuration or it has no name.
func NameToApply[C NamedObject](configuration C, missing, unnamed error) (string, error) {
	var none C
	if configuration == none {
		return "", missing
	}
	name := configuration.GetName()
	if name == nil {
		return "", unnamed
	}
	return *name, nil
}

// ClientWithApply is a Client that also has server-side apply.
type ClientWithApply[T Object, C NamedObject] struct {
	*Client[T]
	applier[T, C]
}

// NewClientWithApply is [NewClient] for a resource with apply configurations.
func NewClientWithApply[T Object, C NamedObject](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	options ...Option[T],
) *ClientWithApply[T, C] {
	c := new(struct {
		all  ClientWithApply[T, C]
		base Client[T]
	})
	c.base.init(endpoint{client: client, codec: parameterCodec, resource: resource, namespace: namespace}, emptyObjectCreator, options)
	c.all.Client = &c.base
	c.all.applier = applier[T, C]{&c.base}
	return &c.all
}

// ClientWithListAndApply has the verbs on objects and on collections, and
// server-side apply. Nearly all clients of a clientset are of this type.
type ClientWithListAndApply[T Object, L runtime.Object, C NamedObject] struct {
	*Client[T]
	lister[L]
	applier[T, C]
}

// NewClientWithListAndApply is [NewClientWithList] for a resource with apply
// configurations.
func NewClientWithListAndApply[T Object, L runtime.Object, C NamedObject](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	emptyListCreator func() L, options ...Option[T],
) *ClientWithListAndApply[T, L, C] {
	c := new(struct {
		all  ClientWithListAndApply[T, L, C]
		base Client[T]
	})
	c.base.init(endpoint{client: client, codec: parameterCodec, resource: resource, namespace: namespace}, emptyObjectCreator, options)
	c.all.Client = &c.base
	c.all.lister = lister[L]{&c.base.endpoint, emptyListCreator}
	c.all.applier = applier[T, C]{&c.base}
	return &c.all
}
