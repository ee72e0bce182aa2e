package v1beta2

import (
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// ReplicaSetListerExpansion has the methods of a ReplicaSetLister that not every lister has.
type ReplicaSetListerExpansion interface {
	// GetPodReplicaSets returns those whose selector matches the pod. Which of
	// them manages it is told by its controller reference. No match is an error.
	GetPodReplicaSets(pod *corev1.Pod) ([]*appsv1beta2.ReplicaSet, error)
}

// ReplicaSetNamespaceListerExpansion is empty.
type ReplicaSetNamespaceListerExpansion interface{}

func (l *replicaSetLister) GetPodReplicaSets(pod *corev1.Pod) ([]*appsv1beta2.ReplicaSet, error) {
	return selecting.Managers(pod, "ReplicaSet", l.ReplicaSets(pod.Namespace), replicaSetSelector)
}

func replicaSetSelector(set *appsv1beta2.ReplicaSet) *metav1.LabelSelector {
	return set.Spec.Selector
}
