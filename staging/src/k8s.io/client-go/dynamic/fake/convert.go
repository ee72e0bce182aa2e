package fake

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// unstructured returns a copy of an object in unstructured form.
func (c *FakeDynamicClient) unstructured(object runtime.Object) (*unstructured.Unstructured, error) {
	switch o := object.(type) {
	case *unstructured.Unstructured:
		return o.DeepCopy(), nil
	case runtime.Unstructured: // a list, say, which need not tell its kind
		return &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o.UnstructuredContent())}, nil
	case *metav1.Status: // which every server answers with, whether the scheme has it or not
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		u := &unstructured.Unstructured{Object: content}
		u.SetGroupVersionKind(metav1.Unversioned.WithKind("Status"))
		return u, err
	}
	kinds, _, err := c.scheme.ObjectKinds(object)
	if err != nil {
		return nil, fmt.Errorf("unable to get the kind of a %T: %w", object, err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("converting a %T: %w", object, err)
	}
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(kinds[0])
	return u, nil
}

// listOf returns those items of a list that selector matches, in a list of the
// given kind.
func (c *FakeDynamicClient) listOf(answer runtime.Object, kind schema.GroupVersionKind, selector labels.Selector) (*unstructured.UnstructuredList, error) {
	list := new(unstructured.UnstructuredList)
	list.SetGroupVersionKind(kind)
	if answered, err := meta.ListAccessor(answer); err == nil {
		list.SetResourceVersion(answered.GetResourceVersion())
		list.SetContinue(answered.GetContinue())
		list.SetRemainingItemCount(answered.GetRemainingItemCount())
	}
	if status, isStatus := answer.(*metav1.Status); isStatus && status.Status == success().Status {
		return list, nil
	}
	if !meta.IsListType(answer) {
		return nil, fmt.Errorf("a reactor answered list of %s with a %T, which should be a list", kind.Kind, answer)
	}
	items, err := meta.ExtractList(answer)
	if err != nil {
		return nil, fmt.Errorf("taking the items out of a %T: %w", answer, err)
	}
	for _, item := range items {
		u, err := c.unstructured(item)
		if err != nil {
			return nil, err
		}
		if selector.Matches(labels.Set(u.GetLabels())) {
			list.Items = append(list.Items, *u)
		}
	}
	return list, nil
}
