package applyconfigurations_test

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	appsapplyv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/applyconfigurations/internal"
	"k8s.io/client-go/internal/fieldownership"
	"sigs.k8s.io/yaml"
)

func deployment[T any](t *testing.T) *T {
	t.Helper()
	content, err := os.ReadFile("testdata/deployment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	object := new(T)
	if err := yaml.UnmarshalStrict(content, object); err != nil {
		t.Fatal(err)
	}
	return object
}

func unstructuredDeployment(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	return &unstructured.Unstructured{Object: *deployment[map[string]any](t)}
}

func asYAML(t *testing.T, object any) string {
	t.Helper()
	content, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(content))
}

var owners = []struct{ manager, subresource string }{
	{"deployer", ""}, {"deployer", "scale"}, {"deployer", "status"},
	{"labeller", ""},
	{"controller", ""}, {"controller", "status"},
	{"nobody", ""},
}

// apimachinery's extraction by the same schema is the oracle.
func TestExtractedFieldsAreThoseThatAPIMachineryExtracts(t *testing.T) {
	objectType := internal.Parser().Type("io.k8s.api.apps.v1.Deployment")
	for _, owner := range owners {
		t.Run(owner.manager+"/"+owner.subresource, func(t *testing.T) {
			typed := deployment[appsv1.Deployment](t)
			var got, want appsapplyv1.DeploymentApplyConfiguration
			err := fieldownership.ExtractInto(typed, objectType, owner.manager, &got, owner.subresource)
			if err != nil {
				t.Fatal(err)
			}
			if err := managedfields.ExtractInto(typed, objectType, owner.manager, &want, owner.subresource); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("it owns\n%s\nwant\n%s", asYAML(t, got), asYAML(t, want))
			}

			var gotUnstructured, wantUnstructured appsapplyv1.DeploymentApplyConfiguration
			err = fieldownership.ExtractInto(unstructuredDeployment(t), objectType, owner.manager, &gotUnstructured, owner.subresource)
			if err != nil {
				t.Fatal(err)
			}
			err = managedfields.ExtractInto(unstructuredDeployment(t), objectType, owner.manager, &wantUnstructured, owner.subresource)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(gotUnstructured, wantUnstructured) {
				t.Errorf("of the unstructured object it owns\n%s\nwant\n%s", asYAML(t, gotUnstructured), asYAML(t, wantUnstructured))
			}
		})
	}
}

// What is known of the object whoever owns it.
const identity = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop`

func TestExtractReturnsWhatAManagerApplied(t *testing.T) {
	for _, test := range []struct {
		manager, subresource, want string
	}{
		{"deployer", "", `apiVersion: apps/v1
kind: Deployment
metadata:
  finalizers:
  - example.com/a
  labels:
    app: web
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - args:
        - serve
        - --quiet
        image: example.com/web:1
        name: main
        ports:
        - containerPort: 80
        resources:
          requests:
            cpu: 250m
      tolerations:
      - key: spot
        operator: Exists`},
		{"deployer", "scale", identity + "\nspec:\n  replicas: 3"},
		{"controller", "status", identity + `
status:
  conditions:
  - status: "True"
    type: Available
  replicas: 3`},
		{"deployer", "status", identity},
		// It has updated the object, which is not applying.
		{"controller", "", identity},
		{"nobody", "", identity},
	} {
		got, err := appsapplyv1.ExtractDeploymentFrom(deployment[appsv1.Deployment](t), test.manager, test.subresource)
		if err != nil {
			t.Fatal(err)
		}
		if content := asYAML(t, got); content != test.want {
			t.Errorf("%q owns by %q\n%s\nwant\n%s", test.manager, test.subresource, content, test.want)
		}
	}
}

func TestExtractOfASubresourceIsExtractFromIt(t *testing.T) {
	type extract func(*appsv1.Deployment, string) (*appsapplyv1.DeploymentApplyConfiguration, error)
	for subresource, of := range map[string]extract{
		"":       appsapplyv1.ExtractDeployment,
		"scale":  appsapplyv1.ExtractDeploymentScale,
		"status": appsapplyv1.ExtractDeploymentStatus,
	} {
		for _, owner := range owners {
			got, err := of(deployment[appsv1.Deployment](t), owner.manager)
			if err != nil {
				t.Fatal(err)
			}
			want, err := appsapplyv1.ExtractDeploymentFrom(deployment[appsv1.Deployment](t), owner.manager, subresource)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q owns by %q\n%s\nwant\n%s", owner.manager, subresource, asYAML(t, got), asYAML(t, want))
			}
		}
	}
}

func TestExtractLeavesTheObjectAsItIs(t *testing.T) {
	object := deployment[appsv1.Deployment](t)
	extracted, err := appsapplyv1.ExtractDeployment(object, "deployer")
	if err != nil {
		t.Fatal(err)
	}
	extracted.Labels["app"] = "other"
	*extracted.Spec.Template.Spec.Containers[0].Image = "other"
	if !reflect.DeepEqual(object, deployment[appsv1.Deployment](t)) {
		t.Errorf("the object is now\n%s", asYAML(t, object))
	}
}

func TestExtractFailsOnManagedFieldsThatAreNone(t *testing.T) {
	object := deployment[appsv1.Deployment](t)
	object.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`[]`)
	if _, err := appsapplyv1.ExtractDeployment(object, "deployer"); err == nil {
		t.Error("extracted from managed fields that cannot be read")
	}
}
