package v1

import (
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// PodDisruptionBudgetListerExpansion has the methods of a PodDisruptionBudgetLister that not every lister has.
type PodDisruptionBudgetListerExpansion interface {
	// GetPodPodDisruptionBudgets returns those whose selector matches the pod. An
	// empty selector matches all pods. No match is an error.
	GetPodPodDisruptionBudgets(pod *corev1.Pod) ([]*policyv1.PodDisruptionBudget, error)
}

// PodDisruptionBudgetNamespaceListerExpansion is empty.
type PodDisruptionBudgetNamespaceListerExpansion interface{}

func (l *podDisruptionBudgetLister) GetPodPodDisruptionBudgets(pod *corev1.Pod) ([]*policyv1.PodDisruptionBudget, error) {
	return selecting.All(pod, "PodDisruptionBudget", l.PodDisruptionBudgets(pod.Namespace), podDisruptionBudgetSelector, true)
}

func podDisruptionBudgetSelector(budget *policyv1.PodDisruptionBudget) *metav1.LabelSelector {
	return budget.Spec.Selector
}
