package cache

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/sets"
)

// NamespaceIndex is the usual name for an index by namespace.
const NamespaceIndex string = "namespace"

// An Indexer is a store whose objects can be found by values that index
// functions compute from them, such as the node that a pod is on. An index has
// a name and a function; an object can have any number of values in it.
type Indexer interface {
	Store
	// Index returns the objects that have a value in common with obj.
	Index(indexName string, obj interface{}) ([]interface{}, error)
	// IndexKeys returns the keys of the objects with a value.
	IndexKeys(indexName, indexedValue string) ([]string, error)
	// ListIndexFuncValues returns all values, or none if there is no such
	// index.
	ListIndexFuncValues(indexName string) []string
	// ByIndex returns the objects with a value.
	ByIndex(indexName, indexedValue string) ([]interface{}, error)
	// GetIndexers returns the functions by the names of their indices.
	GetIndexers() Indexers

	// AddIndexers adds indices, also of what is already there. It is an error
	// if a name is taken.
	AddIndexers(newIndexers Indexers) error
}

// An IndexFunc returns the values of an object in an index.
type IndexFunc func(obj interface{}) ([]string, error)

// Indexers are index functions by the names of their indices.
type Indexers map[string]IndexFunc

// Indices are indices by their names.
type Indices map[string]index

// An index has the keys of the objects with a value.
type index map[string]sets.Set[string]

func (i index) add(value, key string) {
	keys := i[value]
	if keys == nil {
		keys = sets.Set[string]{}
		i[value] = keys
	}
	keys.Insert(key)
}

// remove forgets values that no object has any more, so that an index does not
// grow with every value there ever was.
func (i index) remove(value, key string) {
	keys := i[value]
	keys.Delete(key)
	if len(keys) == 0 {
		delete(i, value)
	}
}

// MetaNamespaceIndexFunc is an index function by namespace.
func MetaNamespaceIndexFunc(obj interface{}) ([]string, error) {
	object, err := meta.Accessor(obj)
	if err != nil {
		return []string{""}, fmt.Errorf("object has no meta: %v", err)
	}
	return []string{object.GetNamespace()}, nil
}

// IndexFuncToKeyFuncAdapter returns a function for keys out of one for values
// that are unique. It is an error for an object to have none, or several.
func IndexFuncToKeyFuncAdapter(indexFunc IndexFunc) KeyFunc {
	return func(obj interface{}) (string, error) {
		values, err := indexFunc(obj)
		switch {
		case err != nil:
			return "", err
		case len(values) > 1:
			return "", fmt.Errorf("too many keys: %v", values)
		case len(values) == 0:
			return "", fmt.Errorf("unexpected empty indexKeys")
		}
		return values[0], nil
	}
}
