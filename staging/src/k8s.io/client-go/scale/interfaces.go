// Package scale is a client for the scale subresource: how many replicas there
// should be, and are, of a deployment, a stateful set or any custom resource
// that can be scaled. Whoever scales need not know more of a resource.
//
//	resolver := scale.NewDiscoveryScaleKindResolver(discoveryClient)
//	scales, err := scale.NewForConfig(config, mapper, dynamic.LegacyAPIPathResolverFunc, resolver)
//	…
//	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
//	s, err := scales.Scales("default").Get(ctx, deployments, "web", metav1.GetOptions{})
//
// Servers write a scale in one of several forms; see [ScaleConverter]. This
// client takes all of them and always returns that of autoscaling/v1.
package scale

import (
	"context"

	autoscalingapi "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// ScalesGetter returns the client for the scales in a namespace. The empty
// namespace is for resources that have none.
type ScalesGetter interface {
	Scales(namespace string) ScaleInterface
}

// ScaleInterface reads and changes scales. Get and Update choose the version of
// the resource by themselves.
type ScaleInterface interface {
	// Get returns the scale of the object called name.
	Get(ctx context.Context, resource schema.GroupResource, name string, opts metav1.GetOptions) (*autoscalingapi.Scale, error)

	// Update replaces the scale of the object that has the scale's name, and
	// returns what the server stored.
	Update(ctx context.Context, resource schema.GroupResource, scale *autoscalingapi.Scale, opts metav1.UpdateOptions) (*autoscalingapi.Scale, error)

	// Patch changes the scale of the object called name. The patch has to fit
	// the form of scale that the server has for this version of the resource.
	Patch(ctx context.Context, gvr schema.GroupVersionResource, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions) (*autoscalingapi.Scale, error)
}

// PreferredResourceMapper says which version of a resource to use. A RESTMapper
// of k8s.io/apimachinery/pkg/api/meta is one.
type PreferredResourceMapper interface {
	// ResourceFor completes a resource, whose version may be missing.
	ResourceFor(resource schema.GroupVersionResource) (preferredResource schema.GroupVersionResource, err error)
}

// ScaleKindResolver says which form of scale a resource has.
type ScaleKindResolver interface {
	// ScaleForResource returns the kind of a resource's scale subresource.
	ScaleForResource(resource schema.GroupVersionResource) (scaleVersion schema.GroupVersionKind, err error)
}
