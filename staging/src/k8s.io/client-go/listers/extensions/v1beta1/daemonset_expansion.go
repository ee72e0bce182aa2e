package v1beta1

import (
	appsv1beta1 "k8s.io/api/apps/v1beta1"
	corev1 "k8s.io/api/core/v1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// DaemonSetListerExpansion has the methods of a DaemonSetLister that not every lister has.
type DaemonSetListerExpansion interface {
	// GetPodDaemonSets returns those whose selector matches the pod. Which of
	// them manages it is told by its controller reference. No match is an error.
	GetPodDaemonSets(pod *corev1.Pod) ([]*extensionsv1beta1.DaemonSet, error)
	// GetHistoryDaemonSets returns those whose selector matches the revision,
	// in the same way.
	GetHistoryDaemonSets(history *appsv1beta1.ControllerRevision) ([]*extensionsv1beta1.DaemonSet, error)
}

// DaemonSetNamespaceListerExpansion is empty.
type DaemonSetNamespaceListerExpansion interface{}

func (l *daemonSetLister) GetPodDaemonSets(pod *corev1.Pod) ([]*extensionsv1beta1.DaemonSet, error) {
	return selecting.Managers(pod, "DaemonSet", l.DaemonSets(pod.Namespace), daemonSetSelector)
}

func (l *daemonSetLister) GetHistoryDaemonSets(history *appsv1beta1.ControllerRevision) ([]*extensionsv1beta1.DaemonSet, error) {
	return selecting.Managers(history, "DaemonSet", l.DaemonSets(history.Namespace), daemonSetSelector)
}

func daemonSetSelector(set *extensionsv1beta1.DaemonSet) *metav1.LabelSelector {
	return set.Spec.Selector
}
