package fake

import (
	"errors"
	"reflect"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
)

func TestEvictIsACreateOfThePodsSubresource(t *testing.T) {
	fake := &FakePolicyV1{Fake: &clienttesting.Fake{}}
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "till", Namespace: "shop"}}
	if err := fake.Evictions("shop").Evict(t.Context(), eviction); err != nil {
		t.Fatal(err)
	}
	want := clienttesting.NewCreateAction(schema.GroupVersionResource{Version: "v1", Resource: "pods"}, "shop", eviction)
	want.Subresource = "eviction"
	if !reflect.DeepEqual(fake.Actions(), []clienttesting.Action{want}) {
		t.Errorf("recorded %#v, want %#v", fake.Actions(), want)
	}

	refused := errors.New("not today")
	fake.AddReactor("create", "pods/eviction", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, refused })
	if err := fake.Evictions("shop").Evict(t.Context(), eviction); err != refused {
		t.Errorf("got error %v, want the reactor's", err)
	}
}
