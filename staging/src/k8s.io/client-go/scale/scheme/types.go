package scheme

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Scale says how many replicas a resource should have and has.
type Scale struct {
	metav1.TypeMeta
	// The metadata is that of the resource which is scaled.
	metav1.ObjectMeta

	// Spec is what is asked for.
	Spec ScaleSpec

	// Status is what there is.
	Status ScaleStatus
}

// ScaleSpec is what is asked for.
type ScaleSpec struct {
	// Replicas is how many pods there should be.
	Replicas int32
}

// ScaleStatus is what there is.
type ScaleStatus struct {
	// Replicas is how many pods there are.
	Replicas int32

	// Selector matches the pods that are counted. It is nil if the resource
	// does not tell.
	Selector *metav1.LabelSelector
}
