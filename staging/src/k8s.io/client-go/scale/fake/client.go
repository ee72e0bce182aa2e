// Package fake is a scale client for tests. It records what is asked of it, and
// leaves the answers to reactors of the embedded [testing.Fake]:
//
//	client := &fake.FakeScaleClient{}
//	client.AddReactor("get", "deployments", func(testing.Action) (bool, runtime.Object, error) {
//		return true, &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 3}}, nil
//	})
package fake

import (
	"context"
	"fmt"

	autoscalingapi "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/testing"
)

// FakeScaleClient is a [scale.ScalesGetter] whose zero value is ready for use.
// Where no reactor answers, scales are empty.
type FakeScaleClient struct {
	testing.Fake
}

var _ scale.ScalesGetter = (*FakeScaleClient)(nil)

// Scales returns the client for the scales in a namespace.
func (f *FakeScaleClient) Scales(namespace string) scale.ScaleInterface {
	return &scaleClient{fake: &f.Fake, namespace: namespace}
}

type scaleClient struct {
	fake      *testing.Fake
	namespace string
}

func (c *scaleClient) Get(ctx context.Context, resource schema.GroupResource, name string, opts metav1.GetOptions) (*autoscalingapi.Scale, error) {
	return c.invoke(testing.NewGetSubresourceActionWithOptions(resource.WithVersion(""), c.namespace, "scale", name, opts))
}

func (c *scaleClient) Update(ctx context.Context, resource schema.GroupResource, scale *autoscalingapi.Scale, opts metav1.UpdateOptions) (*autoscalingapi.Scale, error) {
	return c.invoke(testing.NewUpdateSubresourceActionWithOptions(resource.WithVersion(""), "scale", c.namespace, scale, opts))
}

func (c *scaleClient) Patch(ctx context.Context, gvr schema.GroupVersionResource, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions) (*autoscalingapi.Scale, error) {
	return c.invoke(testing.NewPatchSubresourceActionWithOptions(gvr, c.namespace, name, pt, data, opts, "scale"))
}

// invoke has the reactors answer an action with a scale.
func (c *scaleClient) invoke(action testing.Action) (*autoscalingapi.Scale, error) {
	answer, err := c.fake.Invokes(action, new(autoscalingapi.Scale))
	if err != nil {
		return nil, err
	}
	got, ok := answer.(*autoscalingapi.Scale)
	if !ok {
		return nil, fmt.Errorf("a reactor answered %s of the scale of %s with a %T, which should be a *autoscaling/v1.Scale",
			action.GetVerb(), action.GetResource().Resource, answer)
	}
	return got, nil
}
