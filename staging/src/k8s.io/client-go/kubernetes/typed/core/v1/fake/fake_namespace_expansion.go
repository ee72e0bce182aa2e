package fake

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/testing"
)

func (c *fakeNamespaces) Finalize(ctx context.Context, namespace *corev1.Namespace, opts metav1.UpdateOptions) (*corev1.Namespace, error) {
	action := testing.NewRootCreateAction(c.Resource(), namespace)
	action.Subresource = "finalize"
	return answer.Of[*corev1.Namespace](c.Fake, action, namespace, nil)
}
