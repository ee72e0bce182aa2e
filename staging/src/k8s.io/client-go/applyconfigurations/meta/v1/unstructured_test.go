package v1_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	metaapplyv1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	kubeopenapi "k8s.io/kube-openapi/pkg/util/proto"
	"sigs.k8s.io/yaml"
)

// schemaServer serves an OpenAPI v2 document, in protobuf to who asks for it.
type schemaServer struct {
	t   *testing.T
	url string

	mu       sync.Mutex
	document *openapi_v2.Document // nil if the server cannot tell
	fetches  int
}

func serveSchema(t *testing.T) *schemaServer {
	t.Helper()
	s := &schemaServer{t: t, document: parse(t, readSchema(t))}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func readSchema(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile("../../../internal/openapitypes/testdata/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func parse(t *testing.T, content []byte) *openapi_v2.Document {
	t.Helper()
	document, err := openapi_v2.ParseDocument(content)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func (s *schemaServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetches++
	if s.document == nil || r.URL.Path != "/openapi/v2" {
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	}
	const asProtobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
	var content []byte
	var err error
	if strings.HasPrefix(r.Header.Get("Accept"), "application/com.github.proto-openapi.spec.v2") {
		w.Header().Set("Content-Type", asProtobuf)
		content, err = proto.Marshal(s.document)
	} else {
		w.Header().Set("Content-Type", "application/json")
		var asYAML []byte
		if asYAML, err = s.document.YAMLValue(""); err == nil {
			content, err = yaml.YAMLToJSON(asYAML)
		}
	}
	if err != nil {
		s.t.Errorf("encoding the document: %v", err)
	}
	w.Write(content)
}

// serve replaces the document. None makes the server fail.
func (s *schemaServer) serve(document *openapi_v2.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.document = document
}

// wantFetches checks how often the document was fetched since the last call.
func (s *schemaServer) wantFetches(want int) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetches != want {
		s.t.Errorf("the document was fetched %d times, want %d", s.fetches, want)
	}
	s.fetches = 0
}

func (s *schemaServer) extractor() metaapplyv1.UnstructuredExtractor {
	s.t.Helper()
	extractor, err := metaapplyv1.NewUnstructuredExtractor(s.discovery())
	if err != nil {
		s.t.Fatal(err)
	}
	return extractor
}

func (s *schemaServer) discovery() discovery.DiscoveryInterface {
	return discovery.NewDiscoveryClientForConfigOrDie(&rest.Config{Host: s.url})
}

// fromJSON returns an object whose numbers are those of a decoded object.
func fromJSON(t *testing.T, content string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(content), object); err != nil {
		t.Fatal(err)
	}
	return object
}

func widget(t *testing.T) *unstructured.Unstructured {
	return fromJSON(t, `{
		"apiVersion": "example.com/v1", "kind": "Widget",
		"metadata": {
			"name": "w", "namespace": "shop", "annotations": {"a": "b", "c": "d"},
			"managedFields": [
				{"manager": "m", "operation": "Apply", "apiVersion": "example.com/v1", "fieldsType": "FieldsV1", "fieldsV1": {
					"f:metadata": {"f:annotations": {"f:a": {}}},
					"f:spec": {"f:count": {}, "f:selector": {}, "f:finalizers": {"v:\"y\"": {}}, "f:free": {"f:a": {"f:b": {}}},
						"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}
				}},
				{"manager": "m", "operation": "Apply", "apiVersion": "example.com/v1", "subresource": "status", "fieldsType": "FieldsV1", "fieldsV1": {
					"f:spec": {"f:on": {}}
				}}
			]
		},
		"spec": {
			"count": 3, "on": true, "selector": {"app": "w"}, "finalizers": ["x", "y"], "free": {"a": {"b": 1}, "c": 2},
			"ports": [{"port": 80, "protocol": "TCP"}, {"port": 81}]
		}
	}`)
}

const identity = `"apiVersion": "example.com/v1", "kind": "Widget"`

func TestUnstructuredExtractReturnsWhatTheManagerApplied(t *testing.T) {
	extractor := serveSchema(t).extractor()
	for name, test := range map[string]struct {
		extract func(*unstructured.Unstructured, string) (*unstructured.Unstructured, error)
		manager string
		want    string
	}{
		"itself": {extractor.Extract, "m", `{` + identity + `, "metadata": {"name": "w", "namespace": "shop", "annotations": {"a": "b"}},
			"spec": {"count": 3, "selector": {"app": "w"}, "finalizers": ["y"], "free": {"a": {"b": 1}}, "ports": [{"port": 80}]}}`},
		"status":  {extractor.ExtractStatus, "m", `{` + identity + `, "metadata": {"name": "w", "namespace": "shop"}, "spec": {"on": true}}`},
		"nothing": {extractor.Extract, "other", `{` + identity + `, "metadata": {"name": "w", "namespace": "shop"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			object := widget(t)
			got, err := test.extract(object, test.manager)
			if err != nil {
				t.Fatal(err)
			}
			if want := fromJSON(t, test.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%v, want\n%v", got, want)
			}
			if !reflect.DeepEqual(object, widget(t)) {
				t.Errorf("the object is now %v", object)
			}
		})
	}
}

// apimachinery's extraction, by its own reading of the document, is the oracle.
func TestUnstructuredExtractIsThatOfAPIMachinery(t *testing.T) {
	server := serveSchema(t)
	models, err := kubeopenapi.NewOpenAPIData(server.document)
	if err != nil {
		t.Fatal(err)
	}
	parser, err := managedfields.NewGVKParser(models, false)
	if err != nil {
		t.Fatal(err)
	}
	object := widget(t)
	// The oracle extracts into structs.
	var want struct {
		Metadata map[string]any `json:"metadata"`
		Spec     map[string]any `json:"spec"`
	}
	if err := managedfields.ExtractInto(object, *parser.Type(object.GroupVersionKind()), "m", &want, ""); err != nil {
		t.Fatal(err)
	}
	got, err := server.extractor().Extract(object, "m")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Object["spec"], any(want.Spec)) {
		t.Errorf("got %v, want %v", got.Object["spec"], want.Spec)
	}
	annotations := got.Object["metadata"].(map[string]any)["annotations"]
	if !reflect.DeepEqual(annotations, want.Metadata["annotations"]) {
		t.Errorf("got annotations %v, want %v", annotations, want.Metadata["annotations"])
	}
}

func TestSchemaIsFetchedOnceForTheKindsThatItHas(t *testing.T) {
	server := serveSchema(t)
	extractor := server.extractor()
	server.wantFetches(1)
	for range 3 {
		if _, err := extractor.Extract(widget(t), "m"); err != nil {
			t.Fatal(err)
		}
	}
	server.wantFetches(0)
}

func TestSchemaIsFetchedAgainForAKindThatItLacks(t *testing.T) {
	server := serveSchema(t)
	extractor := server.extractor()
	gadget := fromJSON(t, `{"apiVersion": "example.com/v2", "kind": "Gadget", "metadata": {"name": "g"}}`)

	_, err := extractor.Extract(gadget, "m")
	for _, part := range []string{`extracting what "m" owns of Gadget "g"`, "no kind example.com/v2, Kind=Gadget", "installed?"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want one with %q", err, part)
		}
	}
	server.wantFetches(2)

	server.serve(parse(t, append(readSchema(t), []byte(`
  com.example.v2.Gadget:
    type: object
    x-kubernetes-group-version-kind:
    - {group: example.com, version: v2, kind: Gadget}
    properties: {apiVersion: {type: string}, kind: {type: string}, metadata: {type: object}}
`)...)))
	got, err := extractor.Extract(gadget, "m")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, gadget) {
		t.Errorf("got %v, want %v", got, gadget)
	}
	server.wantFetches(1)
}

func TestManyGoroutinesExtractAtOnce(t *testing.T) {
	server := serveSchema(t)
	extractor := server.extractor()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			object := widget(t)
			if i%2 == 0 {
				object.SetAPIVersion("example.com/v9")
			}
			if _, err := extractor.Extract(object, "m"); (err != nil) != (i%2 == 0) {
				t.Errorf("extracting from %s: error %v", object.GetAPIVersion(), err)
			}
		})
	}
	group.Wait()
}

func TestSchemaThatCannotBeFetchedIsSaid(t *testing.T) {
	server := serveSchema(t)
	extractor := server.extractor()
	server.serve(nil)
	if _, err := metaapplyv1.NewUnstructuredExtractor(server.discovery()); err == nil || !strings.Contains(err.Error(), "fetching the server's OpenAPI schema") {
		t.Errorf("got error %v, want one that tells of the schema", err)
	}
	gadget := fromJSON(t, `{"apiVersion": "example.com/v2", "kind": "Gadget", "metadata": {"name": "g"}}`)
	if _, err := extractor.ExtractStatus(gadget, "m"); err == nil || !strings.Contains(err.Error(), "fetching the server's OpenAPI schema") {
		t.Errorf("got error %v, want one that tells of the schema", err)
	}
	// What is known still is.
	if _, err := extractor.Extract(widget(t), "m"); err != nil {
		t.Error(err)
	}
	server.serve(parse(t, []byte(`{swagger: "2.0", info: {title: t, version: v}, paths: {}, definitions: {a.B: {type: array, items: {type: string}, x-kubernetes-list-type: heap}}}`)))
	if _, err := metaapplyv1.NewUnstructuredExtractor(server.discovery()); err == nil || !strings.Contains(err.Error(), "heap") {
		t.Errorf("got error %v, want one that tells what cannot be read", err)
	}
}
