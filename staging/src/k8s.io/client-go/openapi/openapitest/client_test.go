package openapitest_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi/openapitest"
	"k8s.io/client-go/openapi3"
)

var (
	_ openapi.Client       = openapitest.FakeClient{}
	_ openapi.GroupVersion = openapitest.FakeGroupVersion{}
)

func TestEmbeddedDocumentsCanBeRead(t *testing.T) {
	root := openapi3.NewRoot(openapitest.NewEmbeddedFileClient())
	versions, err := root.GroupVersions()
	if err != nil || len(versions) != 5 {
		t.Fatalf("got %v, %v", versions, err)
	}
	for _, gv := range versions {
		document, err := root.GVSpec(gv)
		if err != nil || len(document.Paths.Paths) == 0 || document.Components == nil {
			t.Errorf("%v: got %v, %v", gv, document, err)
			continue
		}
		for name, schema := range document.Components.Schemas {
			for property, s := range schema.Properties {
				for _, part := range s.AllOf {
					target := filepath.Base(part.Ref.String())
					if _, ok := document.Components.Schemas[target]; !ok {
						t.Errorf("%s.%s refers to %s, which is not there", name, property, target)
					}
				}
			}
		}
	}
}

func TestEmbeddedSchemasDescribeTheirFields(t *testing.T) {
	paths, err := openapitest.NewEmbeddedFileClient().Paths()
	if err != nil {
		t.Fatal(err)
	}
	body, err := paths["apis/apps/v1"].Schema("application/json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Description string
				Kinds       []map[string]string `json:"x-kubernetes-group-version-kind"`
				Properties  map[string]struct {
					Type, Description string
					ListType          string   `json:"x-kubernetes-list-type"`
					ListKeys          []string `json:"x-kubernetes-list-map-keys"`
				}
			}
		}
	}
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	deployment := document.Components.Schemas["io.k8s.api.apps.v1.Deployment"]
	if deployment.Description == "" || len(deployment.Kinds) != 1 || deployment.Kinds[0]["kind"] != "Deployment" {
		t.Errorf("got %+v", deployment)
	}
	ports := document.Components.Schemas["io.k8s.api.core.v1.Container"].Properties["ports"]
	if ports.Type != "array" || ports.Description == "" || ports.ListType != "map" || !slices.Equal(ports.ListKeys, []string{"containerPort", "protocol"}) {
		t.Errorf("got %+v", ports)
	}
}

func TestEmbeddedPatchesTellTheirParameters(t *testing.T) {
	root := openapi3.NewRoot(openapitest.NewEmbeddedFileClient())
	for path, gv := range map[string]schema.GroupVersion{
		"/api/v1/namespaces/{name}":                                {Version: "v1"},
		"/apis/batch/v1/namespaces/{namespace}/jobs/{name}":        {Group: "batch", Version: "v1"},
		"/apis/apps/v1/namespaces/{namespace}/deployments/{name}":  {Group: "apps", Version: "v1"},
		"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}": {Group: "apps", Version: "v1"},
	} {
		document, err := root.GVSpec(gv)
		if err != nil {
			t.Fatal(err)
		}
		at := document.Paths.Paths[path]
		if at == nil || at.Get == nil || at.Put == nil || at.Patch == nil || at.Delete == nil {
			t.Errorf("%s: operations are missing in %+v", path, at)
			continue
		}
		var names []string
		for _, p := range at.Patch.Parameters {
			if p.In != "query" || p.Schema == nil || len(p.Schema.Type) != 1 || p.Description == "" {
				t.Errorf("%s: parameter %+v", path, p)
			}
			names = append(names, p.Name)
		}
		if want := []string{"dryRun", "force", "fieldManager", "fieldValidation"}; !slices.Equal(names, want) {
			t.Errorf("%s: a patch has the parameters %q, want %q", path, names, want)
		}
		if len(at.Patch.RequestBody.Content) != 4 {
			t.Errorf("%s: a patch may be %v", path, at.Patch.RequestBody.Content)
		}
		var kind map[string]string
		if err := at.Patch.Extensions.GetObject("x-kubernetes-group-version-kind", &kind); err != nil || kind["kind"] == "" || kind["version"] != "v1" {
			t.Errorf("%s: of the kind %v, %v", path, kind, err)
		}
	}
}

func TestEmbeddedDocumentsAreWhatTheGeneratorWrites(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "./internal/generate", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	written, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(written) != 5 {
		t.Fatalf("got %q, %v", written, err)
	}
	for _, path := range written {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("testdata", filepath.Base(path)))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is stale (%v): run go generate", filepath.Base(path), err)
		}
	}
}

func TestFileClientServesADirectory(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"api__v1_openapi.json":           `{"a":1}`,
		"apis__apps__v1_openapi.json":    `{"b":2}`,
		"README.md":                      "not a document",
		"apis__batch__v1_swagger.json":   "neither",
		"version_openapi.json":           `{"c":3}`,
		"sub/apis__x__v1_openapi.json":   "too deep",
		"dir_openapi.json/inside.txt":    "a directory",
		"apis__apps__v1beta1_openapi.js": "no",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := openapitest.NewFileClient(dir).Paths()
	if err != nil || len(paths) != 3 {
		t.Fatalf("got %v, %v", paths, err)
	}
	for path, want := range map[string]string{"api/v1": `{"a":1}`, "apis/apps/v1": `{"b":2}`, "version": `{"c":3}`} {
		if body, err := paths[path].Schema("application/json"); err != nil || string(body) != want {
			t.Errorf("%s: got %q, %v", path, body, err)
		}
	}
	if at := paths["api/v1"].ServerRelativeURL(); at != "api__v1_openapi.json" {
		t.Errorf("it is at %q", at)
	}
	if _, err := paths["api/v1"].Schema(openapi.ContentTypeOpenAPIV3PB); err == nil {
		t.Error("no error for protobuf")
	}
	if err := os.Remove(filepath.Join(dir, "api__v1_openapi.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := paths["api/v1"].Schema("application/json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: got %v", err)
	}
	if _, err := openapitest.NewFileClient(filepath.Join(dir, "nowhere")).Paths(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is not there: got %v", err)
	}
}

func TestFakeClientFailsOnRequest(t *testing.T) {
	down := errors.New("down")
	client := openapitest.NewFakeClient()
	client.PathsMap["api/v1"] = openapitest.FakeGroupVersion{GVSpec: []byte("{}")}
	paths, err := client.Paths()
	if err != nil || len(paths) != 1 {
		t.Fatalf("got %v, %v", paths, err)
	}
	if body, err := paths["api/v1"].Schema("application/json"); err != nil || string(body) != "{}" || paths["api/v1"].ServerRelativeURL() != "" {
		t.Errorf("got %q, %v", body, err)
	}
	if _, err := paths["api/v1"].Schema("application/yaml"); err == nil {
		t.Error("no error for YAML")
	}
	if _, err := (openapitest.FakeGroupVersion{ForcedErr: down}).Schema("application/json"); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	client.ForcedErr = down
	if _, err := client.Paths(); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	if paths, err := (openapitest.FakeClient{}).Paths(); err != nil || paths == nil {
		t.Errorf("zero value: got %v, %v", paths, err)
	}
}
