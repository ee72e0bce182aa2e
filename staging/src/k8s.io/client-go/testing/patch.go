package testing

import (
	"encoding/json"
	"fmt"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patched returns an object of live's type which is live with a patch applied.
// live is not changed.
func patched(live runtime.Object, format types.PatchType, patch []byte) (runtime.Object, error) {
	before, err := json.Marshal(live)
	if err != nil {
		return nil, err
	}
	after, err := patchJSON(before, live, format, patch)
	if err != nil {
		return nil, err
	}
	// Into a new object, so that what the patch removes is gone.
	object := reflect.New(reflect.TypeOf(live).Elem()).Interface().(runtime.Object)
	if err := utiljson.Unmarshal(after, object); err != nil {
		return nil, fmt.Errorf("the patched object is no %T: %w", live, err)
	}
	return object, nil
}

func patchJSON(before []byte, live runtime.Object, format types.PatchType, patch []byte) ([]byte, error) {
	switch format {
	case types.JSONPatchType:
		operations, err := jsonpatch.DecodePatch(patch)
		if err != nil {
			return nil, err
		}
		return operations.Apply(before)
	case types.MergePatchType:
		return jsonpatch.MergePatch(before, patch)
	case types.StrategicMergePatchType:
		if _, ok := live.(runtime.Unstructured); ok {
			return nil, fmt.Errorf("PatchType %s is not supported for objects without a Go type", format)
		}
		return strategicpatch.StrategicMergePatch(before, patch, live)
	default:
		return nil, fmt.Errorf("PatchType %s is not supported", format)
	}
}

// mergeApplied is what comes closest to applying where nobody keeps track of
// who owns which field.
func mergeApplied(live, wanted runtime.Object) (runtime.Object, error) {
	patch, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	format := types.StrategicMergePatchType
	if _, ok := live.(runtime.Unstructured); ok {
		format = types.MergePatchType
	}
	return patched(live, format, patch)
}

// typed returns an object of the type that is registered for obj's kind, with
// the content of obj. What is registered as unstructured stays so.
func typed(scheme ObjectScheme, obj runtime.Object) (runtime.Object, error) {
	content, ok := obj.(runtime.Unstructured)
	if !ok {
		return obj.DeepCopyObject(), nil
	}
	object, err := scheme.New(obj.GetObjectKind().GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if u, ok := object.(*unstructured.Unstructured); ok {
		u.SetUnstructuredContent(runtime.DeepCopyJSON(content.UnstructuredContent()))
		return u, nil
	}
	err = runtime.DefaultUnstructuredConverter.FromUnstructured(content.UnstructuredContent(), object)
	return object, err
}

// untyped returns a copy of obj as unstructured.
func untyped(obj runtime.Object) (runtime.Object, error) {
	if _, ok := obj.(runtime.Unstructured); ok {
		return obj.DeepCopyObject(), nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: content}, nil
}
