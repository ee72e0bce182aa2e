package openapi_test

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi/openapitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTypeConverterKnowsHowListsAreMerged(t *testing.T) {
	converter, err := openapi.NewTypeConverter(openapitest.NewEmbeddedFileClient(), false)
	if err != nil {
		t.Fatal(err)
	}
	pod := func(container, image string) *corev1.Pod {
		return &corev1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Name: "web"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: image}}},
		}
	}
	a, err := converter.ObjectToTyped(pod("a", "one"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := converter.ObjectToTyped(pod("b", "two"))
	if err != nil {
		t.Fatal(err)
	}
	merged, err := a.Merge(b)
	if err != nil {
		t.Fatal(err)
	}
	object, err := converter.TypedToObject(merged)
	if err != nil {
		t.Fatal(err)
	}
	content := object.(interface{ UnstructuredContent() map[string]any }).UnstructuredContent()
	if containers := content["spec"].(map[string]any)["containers"].([]any); len(containers) != 2 {
		t.Errorf("got %v, want both containers", containers)
	}
}

func TestTypeConverterNeedsAllDocuments(t *testing.T) {
	down := errors.New("down")
	fake := openapitest.NewFakeClient()
	fake.PathsMap["api/v1"] = openapitest.FakeGroupVersion{GVSpec: []byte(`{"openapi":"3.0.0"}`)}
	if _, err := openapi.NewTypeConverter(fake, false); err != nil {
		t.Errorf("a document without schemas: %v", err)
	}
	fake.PathsMap["apis/apps/v1"] = openapitest.FakeGroupVersion{ForcedErr: down}
	if _, err := openapi.NewTypeConverter(fake, false); !errors.Is(err, down) || !strings.Contains(err.Error(), "apis/apps/v1") {
		t.Errorf("got %v", err)
	}
	fake.PathsMap["apis/apps/v1"] = openapitest.FakeGroupVersion{GVSpec: []byte(`{`)}
	if _, err := openapi.NewTypeConverter(fake, false); err == nil {
		t.Error("no error for a malformed document")
	}
	fake.ForcedErr = down
	if _, err := openapi.NewTypeConverter(fake, false); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}
