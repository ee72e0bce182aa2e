package v1

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/internal/fieldownership"
	"k8s.io/client-go/internal/openapitypes"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// UnstructuredExtractor finds out what a field manager owns of an object whose
// type the program does not know. What it returns can be changed and applied again.
type UnstructuredExtractor interface {
	// Extract returns the fields that the manager owns through the object
	// itself. They are none, but for kind and name, if it owns nothing.
	Extract(object *unstructured.Unstructured, fieldManager string) (*unstructured.Unstructured, error)
	// ExtractStatus returns the fields that the manager owns through the status
	// sub-resource.
	ExtractStatus(object *unstructured.Unstructured, fieldManager string) (*unstructured.Unstructured, error)
}

// NewUnstructuredExtractor returns an extractor that learns the structure of
// kinds from the OpenAPI schema of the server behind dc. It fetches the schema
// here, and again when it is asked for a kind that it has not seen.
func NewUnstructuredExtractor(dc discovery.DiscoveryInterface) (UnstructuredExtractor, error) {
	e := &extractor{discovery: dc}
	if _, err := e.refresh(nil); err != nil {
		return nil, err
	}
	return e, nil
}

type extractor struct {
	discovery discovery.DiscoveryInterface

	mu    sync.Mutex
	types *openapitypes.Types
}

// typeOf returns the type of a kind.
func (e *extractor) typeOf(kind schema.GroupVersionKind) (typed.ParseableType, error) {
	e.mu.Lock()
	types := e.types
	e.mu.Unlock()
	if t, found := types.Of(kind); found {
		return t, nil
	}
	types, err := e.refresh(types)
	if err != nil {
		return typed.ParseableType{}, err
	}
	t, found := types.Of(kind)
	if !found {
		return t, fmt.Errorf("the server's OpenAPI schema has no kind %s: is its definition installed?", kind)
	}
	return t, nil
}

// refresh fetches the schema, unless another goroutine has done so since the
// caller saw the types of the last one.
func (e *extractor) refresh(seen *openapitypes.Types) (*openapitypes.Types, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.types != seen {
		return e.types, nil
	}
	document, err := e.discovery.OpenAPISchema()
	if err != nil {
		return nil, fmt.Errorf("fetching the server's OpenAPI schema: %w", err)
	}
	types, err := openapitypes.New(document)
	if err != nil {
		return nil, fmt.Errorf("reading the server's OpenAPI schema: %w", err)
	}
	e.types = types
	return types, nil
}

func (e *extractor) Extract(object *unstructured.Unstructured, fieldManager string) (*unstructured.Unstructured, error) {
	return e.extract(object, fieldManager, "")
}

func (e *extractor) ExtractStatus(object *unstructured.Unstructured, fieldManager string) (*unstructured.Unstructured, error) {
	return e.extract(object, fieldManager, "status")
}

func (e *extractor) extract(object *unstructured.Unstructured, fieldManager, subresource string) (*unstructured.Unstructured, error) {
	kind := object.GroupVersionKind()
	objectType, err := e.typeOf(kind)
	if err != nil {
		return nil, fmt.Errorf("extracting what %q owns of %s %q: %w", fieldManager, kind.Kind, object.GetName(), err)
	}
	result := &unstructured.Unstructured{}
	if err := fieldownership.ExtractInto(object, objectType, fieldManager, result, subresource); err != nil {
		return nil, fmt.Errorf("extracting what %q owns of %s %q: %w", fieldManager, kind.Kind, object.GetName(), err)
	}
	// Ownership is of fields below these; without them it is nobody's object.
	result.SetGroupVersionKind(kind)
	result.SetName(object.GetName())
	result.SetNamespace(object.GetNamespace())
	return result, nil
}
