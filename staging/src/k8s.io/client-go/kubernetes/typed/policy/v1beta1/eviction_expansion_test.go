package v1beta1_test

import (
	"context"
	"testing"

	policyv1beta1 "k8s.io/api/policy/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/typed/internal/servertest"
	typedpolicyv1beta1 "k8s.io/client-go/kubernetes/typed/policy/v1beta1"
	"k8s.io/client-go/rest"
)

func TestEvictSendsTheEvictionToThePodOfItsName(t *testing.T) {
	grace := int64(5)
	eviction := &policyv1beta1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Name: "till", Namespace: "shop"},
		DeleteOptions: &metav1.DeleteOptions{GracePeriodSeconds: &grace},
	}
	// The eviction tells the namespace, whatever the client's is.
	calls := map[string]servertest.Call{}
	for _, namespace := range []string{"shop", "cellar", ""} {
		calls["client for namespace "+namespace] = servertest.Call{
			Do: func(ctx context.Context, config *rest.Config) (any, error) {
				return nil, typedpolicyv1beta1.NewForConfigOrDie(config).Evictions(namespace).Evict(ctx, eviction)
			},
			Want: servertest.Request{
				Method: "POST", Path: "/api/v1/namespaces/shop/pods/till/eviction",
				Kind: "policy/v1beta1, Kind=Eviction", Object: eviction,
			},
		}
	}
	servertest.Run(t, calls)
}
