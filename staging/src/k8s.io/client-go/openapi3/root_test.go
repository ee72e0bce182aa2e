package openapi3_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi/openapitest"
	"k8s.io/client-go/openapi3"
)

func TestGroupVersionsAreThoseWithAVersion(t *testing.T) {
	client := openapitest.NewFakeClient()
	for _, path := range []string{"api", "apis", "api/v1", "apis/batch/v1", "apis/apps/v1", "apis/apps", "version", "apis/a/b/c", "openid/v1/jwks", "/apis/leading/v1", "api/", "apis//v1"} {
		client.PathsMap[path] = openapitest.FakeGroupVersion{}
	}
	got, err := openapi3.NewRoot(client).GroupVersions()
	want := []schema.GroupVersion{{Group: "apps", Version: "v1"}, {Group: "batch", Version: "v1"}, {Group: "leading", Version: "v1"}, {Version: "v1"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestDocumentIsFoundByItsVersion(t *testing.T) {
	client := openapitest.NewFakeClient()
	client.PathsMap["api/v1"] = openapitest.FakeGroupVersion{GVSpec: []byte(`{"openapi":"3.0.0","info":{"title":"core"}}`)}
	client.PathsMap["apis/apps/v1"] = openapitest.FakeGroupVersion{GVSpec: []byte(`{"openapi":"3.0.0","info":{"title":"apps"}}`)}
	root := openapi3.NewRoot(client)
	for gv, want := range map[schema.GroupVersion]string{{Version: "v1"}: "core", {Group: "apps", Version: "v1"}: "apps"} {
		document, err := root.GVSpec(gv)
		if err != nil || document.Info.Title != want {
			t.Errorf("%v: got %v, %v", gv, document, err)
		}
		asMap, err := root.GVSpecAsMap(gv)
		if err != nil || asMap["info"].(map[string]any)["title"] != want {
			t.Errorf("%v: got %v, %v", gv, asMap, err)
		}
	}
}

func TestVersionWithoutADocument(t *testing.T) {
	root := openapi3.NewRoot(openapitest.NewFakeClient())
	var missing *openapi3.GroupVersionNotFoundError
	gv := schema.GroupVersion{Group: "apps", Version: "v7"}
	if document, err := root.GVSpec(gv); !errors.As(err, &missing) || document != nil || !strings.Contains(err.Error(), "apps/v7") {
		t.Errorf("got %v, %v", document, err)
	}
	if document, err := root.GVSpecAsMap(gv); !errors.As(err, &missing) || document != nil {
		t.Errorf("got %v, %v", document, err)
	}
}

func TestFailuresAreReported(t *testing.T) {
	down := errors.New("down")
	gv := schema.GroupVersion{Version: "v1"}
	for name, client := range map[string]*openapitest.FakeClient{
		"no root":     {ForcedErr: down},
		"no document": {PathsMap: map[string]openapi.GroupVersion{"api/v1": openapitest.FakeGroupVersion{ForcedErr: down}}},
	} {
		if _, err := openapi3.NewRoot(client).GVSpec(gv); !errors.Is(err, down) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := openapi3.NewRoot(&openapitest.FakeClient{ForcedErr: down}).GroupVersions(); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	malformed := &openapitest.FakeClient{PathsMap: map[string]openapi.GroupVersion{"api/v1": openapitest.FakeGroupVersion{GVSpec: []byte("{")}}}
	if _, err := openapi3.NewRoot(malformed).GVSpecAsMap(gv); err == nil || !strings.Contains(err.Error(), "v1") {
		t.Errorf("got %v", err)
	}
}

// The type of a field is looked up.
func Example() {
	root := openapi3.NewRoot(openapitest.NewEmbeddedFileClient())
	apps, err := root.GVSpec(schema.GroupVersion{Group: "apps", Version: "v1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	spec := apps.Components.Schemas["io.k8s.api.apps.v1.DeploymentSpec"]
	fmt.Println(spec.Properties["replicas"].Type)
	// Output: [integer]
}
