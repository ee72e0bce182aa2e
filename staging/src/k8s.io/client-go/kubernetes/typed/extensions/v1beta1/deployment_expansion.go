package v1beta1

import (
	"context"

	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeploymentExpansion has the methods of deployments that go to sub-resources.
type DeploymentExpansion interface {
	// Rollback sets the deployment that it is named after back to an earlier
	// revision. Servers from 1.16 on have no deployments in this group.
	Rollback(context.Context, *extensionsv1beta1.DeploymentRollback, metav1.CreateOptions) error
}

func (c *deployments) Rollback(ctx context.Context, rollback *extensionsv1beta1.DeploymentRollback, opts metav1.CreateOptions) error {
	return c.GetClient().Post().
		Namespace(c.GetNamespace()).
		Resource("deployments").Name(rollback.Name).SubResource("rollback").
		VersionedParams(&opts, groupScheme.ParameterCodec()).
		Body(rollback).
		Do(ctx).Error()
}
