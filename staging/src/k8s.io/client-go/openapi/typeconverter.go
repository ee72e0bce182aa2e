package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// How many documents are fetched and decoded at the same time.
const parallelDocuments = 8

// NewTypeConverter fetches all documents of client and returns a converter
// that knows the types in them. Fields that a type does not have are an error
// unless preserveUnknownFields is true.
func NewTypeConverter(client Client, preserveUnknownFields bool) (managedfields.TypeConverter, error) {
	paths, err := client.Paths()
	if err != nil {
		return nil, fmt.Errorf("listing the OpenAPI v3 documents: %w", err)
	}
	// Types may be in several documents. In a fixed order the same document
	// wins each time.
	names := slices.Sorted(maps.Keys(paths))
	found := make([]map[string]*spec.Schema, len(names))
	failed := make([]error, len(names))
	var running sync.WaitGroup
	slots := make(chan struct{}, parallelDocuments)
	for i, name := range names {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			found[i], failed[i] = types(paths[name])
		})
	}
	running.Wait()

	all := map[string]*spec.Schema{}
	for i, name := range names {
		if failed[i] != nil {
			return nil, fmt.Errorf("reading the OpenAPI v3 document of %s: %w", name, failed[i])
		}
		maps.Copy(all, found[i])
	}
	return managedfields.NewTypeConverter(all, preserveUnknownFields)
}

func types(document GroupVersion) (map[string]*spec.Schema, error) {
	body, err := document.Schema("application/json")
	if err != nil {
		return nil, err
	}
	var parsed spec3.OpenAPI
	if err := json.Unmarshal(body, &parsed); err != nil {
		return nil, err
	}
	if parsed.Components == nil {
		return nil, nil
	}
	return parsed.Components.Schemas, nil
}
