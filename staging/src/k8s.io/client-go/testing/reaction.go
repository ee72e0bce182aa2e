package testing

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

// ObjectReaction returns a reaction that carries actions out on tracker: it
// gets, lists, creates, updates, patches and deletes. Other actions it does not
// handle; delete-collection is one of them.
//
// A subresource is not a thing of its own. Reading or deleting one reads or
// deletes its parent, and to update one is to update the parent. To create one is
// to update the parent if the object is of the parent's type, as for a status;
// and has no effect if it is not, as for a binding or an eviction.
func ObjectReaction(tracker ObjectTracker) ReactionFunc {
	return func(action Action) (bool, runtime.Object, error) {
		ns, gvr := action.GetNamespace(), action.GetResource()
		var answer runtime.Object
		var err error
		switch action := action.(type) {
		case GetActionImpl:
			answer, err = tracker.Get(gvr, ns, action.GetName(), action.GetOptions)
		case ListActionImpl:
			answer, err = tracker.List(gvr, action.GetKind(), ns, action.ListOptions)
		case CreateActionImpl:
			answer, err = carryOutCreate(tracker, action)
		case UpdateActionImpl:
			err = tracker.Update(gvr, action.GetObject(), ns, action.UpdateOptions)
			answer, err = readBack(tracker, action, action.GetObject(), err)
		case PatchActionImpl:
			answer, err = carryOutPatch(tracker, action)
		case DeleteActionImpl:
			err = tracker.Delete(gvr, ns, action.GetName(), action.DeleteOptions)
		default:
			return false, nil, fmt.Errorf("no reaction implemented for %s", action)
		}
		if err != nil {
			return true, nil, err
		}
		return true, answer, nil
	}
}

// readBack returns what came of writing written, unless there was an error.
func readBack(tracker ObjectTracker, action Action, written runtime.Object, err error) (runtime.Object, error) {
	if err != nil {
		return nil, err
	}
	object, err := meta.Accessor(written)
	if err != nil {
		return nil, err
	}
	return tracker.Get(action.GetResource(), action.GetNamespace(), object.GetName(), metav1.GetOptions{})
}

func carryOutCreate(tracker ObjectTracker, action CreateActionImpl) (runtime.Object, error) {
	ns, gvr, object := action.GetNamespace(), action.GetResource(), action.GetObject()
	if action.GetSubresource() == "" {
		err := tracker.Create(gvr, object, ns, action.CreateOptions)
		return readBack(tracker, action, object, err)
	}
	// The parent's name is that in the request, and if there is none the one in
	// the object.
	name := action.Name
	if name == "" {
		parent, err := meta.Accessor(object)
		if err != nil {
			return nil, err
		}
		name = parent.GetName()
	}
	parent, err := tracker.Get(gvr, ns, name, metav1.GetOptions{})
	switch {
	case err != nil:
		return nil, err
	case reflect.TypeOf(parent) != reflect.TypeOf(object):
		return object, nil
	}
	options := metav1.UpdateOptions{
		DryRun:          action.CreateOptions.DryRun,
		FieldManager:    action.CreateOptions.FieldManager,
		FieldValidation: action.CreateOptions.FieldValidation,
	}
	err = tracker.Update(gvr, object, ns, options)
	return readBack(tracker, action, object, err)
}

func carryOutPatch(tracker ObjectTracker, action PatchActionImpl) (runtime.Object, error) {
	ns, gvr := action.GetNamespace(), action.GetResource()
	if action.GetPatchType() == types.ApplyYAMLPatchType {
		wanted := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(action.GetPatch(), &wanted.Object); err != nil {
			return nil, fmt.Errorf("apply configuration of %s %q: %w", gvr.Resource, action.GetName(), err)
		}
		if wanted.Object == nil {
			return nil, errors.NewBadRequest(fmt.Sprintf("apply configuration of %s %q is empty", gvr.Resource, action.GetName()))
		}
		wanted.SetName(action.GetName())
		err := tracker.Apply(gvr, wanted, ns, action.PatchOptions)
		return readBack(tracker, action, wanted, err)
	}

	live, err := tracker.Get(gvr, ns, action.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	patched, err := patched(live, action.GetPatchType(), action.GetPatch())
	if err != nil {
		return nil, err
	}
	object, err := meta.Accessor(patched)
	if err != nil {
		return nil, err
	}
	if object.GetName() != action.GetName() {
		return nil, errors.NewBadRequest(fmt.Sprintf("the patch renames %s %q to %q", gvr.Resource, action.GetName(), object.GetName()))
	}
	if err := tracker.Patch(gvr, patched, ns, action.PatchOptions); err != nil {
		return nil, err
	}
	answer, err := readBack(tracker, action, patched, nil)
	if errors.IsNotFound(err) && object.GetDeletionTimestamp() != nil {
		return patched, nil // a patch that takes the last finalizer away ends the object
	}
	return answer, err
}
