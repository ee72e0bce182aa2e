// Package reference makes object references: the few fields by which an event,
// or some other object, points at an object.
package reference

import (
	"errors"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ErrNilObject says that there was no object to refer to.
var ErrNilObject = errors.New("can't reference a nil object")

// GetReference returns a reference to obj, at the resource version that obj
// has. A list can be referred to as well; it has a kind and a resource
// version, but no name.
//
// Objects that come from typed clients usually do not know their own kind;
// scheme does. If obj knows its kind, scheme may be nil.
//
// If obj is itself a reference, it is returned.
//
// The error is [ErrNilObject] if obj is nil, or says that obj's kind is not
// known ([runtime.IsNotRegisteredError]), or that obj has no metadata.
func GetReference(scheme *runtime.Scheme, obj runtime.Object) (*corev1.ObjectReference, error) {
	if isNil(obj) {
		return nil, ErrNilObject
	}
	if ref, ok := obj.(*corev1.ObjectReference); ok {
		return ref, nil
	}

	common, err := meta.CommonAccessor(obj)
	if err != nil {
		return nil, fmt.Errorf("referring to a %T: %w", obj, err)
	}
	gvk, err := kindOf(scheme, obj)
	if err != nil {
		return nil, err
	}
	ref := &corev1.ObjectReference{ResourceVersion: common.GetResourceVersion()}
	ref.APIVersion, ref.Kind = gvk.ToAPIVersionAndKind()
	if object, err := meta.Accessor(obj); err == nil { // not a list
		ref.Namespace, ref.Name, ref.UID = object.GetNamespace(), object.GetName(), object.GetUID()
	}
	return ref, nil
}

// GetPartialReference returns a reference to a part of obj, such as
// spec.containers{web}. All else is as with [GetReference], except that the
// reference is always a new one.
func GetPartialReference(scheme *runtime.Scheme, obj runtime.Object, fieldPath string) (*corev1.ObjectReference, error) {
	whole, err := GetReference(scheme, obj)
	if err != nil {
		return nil, err
	}
	part := *whole
	part.FieldPath = fieldPath
	return &part, nil
}

// isNil sees through an interface that holds a nil pointer, which a failed
// look-up leaves behind easily.
func isNil(obj runtime.Object) bool {
	if obj == nil {
		return true
	}
	v := reflect.ValueOf(obj)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// kindOf returns the kind that obj gives itself, and asks scheme for what is
// missing of it. An obj that gives its kind but not its version is taken at its
// word if the scheme does not know it.
func kindOf(scheme *runtime.Scheme, obj runtime.Object) (schema.GroupVersionKind, error) {
	own := obj.GetObjectKind().GroupVersionKind()
	if own.Kind != "" && (own.Version != "" || scheme == nil) {
		return own, nil
	}
	if scheme == nil {
		return own, fmt.Errorf("a %T does not say what kind it is: a scheme is required to look it up", obj)
	}
	known, _, err := scheme.ObjectKinds(obj)
	if err != nil && own.Kind == "" {
		return own, err
	}
	for _, gvk := range known {
		if own.Kind == "" || own.Kind == gvk.Kind {
			return gvk, nil
		}
	}
	return own, nil
}
