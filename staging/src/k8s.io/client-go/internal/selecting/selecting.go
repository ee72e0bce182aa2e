// Package selecting finds what selects an object by its labels, as a replica set
// does with pods. Several may: the one that manages the object is told by the owner
// reference for which controller is true.
package selecting

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// A Lister lists objects by their labels, in the namespace that matters.
type Lister[T any] interface {
	List(labels.Selector) ([]T, error)
}

// Managers returns the objects that may manage obj. A selector that is empty or
// cannot be parsed selects nothing. The error, if there are none, names them by kind.
func Managers[T any](obj metav1.Object, kind string, in Lister[T], selector func(T) *metav1.LabelSelector) ([]T, error) {
	if len(obj.GetLabels()) == 0 {
		return nil, fmt.Errorf("no %s selects %s/%s, which has no labels", kind, obj.GetNamespace(), obj.GetName())
	}
	return selecting(obj, kind, in, selector, false)
}

// All returns the objects whose selector matches obj. One that cannot be parsed
// matches nothing, an empty one everything if emptyMatches says so. The error, if
// there are none, names them by kind.
func All[T any](obj metav1.Object, kind string, in Lister[T], selector func(T) *metav1.LabelSelector, emptyMatches bool) ([]T, error) {
	return selecting(obj, kind, in, selector, emptyMatches)
}

func selecting[T any](obj metav1.Object, kind string, in Lister[T], selector func(T) *metav1.LabelSelector, emptyMatches bool) ([]T, error) {
	candidates, err := in.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	var found []T
	for _, candidate := range candidates {
		parsed, err := metav1.LabelSelectorAsSelector(selector(candidate))
		if err != nil || parsed.Empty() && !emptyMatches {
			continue
		}
		if parsed.Matches(labels.Set(obj.GetLabels())) {
			found = append(found, candidate)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no %s selects %s/%s, whose labels are %s",
			kind, obj.GetNamespace(), obj.GetName(), labels.Set(obj.GetLabels()))
	}
	return found, nil
}
