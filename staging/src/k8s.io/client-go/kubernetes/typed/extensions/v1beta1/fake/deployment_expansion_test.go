package fake

import (
	"errors"
	"reflect"
	"testing"

	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

func TestRollbackIsACreateOfTheSubresource(t *testing.T) {
	fake := &FakeExtensionsV1beta1{Fake: &clienttesting.Fake{}}
	rollback := &extensionsv1beta1.DeploymentRollback{Name: "web"}
	options := metav1.CreateOptions{FieldManager: "operator"}
	if err := fake.Deployments("shop").Rollback(t.Context(), rollback, options); err != nil {
		t.Fatal(err)
	}
	want := clienttesting.NewCreateActionWithOptions(extensionsv1beta1.SchemeGroupVersion.WithResource("deployments"), "shop", rollback, options)
	want.Subresource = "rollback"
	if !reflect.DeepEqual(fake.Actions(), []clienttesting.Action{want}) {
		t.Errorf("recorded %#v, want %#v", fake.Actions(), want)
	}

	refused := errors.New("not today")
	fake.AddReactor("create", "deployments/rollback", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, refused })
	if err := fake.Deployments("shop").Rollback(t.Context(), rollback, options); err != refused {
		t.Errorf("got error %v, want the reactor's", err)
	}
}
