package fake

import (
	"errors"
	"reflect"
	"testing"

	autoscalingapi "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
)

func TestActionsAreRecordedAndAnswered(t *testing.T) {
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	c := new(FakeScaleClient)
	want := &autoscalingapi.Scale{Spec: autoscalingapi.ScaleSpec{Replicas: 3}}
	var answer runtime.Object = want
	var failure error
	c.AddReactor("*", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) { return true, answer, failure })
	scales := c.Scales("ns")
	calls := []func() (*autoscalingapi.Scale, error){
		func() (*autoscalingapi.Scale, error) {
			return scales.Get(t.Context(), deployments, "web", metav1.GetOptions{})
		},
		func() (*autoscalingapi.Scale, error) {
			return scales.Update(t.Context(), deployments, want, metav1.UpdateOptions{FieldManager: "me"})
		},
		func() (*autoscalingapi.Scale, error) {
			return scales.Patch(t.Context(), deployments.WithVersion("v1"), "web", types.MergePatchType, []byte("{}"), metav1.PatchOptions{})
		},
	}
	for i, call := range calls {
		if got, err := call(); err != nil || got.Spec.Replicas != 3 {
			t.Errorf("call %d: %v, %v", i, got, err)
		}
	}
	wantActions := []clienttesting.Action{
		clienttesting.NewGetSubresourceActionWithOptions(deployments.WithVersion(""), "ns", "scale", "web", metav1.GetOptions{}),
		clienttesting.NewUpdateSubresourceActionWithOptions(deployments.WithVersion(""), "scale", "ns", want, metav1.UpdateOptions{FieldManager: "me"}),
		clienttesting.NewPatchSubresourceActionWithOptions(deployments.WithVersion("v1"), "ns", "web", types.MergePatchType, []byte("{}"), metav1.PatchOptions{}, "scale"),
	}
	if got := c.Actions(); !reflect.DeepEqual(got, wantActions) {
		t.Errorf("got\n%#v, want\n%#v", got, wantActions)
	}
	for _, answer = range []runtime.Object{nil, new(metav1.Status)} {
		for i, call := range calls {
			if got, err := call(); err == nil {
				t.Errorf("call %d: a %T passes for a scale: %v", i, answer, got)
			}
		}
	}
	failure = errors.New("boom")
	for i, call := range calls {
		if _, err := call(); !errors.Is(err, failure) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if got, err := new(FakeScaleClient).Scales("").Get(t.Context(), deployments, "web", metav1.GetOptions{}); err != nil || got == nil {
		t.Errorf("without reactors: %v, %v", got, err)
	}
}
