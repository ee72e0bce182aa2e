package fake

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/testing"
)

// tracker keeps typed objects, which a test may give it, in unstructured form, as
// all that a dynamic client reads.
type tracker struct {
	testing.ObjectTracker
	client *FakeDynamicClient
}

func (t *tracker) IsWatchListSemanticsUnSupported() bool { return true }

func (t *tracker) Add(obj runtime.Object) error {
	if !meta.IsListType(obj) {
		u, err := t.client.unstructured(obj)
		if err != nil {
			return err
		}
		return t.ObjectTracker.Add(u)
	}
	return meta.EachListItem(obj, t.Add)
}

func (t *tracker) Create(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.CreateOptions) error {
	u, err := t.client.unstructured(obj)
	if err != nil {
		return err
	}
	return t.ObjectTracker.Create(gvr, u, ns, opts...)
}

func (t *tracker) Update(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.UpdateOptions) error {
	u, err := t.client.unstructured(obj)
	if err != nil {
		return err
	}
	return t.ObjectTracker.Update(gvr, u, ns, opts...)
}

// patchStrategically carries out strategic merge patches, for which the scheme must
// know the type of the object.
func (c *FakeDynamicClient) patchStrategically(action testing.Action) (bool, runtime.Object, error) {
	patch, ok := action.(testing.PatchActionImpl)
	if !ok || patch.GetPatchType() != types.StrategicMergePatchType {
		return false, nil, nil
	}
	gvr, ns := patch.GetResource(), patch.GetNamespace()
	live, err := c.tracker.Get(gvr, ns, patch.GetName(), metav1.GetOptions{})
	if err != nil {
		return true, nil, err
	}
	if json.Unmarshal(patch.GetPatch(), &map[string]any{}) != nil {
		return true, nil, mergepatch.ErrBadJSONDoc
	}
	typed, err := c.scheme.New(live.GetObjectKind().GroupVersionKind())
	if err != nil {
		return true, nil, fmt.Errorf("a strategic merge patch needs a Go type: %w", err)
	}
	before, err := json.Marshal(live)
	if err != nil {
		return true, nil, err
	}
	after, err := strategicpatch.StrategicMergePatch(before, patch.GetPatch(), typed)
	if err != nil {
		return true, nil, err
	}
	patched := &unstructured.Unstructured{}
	if err := patched.UnmarshalJSON(after); err != nil {
		return true, nil, err
	}
	return true, patched, c.tracker.Patch(gvr, patched, ns, patch.PatchOptions)
}
