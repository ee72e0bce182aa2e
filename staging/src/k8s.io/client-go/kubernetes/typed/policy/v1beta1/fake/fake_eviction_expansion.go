package fake

import (
	"context"

	policyv1beta1 "k8s.io/api/policy/v1beta1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/testing"
)

func (c *fakeEvictions) Evict(ctx context.Context, eviction *policyv1beta1.Eviction) error {
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	action := testing.NewCreateAction(pods, c.Namespace(), eviction)
	action.Subresource = "eviction"
	_, err := c.Fake.Invokes(action, eviction)
	return err
}
