package v1

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// DaemonSetListerExpansion has the methods of a DaemonSetLister that not every lister has.
type DaemonSetListerExpansion interface {
	// GetPodDaemonSets returns those whose selector matches the pod. Which of
	// them manages it is told by its controller reference. No match is an error.
	GetPodDaemonSets(pod *corev1.Pod) ([]*appsv1.DaemonSet, error)
	// GetHistoryDaemonSets returns those whose selector matches the revision,
	// in the same way.
	GetHistoryDaemonSets(history *appsv1.ControllerRevision) ([]*appsv1.DaemonSet, error)
}

// DaemonSetNamespaceListerExpansion is empty.
type DaemonSetNamespaceListerExpansion interface{}

func (l *daemonSetLister) GetPodDaemonSets(pod *corev1.Pod) ([]*appsv1.DaemonSet, error) {
	return selecting.Managers(pod, "DaemonSet", l.DaemonSets(pod.Namespace), daemonSetSelector)
}

func (l *daemonSetLister) GetHistoryDaemonSets(history *appsv1.ControllerRevision) ([]*appsv1.DaemonSet, error) {
	return selecting.Managers(history, "DaemonSet", l.DaemonSets(history.Namespace), daemonSetSelector)
}

func daemonSetSelector(set *appsv1.DaemonSet) *metav1.LabelSelector {
	return set.Spec.Selector
}
