package v1

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NamespaceExpansion has the methods of namespaces that go to sub-resources.
type NamespaceExpansion interface {
	// Finalize writes the namespace's spec.finalizers, which an update leaves as
	// they are, and returns the namespace. A namespace that is being deleted
	// goes when the last finalizer has.
	Finalize(ctx context.Context, item *corev1.Namespace, opts metav1.UpdateOptions) (*corev1.Namespace, error)
}

func (c *namespaces) Finalize(ctx context.Context, namespace *corev1.Namespace, opts metav1.UpdateOptions) (*corev1.Namespace, error) {
	result := &corev1.Namespace{}
	err := c.GetClient().Put().
		Resource("namespaces").Name(namespace.Name).SubResource("finalize").
		VersionedParams(&opts, groupScheme.ParameterCodec()).
		Body(namespace).
		Do(ctx).Into(result)
	return result, err
}
