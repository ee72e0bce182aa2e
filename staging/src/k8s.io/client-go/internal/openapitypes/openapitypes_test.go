package openapitypes

import (
	"os"
	"reflect"
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/util/proto"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/yaml"
)

func document(t *testing.T, content []byte) *openapi_v2.Document {
	t.Helper()
	parsed, err := openapi_v2.ParseDocument(content)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// apimachinery's reading of the same document is the oracle: its schema is to be
// ours.
func TestTypesAreThoseThatAPIMachineryReads(t *testing.T) {
	content, err := os.ReadFile("testdata/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed := document(t, content)
	ours, err := New(parsed)
	if err != nil {
		t.Fatal(err)
	}
	models, err := proto.NewOpenAPIData(parsed)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := managedfields.NewGVKParser(models, false)
	if err != nil {
		t.Fatal(err)
	}

	for _, kind := range []runtimeschema.GroupVersionKind{
		{Group: "example.com", Version: "v1", Kind: "Widget"},
		{Group: "example.com", Version: "v1beta1", Kind: "Widget"},
		{Version: "v1", Kind: "Untold"},
	} {
		got, found := ours.Of(kind)
		if !found {
			t.Fatalf("there is no type of %s", kind)
		}
		want := theirs.Type(kind)
		if want == nil {
			t.Fatalf("the oracle has no type of %s", kind)
		}
		if *got.TypeRef.NamedType != *want.TypeRef.NamedType {
			t.Errorf("%s is %s, want %s", kind, *got.TypeRef.NamedType, *want.TypeRef.NamedType)
		}
		for _, definition := range want.Schema.Types {
			wantType, _ := want.Schema.FindNamedType(definition.Name)
			gotType, found := got.Schema.FindNamedType(definition.Name)
			if !found {
				t.Errorf("there is no type %s", definition.Name)
				continue
			}
			plainly(&wantType.Atom)
			if !reflect.DeepEqual(gotType.Atom, wantType.Atom) {
				t.Errorf("%s is\n%s, want\n%s", definition.Name, asYAML(t, gotType), asYAML(t, wantType))
			}
		}
	}
}

// plainly gives the defaults of a type the Go types that values of objects have:
// the oracle reads them by a YAML library that has others. It has empty lists of
// unions, too, where we have none.
func plainly(atom *schema.Atom) {
	if atom.List != nil {
		plainly(&atom.List.ElementType.Inlined)
	}
	if atom.Map == nil {
		return
	}
	if len(atom.Map.Unions) == 0 {
		atom.Map.Unions = nil
	}
	plainly(&atom.Map.ElementType.Inlined)
	for i := range atom.Map.Fields {
		field := &atom.Map.Fields[i]
		plainly(&field.Type.Inlined)
		field.Default = plain(field.Default)
	}
}

func plain(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case map[any]any:
		out := map[string]any{}
		for key, value := range v {
			out[key.(string)] = plain(value)
		}
		return out
	default:
		return v
	}
}

func asYAML(t *testing.T, v any) string {
	t.Helper()
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A reference with a default is written in this form where siblings of $ref do
// not count. apimachinery takes it for a value of any type.
func TestAReferenceInAllOfIsAReference(t *testing.T) {
	types, err := New(document(t, []byte(`
swagger: "2.0"
info: {title: t, version: v}
paths: {}
definitions:
  a.Meta: {type: object, properties: {name: {type: string}}}
  a.B:
    x-kubernetes-group-version-kind: [{group: "", version: v1, kind: B}]
    type: object
    properties:
      metadata: {default: {}, x-kubernetes-map-type: atomic, allOf: [{$ref: "#/definitions/a.Meta"}]}
`)))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := types.Of(runtimeschema.GroupVersionKind{Version: "v1", Kind: "B"})
	definition, _ := b.Schema.FindNamedType("a.B")
	field, _ := definition.Map.FindField("metadata")
	atomic, meta := schema.Atomic, "a.Meta"
	want := schema.TypeRef{NamedType: &meta, ElementRelationship: &atomic}
	if !reflect.DeepEqual(field.Type, want) {
		t.Errorf("metadata is\n%s, want\n%s", asYAML(t, field.Type), asYAML(t, want))
	}
}

func TestAKindThatIsNotDefinedHasNoType(t *testing.T) {
	types, err := New(document(t, []byte("swagger: \"2.0\"\ninfo: {title: t, version: v}\npaths: {}\n")))
	if err != nil {
		t.Fatal(err)
	}
	if _, found := types.Of(runtimeschema.GroupVersionKind{Version: "v1", Kind: "Pod"}); found {
		t.Error("an empty document has a type of Pod")
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	const start = "swagger: \"2.0\"\ninfo: {title: t, version: v}\npaths: {}\ndefinitions:\n"
	for name, test := range map[string]struct{ definitions, want string }{
		"list type": {
			"  a.B: {type: array, items: {type: string}, x-kubernetes-list-type: heap}\n",
			`definition a.B: there is no list type "heap"`,
		},
		"map type": {
			"  a.B: {properties: {c: {type: string}}, x-kubernetes-map-type: round}\n",
			`definition a.B: there is no map type "round"`,
		},
		"map without keys": {
			"  a.B: {type: array, items: {type: string}, x-kubernetes-list-type: map}\n",
			`definition a.B: a list of type map has no keys`,
		},
		"kind defined twice": {
			"  a.B: {x-kubernetes-group-version-kind: [{group: \"\", version: v1, kind: P}]}\n" +
				"  a.C: {x-kubernetes-group-version-kind: [{group: \"\", version: v1, kind: P}]}\n",
			`both a.B and a.C define the kind /v1, Kind=P`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(document(t, []byte(start+test.definitions)))
			if err == nil || err.Error() != test.want {
				t.Errorf("got error %v, want %s", err, test.want)
			}
		})
	}
}
