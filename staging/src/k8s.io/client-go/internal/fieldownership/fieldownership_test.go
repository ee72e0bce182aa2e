package fieldownership

import (
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// widgets have a size and, as every object, metadata.
func widgets(t *testing.T) typed.ParseableType {
	t.Helper()
	parser, err := typed.NewParser(`
types:
- name: widget
  map:
    fields:
    - {name: apiVersion, type: {scalar: string}}
    - {name: kind, type: {scalar: string}}
    - {name: metadata, type: {map: {elementType: {namedType: any}}}}
    - {name: size, type: {scalar: numeric}}
    - {name: tags, type: {list: {elementType: {scalar: string}, elementRelationship: associative}}}
- name: any
  scalar: untyped
  list: {elementType: {namedType: any}, elementRelationship: atomic}
  map: {elementType: {namedType: any}, elementRelationship: atomic}
`)
	if err != nil {
		t.Fatal(err)
	}
	return parser.Type("widget")
}

func widget(entries ...metav1.ManagedFieldsEntry) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget",
		"metadata": map[string]any{"name": "w"},
		"size":     int64(3),
		"tags":     []any{"a", "b"},
	}}
	object.SetManagedFields(entries)
	return object
}

func entry(manager string, operation metav1.ManagedFieldsOperationType, subresource, fields string) metav1.ManagedFieldsEntry {
	e := metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, Subresource: subresource, FieldsType: "FieldsV1"}
	if fields != "" {
		e.FieldsV1 = metav1.NewFieldsV1(fields)
	}
	return e
}

const apply, update = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate

func TestOnlyWhatTheManagerAppliedBySubresourceIsExtracted(t *testing.T) {
	kind := map[string]any{"apiVersion": "example.com/v1", "kind": "Widget"}
	with := func(field string, value any) map[string]any {
		return map[string]any{"apiVersion": kind["apiVersion"], "kind": kind["kind"], field: value}
	}
	for name, test := range map[string]struct {
		entries []metav1.ManagedFieldsEntry
		want    map[string]any // nil if nothing is set
	}{
		"nothing is managed":            {},
		"others manage":                 {entries: []metav1.ManagedFieldsEntry{entry("other", apply, "", `{"f:size":{}}`)}},
		"the manager updated":           {entries: []metav1.ManagedFieldsEntry{entry("m", update, "", `{"f:size":{}}`)}},
		"it applied to another":         {entries: []metav1.ManagedFieldsEntry{entry("m", apply, "status", `{"f:size":{}}`)}},
		"the entry is without fields":   {entries: []metav1.ManagedFieldsEntry{entry("m", apply, "", "")}},
		"it applied":                    {entries: []metav1.ManagedFieldsEntry{entry("m", apply, "", `{"f:size":{}}`)}, want: with("size", int64(3))},
		"it applied an element of many": {entries: []metav1.ManagedFieldsEntry{entry("m", apply, "", `{"f:tags":{"v:\"b\"":{}}}`)}, want: with("tags", []any{"b"})},
		"it applied after others": {
			entries: []metav1.ManagedFieldsEntry{entry("other", apply, "", `{"f:tags":{}}`), entry("m", update, "", `{"f:tags":{}}`), entry("m", apply, "", `{"f:size":{}}`)},
			want:    with("size", int64(3)),
		},
		"a field that is not there": {entries: []metav1.ManagedFieldsEntry{entry("m", apply, "", `{"f:colour":{}}`)}, want: kind},
	} {
		t.Run(name, func(t *testing.T) {
			got := &unstructured.Unstructured{}
			if err := ExtractInto(widget(test.entries...), widgets(t), "m", got, ""); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Object, test.want) {
				t.Errorf("got %v, want %v", got.Object, test.want)
			}
		})
	}
}

func TestWhatCannotBeExtractedIsSaid(t *testing.T) {
	applied := entry("m", apply, "", `{"f:size":{}}`)
	strange := widget(applied)
	strange.Object["size"] = map[string]any{"of": "a list"}
	for name, test := range map[string]struct {
		object *unstructured.Unstructured
		into   any
		want   string
	}{
		"an object that is not of the type": {strange, &unstructured.Unstructured{}, "reading w by its schema"},
		"fields that are none":              {widget(entry("m", apply, "", `[]`)), &unstructured.Unstructured{}, `managed fields of "m" in w`},
		"a target of another type": {widget(applied), &struct {
			Size string `json:"size"`
		}{}, `setting what "m" owns of w`},
	} {
		t.Run(name, func(t *testing.T) {
			err := ExtractInto(test.object, widgets(t), "m", test.into, "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}
