package e2e

import (
	"encoding/json"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	cachedopenapi "k8s.io/client-go/openapi/cached"
	"k8s.io/client-go/openapi3"
)

func TestOpenAPIv2(t *testing.T) {
	t.Parallel()
	document, err := discoveryClient(t).OpenAPISchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, def := range document.GetDefinitions().GetAdditionalProperties() {
		if def.GetName() == "io.k8s.api.core.v1.Pod" {
			return
		}
	}
	t.Error("no definition of a Pod")
}

func TestOpenAPIv3(t *testing.T) {
	t.Parallel()
	config := adminConfig(t)
	sent := recordRequests(config)
	client := cachedopenapi.NewClient(clientset(t, config).Discovery().OpenAPIV3())
	paths, err := client.Paths()
	if err != nil {
		t.Fatal(err)
	}
	apps, ok := paths["apis/apps/v1"]
	if !ok {
		t.Fatalf("no apps/v1 among %d documents", len(paths))
	}
	data, err := apps.Schema("application/json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	if _, ok := document.Components.Schemas["io.k8s.api.apps.v1.Deployment"]; !ok {
		t.Error("no schema of a Deployment")
	}
	if pb, err := apps.Schema("application/com.github.proto-openapi.spec.v3@v1.0+protobuf"); err != nil || len(pb) == 0 || len(pb) >= len(data) {
		t.Errorf("as protobuf: %d bytes, as JSON %d; %v", len(pb), len(data), err)
	}

	before := sent.count()
	if _, err := apps.Schema("application/json"); err != nil {
		t.Error(err)
	}
	if _, err := client.Paths(); err != nil {
		t.Error(err)
	}
	if n := sent.count() - before; n != 0 {
		t.Errorf("%d requests for what is cached", n)
	}

	root := openapi3.NewRoot(client)
	versions, err := root.GroupVersions()
	if err != nil {
		t.Fatal(err)
	}
	batch := schema.GroupVersion{Group: "batch", Version: "v1"}
	if !slices.Contains(versions, batch) {
		t.Errorf("no %s among %v", batch, versions)
	}
	spec, err := root.GVSpec(batch)
	if err != nil {
		t.Fatal(err)
	}
	if spec.Components.Schemas["io.k8s.api.batch.v1.Job"] == nil {
		t.Error("no schema of a Job")
	}
	if _, err := root.GVSpec(schema.GroupVersion{Group: "nothing.example.com", Version: "v1"}); err == nil {
		t.Error("a document of a group that there is not")
	}
}
