package main

import (
	"log"
	"reflect"
	"strings"
)

// schemas holds the schemas of types by the names of the models.
type schemas map[string]map[string]any

// What types say about themselves.
type (
	named      interface{ OpenAPIModelName() string }
	documented interface{ SwaggerDoc() map[string]string }
	formatted  interface {
		OpenAPISchemaType() []string
		OpenAPISchemaFormat() string
	}
	variable interface{ OpenAPIV3OneOfTypes() []string }
)

// Lists whose elements are identified by more than a merge key tells.
var listKeys = map[string][]string{
	"io.k8s.api.core.v1.Container.ports":          {"containerPort", "protocol"},
	"io.k8s.api.core.v1.EphemeralContainer.ports": {"containerPort", "protocol"},
	"io.k8s.api.core.v1.ServiceSpec.ports":        {"port", "protocol"},
}

// Keys that may be left out have a default.
var defaults = map[string]any{
	"io.k8s.api.core.v1.ContainerPort.protocol": "TCP",
	"io.k8s.api.core.v1.ServicePort.protocol":   "TCP",
}

func reference(model string) map[string]any {
	return map[string]any{"$ref": "#/components/schemas/" + model}
}

// add describes a struct and returns the name of its model.
func (s schemas) add(t reflect.Type) string {
	value := reflect.New(t).Interface()
	n, ok := value.(named)
	if !ok {
		log.Fatalf("%v has no model name", t)
	}
	model := n.OpenAPIModelName()
	if _, known := s[model]; known {
		return model
	}
	schema := map[string]any{}
	s[model] = schema // before its fields, which may be of the same type

	docs := map[string]string{}
	if d, ok := value.(documented); ok {
		docs = d.SwaggerDoc()
	}
	if docs[""] != "" {
		schema["description"] = docs[""]
	}
	switch v := value.(type) {
	case variable:
		var types []any
		for _, name := range v.OpenAPIV3OneOfTypes() {
			types = append(types, map[string]any{"type": name})
		}
		schema["oneOf"] = types
		return model
	case formatted:
		schema["type"] = v.OpenAPISchemaType()[0]
		if f := v.OpenAPISchemaFormat(); f != "" {
			schema["format"] = f
		}
		return model
	}
	schema["type"] = "object"
	properties := map[string]any{}
	s.fields(t, model, docs, properties)
	if len(properties) > 0 {
		schema["properties"] = properties
	}
	return model
}

// fields adds the fields of t, and of what is embedded in it, to properties.
func (s schemas) fields(t reflect.Type, model string, docs map[string]string, properties map[string]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
			continue
		case name == "" && (f.Anonymous || strings.Contains(options, "inline")):
			inner := map[string]string{}
			if d, ok := reflect.New(f.Type).Interface().(documented); ok {
				inner = d.SwaggerDoc()
			}
			s.fields(f.Type, model, inner, properties)
			continue
		case name == "":
			continue
		}
		property := s.of(f.Type)
		if _, refers := property["$ref"]; refers {
			// Nothing may stand beside a reference.
			property = map[string]any{"allOf": []any{property}, "default": map[string]any{}}
			if f.Type.Kind() == reflect.Pointer {
				delete(property, "default")
			}
		}
		if docs[name] != "" {
			property["description"] = docs[name]
		}
		if value, ok := defaults[model+"."+name]; ok {
			property["default"] = value
		}
		mark(property, f.Tag, listKeys[model+"."+name])
		properties[name] = property
	}
}

// mark says how two versions of a field are merged.
func mark(property map[string]any, tag reflect.StructTag, keys []string) {
	strategy, key := tag.Get("patchStrategy"), tag.Get("patchMergeKey")
	if strategy != "" {
		property["x-kubernetes-patch-strategy"] = strategy
	}
	if key != "" {
		property["x-kubernetes-patch-merge-key"] = key
		if keys == nil {
			keys = []string{key}
		}
	}
	if property["type"] != "array" {
		return
	}
	switch {
	case keys != nil:
		property["x-kubernetes-list-type"] = "map"
		property["x-kubernetes-list-map-keys"] = keys
	case strategy == "merge":
		property["x-kubernetes-list-type"] = "set"
	default:
		property["x-kubernetes-list-type"] = "atomic"
	}
}

// of returns the schema of a field's type.
func (s schemas) of(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Struct:
		return reference(s.add(t))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": "string", "format": "byte"}
		}
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int32:
		return map[string]any{"type": "integer", "format": "int32"}
	case reflect.Int64, reflect.Int:
		return map[string]any{"type": "integer", "format": "int64"}
	case reflect.String:
		return map[string]any{"type": "string"}
	}
	log.Fatalf("there is no schema for %v", t)
	return nil
}
