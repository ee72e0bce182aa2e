package gentype

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/internal/gentype"
	"k8s.io/client-go/rest"
)

// objectWithMeta is the constraint on a resource's type: it can be encoded, and
// it tells its name.
type objectWithMeta interface {
	runtime.Object
	metav1.Object
}

// namedObject is the constraint on an apply configuration's type. It can be
// compared so that nil can be told.
type namedObject interface {
	comparable
	GetName() *string
}

// The clients are aliases of types in a package without the fakes, which is all
// that this library's own typed clients link.
type (
	// Client has the verbs that nearly every resource supports: Get, Create,
	// Update, UpdateStatus, Delete, Patch and Watch. GetClient and GetNamespace
	// return what it was made with.
	//
	// # Fields and methods
	//
	//	Create(ctx context.Context, obj T, opts v1.CreateOptions) (T, error)
	//	Delete(ctx context.Context, name string, opts v1.DeleteOptions) error
	//	Get(ctx context.Context, name string, options v1.GetOptions) (T, error)
	//	GetClient() rest.Interface
	//	GetNamespace() string
	//	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts v1.PatchOptions, subresources ...string) (T, error)
	//	Update(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	UpdateStatus(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	Watch(ctx context.Context, opts v1.ListOptions) (watch.Interface, error)
	Client[T objectWithMeta] = gentype.Client[T]

	// ClientWithList is a Client that also has the verbs on collections: List and
	// DeleteCollection.
	//
	// # Fields and methods
	//
	//	Client *gentype.Client[T]
	//	Create(ctx context.Context, obj T, opts v1.CreateOptions) (T, error)
	//	Delete(ctx context.Context, name string, opts v1.DeleteOptions) error
	//	DeleteCollection(ctx context.Context, opts v1.DeleteOptions, listOpts v1.ListOptions) error
	//	Get(ctx context.Context, name string, options v1.GetOptions) (T, error)
	//	GetClient() rest.Interface
	//	GetNamespace() string
	//	List(ctx context.Context, opts v1.ListOptions) (L, error)
	//	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts v1.PatchOptions, subresources ...string) (T, error)
	//	Update(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	UpdateStatus(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	Watch(ctx context.Context, opts v1.ListOptions) (watch.Interface, error)
	ClientWithList[T objectWithMeta, L runtime.Object] = gentype.ClientWithList[T, L]

	// ClientWithApply is a Client that also has server-side apply: Apply and
	// ApplyStatus.
	//
	// # Fields and methods
	//
	//	Client *gentype.Client[T]
	//	Apply(ctx context.Context, obj C, opts v1.ApplyOptions) (T, error)
	//	ApplyStatus(ctx context.Context, obj C, opts v1.ApplyOptions) (T, error)
	//	Create(ctx context.Context, obj T, opts v1.CreateOptions) (T, error)
	//	Delete(ctx context.Context, name string, opts v1.DeleteOptions) error
	//	Get(ctx context.Context, name string, options v1.GetOptions) (T, error)
	//	GetClient() rest.Interface
	//	GetNamespace() string
	//	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts v1.PatchOptions, subresources ...string) (T, error)
	//	Update(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	UpdateStatus(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	Watch(ctx context.Context, opts v1.ListOptions) (watch.Interface, error)
	ClientWithApply[T objectWithMeta, C namedObject] = gentype.ClientWithApply[T, C]

	// ClientWithListAndApply has the verbs on objects and on collections, and
	// server-side apply. Nearly all clients of a clientset are of this type.
	//
	// # Fields and methods
	//
	//	Client *gentype.Client[T]
	//	Apply(ctx context.Context, obj C, opts v1.ApplyOptions) (T, error)
	//	ApplyStatus(ctx context.Context, obj C, opts v1.ApplyOptions) (T, error)
	//	Create(ctx context.Context, obj T, opts v1.CreateOptions) (T, error)
	//	Delete(ctx context.Context, name string, opts v1.DeleteOptions) error
	//	DeleteCollection(ctx context.Context, opts v1.DeleteOptions, listOpts v1.ListOptions) error
	//	Get(ctx context.Context, name string, options v1.GetOptions) (T, error)
	//	GetClient() rest.Interface
	//	GetNamespace() string
	//	List(ctx context.Context, opts v1.ListOptions) (L, error)
	//	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts v1.PatchOptions, subresources ...string) (T, error)
	//	Update(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	UpdateStatus(ctx context.Context, obj T, opts v1.UpdateOptions) (T, error)
	//	Watch(ctx context.Context, opts v1.ListOptions) (watch.Interface, error)
	ClientWithListAndApply[T objectWithMeta, L runtime.Object, C namedObject] = gentype.ClientWithListAndApply[T, L, C]

	// Option changes how a client works. Options are given to its constructor.
	Option[T objectWithMeta] = gentype.Option[T]
)

// PrefersProtobuf makes a client speak protobuf where the configuration names
// no content type. It is for resources that the server can encode as protobuf,
// which custom resources are not among.
func PrefersProtobuf[T objectWithMeta]() Option[T] { return gentype.PrefersProtobuf[T]() }

// NewClient returns a client for a resource, such as "pods", of the group and
// version that client is for. An empty namespace stands for a resource that
// has none, or for all of them. parameterCodec turns options into query
// parameters, and emptyObjectCreator returns a new object to decode into.
func NewClient[T objectWithMeta](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	options ...Option[T],
) *Client[T] {
	return gentype.NewClient(resource, client, parameterCodec, namespace, emptyObjectCreator, options...)
}

// NewClientWithList is [NewClient] for a resource that can be listed.
// emptyListCreator returns a new list to decode into.
func NewClientWithList[T objectWithMeta, L runtime.Object](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	emptyListCreator func() L, options ...Option[T],
) *ClientWithList[T, L] {
	return gentype.NewClientWithList(resource, client, parameterCodec, namespace, emptyObjectCreator, emptyListCreator, options...)
}

// NewClientWithApply is [NewClient] for a resource with apply configurations.
func NewClientWithApply[T objectWithMeta, C namedObject](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	options ...Option[T],
) *ClientWithApply[T, C] {
	return gentype.NewClientWithApply[T, C](resource, client, parameterCodec, namespace, emptyObjectCreator, options...)
}

// NewClientWithListAndApply is [NewClientWithList] for a resource with apply
// configurations.
func NewClientWithListAndApply[T objectWithMeta, L runtime.Object, C namedObject](
	resource string, client rest.Interface, parameterCodec runtime.ParameterCodec, namespace string, emptyObjectCreator func() T,
	emptyListCreator func() L, options ...Option[T],
) *ClientWithListAndApply[T, L, C] {
	return gentype.NewClientWithListAndApply[T, L, C](resource, client, parameterCodec, namespace, emptyObjectCreator, emptyListCreator, options...)
}
