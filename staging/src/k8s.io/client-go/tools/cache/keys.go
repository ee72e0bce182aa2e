package cache

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A KeyFunc returns the key of an object: always the same one for the same
// object.
type KeyFunc func(obj interface{}) (string, error)

// A KeyError is returned where a KeyFunc fails. It holds the object.
type KeyError struct {
	Obj interface{}
	Err error
}

// Error tells of the object and what is wrong with it.
func (k KeyError) Error() string {
	return fmt.Sprintf("couldn't create key for object %+v: %v", k.Obj, k.Err)
}

// Unwrap returns the error of the KeyFunc.
func (k KeyError) Unwrap() error {
	return k.Err
}

// An ExplicitKey is its own key, for the functions of this package that want an
// object only for its key.
type ExplicitKey string

// MetaNamespaceKeyFunc returns namespace/name for an object in a namespace, and
// name for one that is not. See [ObjectToName] for a key with two fields.
func MetaNamespaceKeyFunc(obj interface{}) (string, error) {
	if key, ok := obj.(ExplicitKey); ok {
		return string(key), nil
	}
	name, err := ObjectToName(obj)
	if err != nil {
		return "", err
	}
	return name.String(), nil
}

// DeletionHandlingMetaNamespaceKeyFunc is MetaNamespaceKeyFunc, and also takes
// what handlers are given for an object whose last state is unknown.
func DeletionHandlingMetaNamespaceKeyFunc(obj interface{}) (string, error) {
	if tombstone, ok := obj.(DeletedFinalStateUnknown); ok {
		return tombstone.Key, nil
	}
	return MetaNamespaceKeyFunc(obj)
}

// SplitMetaNamespaceKey is the inverse of MetaNamespaceKeyFunc.
func SplitMetaNamespaceKey(key string) (namespace, name string, err error) {
	before, after, slash := strings.Cut(key, "/")
	switch {
	case !slash:
		return "", key, nil
	case strings.Contains(after, "/"):
		return "", "", fmt.Errorf("unexpected key format: %q", key)
	}
	return before, after, nil
}

// An ObjectName is the namespace and the name of an object. The kind goes
// without saying.
type ObjectName struct {
	Namespace string
	Name      string
}

// NewObjectName returns the name of an object in a namespace, which is "" for
// one that is in none.
func NewObjectName(namespace, name string) ObjectName {
	return ObjectName{Namespace: namespace, Name: name}
}

// Parts returns the namespace and the name.
func (objName ObjectName) Parts() (namespace, name string) {
	return objName.Namespace, objName.Name
}

// String returns what MetaNamespaceKeyFunc does.
func (objName ObjectName) String() string {
	if objName.Namespace == "" {
		return objName.Name
	}
	return objName.Namespace + "/" + objName.Name
}

// ParseObjectName is the inverse of String.
func ParseObjectName(str string) (ObjectName, error) {
	namespace, name, err := SplitMetaNamespaceKey(str)
	return ObjectName{namespace, name}, err
}

// NamespacedNameAsObjectName converts a name.
func NamespacedNameAsObjectName(nn types.NamespacedName) ObjectName {
	return ObjectName(nn)
}

// AsNamespacedName converts a name.
func (objName ObjectName) AsNamespacedName() types.NamespacedName {
	return types.NamespacedName(objName)
}

// MetaObjectToName returns the name of obj.
func MetaObjectToName(obj metav1.Object) ObjectName {
	return ObjectName{obj.GetNamespace(), obj.GetName()}
}

// ObjectToName returns the name of obj, which must be an API object.
func ObjectToName(obj interface{}) (ObjectName, error) {
	object, err := meta.Accessor(obj)
	if err != nil {
		return ObjectName{}, fmt.Errorf("object has no meta: %v", err)
	}
	return MetaObjectToName(object), nil
}

// DeletionHandlingObjectToName is ObjectToName, and also takes what handlers are
// given for an object whose last state is unknown.
func DeletionHandlingObjectToName(obj interface{}) (ObjectName, error) {
	if tombstone, ok := obj.(DeletedFinalStateUnknown); ok {
		return ParseObjectName(tombstone.Key)
	}
	return ObjectToName(obj)
}

// DeletedFinalStateUnknown stands for an object that was deleted while nobody
// was watching. Obj is what it was like when it was last seen.
type DeletedFinalStateUnknown struct {
	Key string
	Obj interface{}
}

// ErrZeroLengthDeltasObject is in the [KeyError] for [Deltas] without a delta.
var ErrZeroLengthDeltasObject = errors.New("0 length Deltas object; can't get key")
