package v1beta2

import (
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// StatefulSetListerExpansion has the methods of a StatefulSetLister that not every lister has.
type StatefulSetListerExpansion interface {
	// GetPodStatefulSets returns those whose selector matches the pod. Which of
	// them manages it is told by its controller reference. No match is an error.
	GetPodStatefulSets(pod *corev1.Pod) ([]*appsv1beta2.StatefulSet, error)
}

// StatefulSetNamespaceListerExpansion is empty.
type StatefulSetNamespaceListerExpansion interface{}

func (l *statefulSetLister) GetPodStatefulSets(pod *corev1.Pod) ([]*appsv1beta2.StatefulSet, error) {
	return selecting.Managers(pod, "StatefulSet", l.StatefulSets(pod.Namespace), statefulSetSelector)
}

func statefulSetSelector(set *appsv1beta2.StatefulSet) *metav1.LabelSelector {
	return set.Spec.Selector
}
