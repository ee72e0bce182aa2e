package v1beta1_test

import (
	"context"
	"testing"

	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedextensionsv1beta1 "k8s.io/client-go/kubernetes/typed/extensions/v1beta1"
	"k8s.io/client-go/kubernetes/typed/internal/servertest"
	"k8s.io/client-go/rest"
)

func TestRollbackIsSentToTheDeploymentOfItsName(t *testing.T) {
	rollback := &extensionsv1beta1.DeploymentRollback{
		Name:               "web",
		UpdatedAnnotations: map[string]string{"reason": "slow"},
		RollbackTo:         extensionsv1beta1.RollbackConfig{Revision: 3},
	}
	servertest.Run(t, map[string]servertest.Call{"Rollback": {
		Do: func(ctx context.Context, config *rest.Config) (any, error) {
			deployments := typedextensionsv1beta1.NewForConfigOrDie(config).Deployments("shop")
			return nil, deployments.Rollback(ctx, rollback, metav1.CreateOptions{FieldManager: "operator"})
		},
		Want: servertest.Request{
			Method: "POST", Path: "/apis/extensions/v1beta1/namespaces/shop/deployments/web/rollback", Query: "fieldManager=operator",
			Kind: "extensions/v1beta1, Kind=DeploymentRollback", Object: rollback,
		},
	}})
}
