package jsonpath

import (
	"reflect"
	"strings"
	"sync"
)

// fieldCache has, for each type of struct, where the field of a name is.
var fieldCache sync.Map // of reflect.Type to map[string][]int

// fieldsOf returns the exported fields of a struct by their names in JSON and,
// where those leave room, by their names in Go. Fields of embedded structs are
// among them; by their names in JSON only if that of the struct does not come
// between.
func fieldsOf(t reflect.Type) map[string][]int {
	if known, ok := fieldCache.Load(t); ok {
		return known.(map[string][]int)
	}
	fields := map[string][]int{}
	visible := reflect.VisibleFields(t)
	for _, field := range visible {
		if name := jsonName(field); field.IsExported() && name != "" && isInline(t, field.Index) {
			if old, taken := fields[name]; !taken || len(field.Index) < len(old) {
				fields[name] = field.Index
			}
		}
	}
	for _, field := range visible {
		if _, taken := fields[field.Name]; !taken && field.IsExported() {
			fields[field.Name] = field.Index
		}
	}
	fieldCache.Store(t, fields)
	return fields
}

// jsonName returns the name that the json tag gives to a field, or "".
func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// isInline tells whether the structs that a field is embedded in have no names.
func isInline(t reflect.Type, index []int) bool {
	for depth := 1; depth < len(index); depth++ {
		if jsonName(t.FieldByIndex(index[:depth])) != "" {
			return false
		}
	}
	return true
}
