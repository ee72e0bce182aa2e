// Package metadata is a client for the metadata of any object of a Kubernetes
// API server: its name, labels, owners and so on, without spec and status. For
// what needs no more than that, such as garbage collection, it is a fraction of
// the traffic and the memory of full objects.
//
//	client, err := metadata.NewForConfig(config)
//	…
//	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
//	list, err := client.Resource(pods).Namespace("default").List(ctx, metav1.ListOptions{})
//
// The server is asked for objects as PartialObjectMetadata, as protobuf where it
// can and as JSON otherwise. From a server that sends full objects in JSON all
// the same, the metadata is taken out of them. Watch cannot do that: it needs a
// server that knows PartialObjectMetadata.
//
// # Errors
//
// What the server refuses is an error of [k8s.io/apimachinery/pkg/api/errors].
// A name or a namespace that cannot be part of a path, or a name that is
// missing, is an error before anything is sent. An answer that is no object, or
// no list where one was asked for, is an error too.
package metadata

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Interface is a metadata client, or a fake of one.
type Interface interface {
	// Resource returns a client for one resource, such as "pods" of "v1".
	Resource(resource schema.GroupVersionResource) Getter
}

// Getter is a client for a resource in all of the cluster. Namespace narrows it
// down to one namespace.
type Getter interface {
	Namespace(string) ResourceInterface
	ResourceInterface
}

// ResourceInterface has the verbs for one resource that make sense without spec
// and status. Metadata is changed with Patch: there is no Update, since the
// server would take what is missing for deleted.
type ResourceInterface interface {
	Delete(ctx context.Context, name string, options metav1.DeleteOptions, subresources ...string) error
	// DeleteCollection deletes the objects that listOptions select.
	DeleteCollection(ctx context.Context, options metav1.DeleteOptions, listOptions metav1.ListOptions) error
	Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (*metav1.PartialObjectMetadata, error)
	// List returns the metadata of the objects that opts select.
	List(ctx context.Context, opts metav1.ListOptions) (*metav1.PartialObjectMetadataList, error)
	// Watch returns the changes to the objects that opts select. The caller
	// stops the watch when done with it.
	Watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error)
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*metav1.PartialObjectMetadata, error)
}
