package fake

import (
	"context"

	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/testing"
)

func (c *fakeDeployments) Rollback(ctx context.Context, rollback *extensionsv1beta1.DeploymentRollback, opts metav1.CreateOptions) error {
	action := testing.NewCreateActionWithOptions(c.Resource(), c.Namespace(), rollback, opts)
	action.Subresource = "rollback"
	_, err := c.Fake.Invokes(action, rollback)
	return err
}
