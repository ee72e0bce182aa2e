// Package fieldownership takes out of an object the part that a field manager
// owns. Programs that only make apply configurations do not link it, and those
// that do link no more than the library for structured merges: the package of
// apimachinery with a function of this kind brings the OpenAPI libraries along.
package fieldownership

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// ExtractInto sets in configuration, a pointer to an apply configuration or to
// an unstructured object, the fields of the object that the manager owns by
// applying them to the sub-resource (the object itself, if that is empty). It
// sets nothing if the manager has applied nothing.
//
// The object is one that has managed fields: those of a Scale, say, are in the
// object that is scaled. How its fields nest is told by its type.
// https://kubernetes.io/docs/reference/using-api/server-side-apply/ has the
// format of managed fields.
func ExtractInto(object runtime.Object, objectType typed.ParseableType, fieldManager string, configuration any, subresource string) error {
	metadata, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	owned, err := appliedBy(metadata.GetManagedFields(), fieldManager, subresource)
	if err != nil {
		return fmt.Errorf("reading the managed fields of %q in %s: %w", fieldManager, metadata.GetName(), err)
	}
	if owned == nil {
		return nil
	}
	value, err := typedValue(object, objectType)
	if err != nil {
		return fmt.Errorf("reading %s by its schema: %w", metadata.GetName(), err)
	}
	// The names of inner fields that are owned stand for themselves, not for
	// all that is below them, so only leaves select something.
	var fields map[string]any
	switch extracted := value.ExtractItems(owned.Leaves()).AsValue().Unstructured().(type) {
	case map[string]any:
		fields = extracted
	case nil:
		// The object has none of them: empty values that were applied may be left
		// out of it.
		fields = map[string]any{}
	default:
		return fmt.Errorf("%s is not an object with fields by its schema", metadata.GetName())
	}
	// Kind and version are owned by nobody.
	if kind := object.GetObjectKind().GroupVersionKind(); kind.Kind != "" && fields["kind"] == nil {
		fields["apiVersion"], fields["kind"] = kind.GroupVersion().String(), kind.Kind
	}
	if target, isUnstructured := configuration.(*unstructured.Unstructured); isUnstructured {
		target.Object = fields
		return nil
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, configuration); err != nil {
		return fmt.Errorf("setting what %q owns of %s: %w", fieldManager, metadata.GetName(), err)
	}
	return nil
}

func typedValue(object runtime.Object, objectType typed.ParseableType) (*typed.TypedValue, error) {
	if u, isUnstructured := object.(*unstructured.Unstructured); isUnstructured {
		return objectType.FromUnstructured(u.Object)
	}
	return objectType.FromStructured(object)
}

// appliedBy returns the paths that a manager owns, or nil.
func appliedBy(entries []metav1.ManagedFieldsEntry, manager, subresource string) (*fieldpath.Set, error) {
	for _, entry := range entries {
		if entry.Manager != manager || entry.Subresource != subresource ||
			entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		owned := &fieldpath.Set{}
		if err := owned.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			return nil, err
		}
		return owned, nil
	}
	return nil, nil
}
