package main

import (
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A verb is something that can be done to one object.
type verb struct {
	method, action, description string
	options                     any      // whose fields are the query's parameters; nil: none
	accepts                     []string // the content types of a body; empty: there is none
	body                        any      // what a body is; nil: the object itself
}

var verbs = []verb{
	{"get", "get", "read the specified", nil, nil, nil},
	{"put", "put", "replace the specified", metav1.UpdateOptions{}, []string{"application/json"}, nil},
	{"patch", "patch", "partially update the specified", metav1.PatchOptions{}, []string{
		"application/json-patch+json",
		"application/merge-patch+json",
		"application/strategic-merge-patch+json",
		"application/apply-patch+yaml",
	}, metav1.Patch{}},
	{"delete", "delete", "delete the specified", metav1.DeleteOptions{}, []string{"application/json"}, metav1.DeleteOptions{}},
}

// operations describes what can be done to an object of a kind, by its method.
func (s schemas) operations(model string, kind map[string]any) map[string]any {
	all := map[string]any{}
	for _, v := range verbs {
		operation := map[string]any{
			"description":                     v.description + " " + kind["kind"].(string),
			"x-kubernetes-action":             v.action,
			"x-kubernetes-group-version-kind": kind,
		}
		if v.options != nil {
			operation["parameters"] = s.parameters(reflect.TypeOf(v.options))
		}
		if v.accepts != nil {
			body := model
			if v.body != nil {
				body = s.add(reflect.TypeOf(v.body))
			}
			operation["requestBody"] = map[string]any{"content": content(body, v.accepts...)}
		}
		answer := model
		if v.method == "delete" {
			answer = s.add(reflect.TypeFor[metav1.Status]())
		}
		operation["responses"] = map[string]any{"200": map[string]any{
			"description": "OK",
			"content":     content(answer, "application/json"),
		}}
		all[v.method] = operation
	}
	return all
}

// content says that a model comes in each of some content types.
func content(model string, types ...string) map[string]any {
	of := map[string]any{}
	for _, name := range types {
		of[name] = map[string]any{"schema": reference(model)}
	}
	return of
}

// parameters describes the options that a query can carry. Those that are
// structs only go into a body.
func (s schemas) parameters(options reflect.Type) []any {
	docs := map[string]string{}
	if d, ok := reflect.New(options).Interface().(documented); ok {
		docs = d.SwaggerDoc()
	}
	var all []any
	for i := range options.NumField() {
		f := options.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		t := f.Type
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice: // one that repeats has its element's type
			t = t.Elem()
		}
		if name == "" || t.Kind() == reflect.Struct {
			continue
		}
		parameter := map[string]any{"name": name, "in": "query", "schema": s.of(t)}
		if docs[name] != "" {
			parameter["description"] = docs[name]
		}
		all = append(all, parameter)
	}
	return all
}
