package metadata

import (
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// objectIn returns the metadata that the server answered with.
func objectIn(result rest.Result) (*metav1.PartialObjectMetadata, error) {
	answer, err := result.Get()
	if runtime.IsNotRegisteredError(err) {
		return objectFromFull(result)
	}
	if err != nil {
		return nil, err
	}
	object, ok := answer.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("unexpected object, expected PartialObjectMetadata but got %T", answer)
	}
	return object, nil
}

// objectFromFull takes the metadata out of an object of any other kind. The
// kind is cleared, as it is of all typed objects that a client returns.
func objectFromFull(result rest.Result) (*metav1.PartialObjectMetadata, error) {
	data, err := result.Raw()
	if err != nil {
		return nil, err
	}
	object := new(metav1.PartialObjectMetadata)
	if err := json.Unmarshal(data, object); err != nil {
		return nil, fmt.Errorf("unable to decode returned object as PartialObjectMetadata: %w", err)
	}
	// Any JSON object at all can be decoded. Those that are stored are told by
	// what the server sees to that they have.
	m := &object.ObjectMeta
	if m.Name == "" && m.GenerateName == "" && m.UID == "" && m.CreationTimestamp.IsZero() {
		return nil, fmt.Errorf("object does not appear to match the ObjectMeta schema: a %s of %s without name, UID and creation time",
			object.Kind, object.APIVersion)
	}
	object.TypeMeta = metav1.TypeMeta{}
	return object, nil
}

// listIn returns the list of metadata that the server answered with.
func listIn(result rest.Result) (*metav1.PartialObjectMetadataList, error) {
	answer, err := result.Get()
	if runtime.IsNotRegisteredError(err) {
		return listFromFull(result)
	}
	if err != nil {
		return nil, err
	}
	list, ok := answer.(*metav1.PartialObjectMetadataList)
	if !ok {
		return nil, fmt.Errorf("unexpected object, expected PartialObjectMetadataList but got %T", answer)
	}
	return list, nil
}

// listFromFull takes the metadata out of a list of full objects.
func listFromFull(result rest.Result) (*metav1.PartialObjectMetadataList, error) {
	data, err := result.Raw()
	if err != nil {
		return nil, err
	}
	list := new(metav1.PartialObjectMetadataList)
	if err := json.Unmarshal(data, list); err != nil {
		return nil, fmt.Errorf("unable to decode returned object as PartialObjectMetadataList: %w", err)
	}
	var found struct {
		Items json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("unable to look for items in the returned object: %w", err)
	}
	if found.Items == nil {
		return nil, errors.New("returned object is no list: it has no items, and is a " + list.Kind + " of " + list.APIVersion)
	}
	list.TypeMeta = metav1.TypeMeta{}
	return list, nil
}
