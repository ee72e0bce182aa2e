package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// ReplicaSetListerExpansion has the methods of a ReplicaSetLister that not every lister has.
type ReplicaSetListerExpansion interface {
	// GetPodReplicaSets returns those whose selector matches the pod. Which of
	// them manages it is told by its controller reference. No match is an error.
	GetPodReplicaSets(pod *corev1.Pod) ([]*extensionsv1beta1.ReplicaSet, error)
}

// ReplicaSetNamespaceListerExpansion is empty.
type ReplicaSetNamespaceListerExpansion interface{}

func (l *replicaSetLister) GetPodReplicaSets(pod *corev1.Pod) ([]*extensionsv1beta1.ReplicaSet, error) {
	return selecting.Managers(pod, "ReplicaSet", l.ReplicaSets(pod.Namespace), replicaSetSelector)
}

func replicaSetSelector(set *extensionsv1beta1.ReplicaSet) *metav1.LabelSelector {
	return set.Spec.Selector
}
