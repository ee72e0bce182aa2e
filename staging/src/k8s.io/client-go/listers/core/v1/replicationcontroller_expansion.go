package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// ReplicationControllerListerExpansion has the methods of a ReplicationControllerLister that not every lister has.
type ReplicationControllerListerExpansion interface {
	// GetPodControllers returns those whose selector matches the pod. Which of
	// them manages it is told by its controller reference. No match is an error.
	GetPodControllers(pod *corev1.Pod) ([]*corev1.ReplicationController, error)
}

// ReplicationControllerNamespaceListerExpansion is empty.
type ReplicationControllerNamespaceListerExpansion interface{}

func (l *replicationControllerLister) GetPodControllers(pod *corev1.Pod) ([]*corev1.ReplicationController, error) {
	return selecting.Managers(pod, "ReplicationController", l.ReplicationControllers(pod.Namespace), replicationControllerSelector)
}

func replicationControllerSelector(controller *corev1.ReplicationController) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: controller.Spec.Selector}
}
