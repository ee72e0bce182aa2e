package events

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	eventsv1beta1 "k8s.io/api/events/v1beta1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// GetFieldSelector returns a selector, for List and Watch of events of a version, of
// those about an object. What is empty of kind, name and UID does not matter. There
// is an error if events have no such version.
func GetFieldSelector(eventsGroupVersion schema.GroupVersion, regardingGroupVersionKind schema.GroupVersionKind, regardingName string, regardingUID types.UID) (fields.Selector, error) {
	var object string // the field that has the reference
	switch eventsGroupVersion {
	case corev1.SchemeGroupVersion:
		object = "involvedObject"
	case eventsv1.SchemeGroupVersion, eventsv1beta1.SchemeGroupVersion:
		object = "regarding"
	default:
		return nil, fmt.Errorf("there are no events of version %v", eventsGroupVersion)
	}
	// The order is the same each time, so that equal searches are equal requests.
	var terms []fields.Selector
	for _, wanted := range [...]struct{ field, value string }{
		{"apiVersion", regardingGroupVersionKind.GroupVersion().String()},
		{"kind", regardingGroupVersionKind.Kind},
		{"name", regardingName},
		{"uid", string(regardingUID)},
	} {
		if wanted.value != "" {
			terms = append(terms, fields.OneTermEqualSelector(object+"."+wanted.field, wanted.value))
		}
	}
	if len(terms) == 0 {
		return fields.Everything(), nil
	}
	return fields.AndSelectors(terms...), nil
}
