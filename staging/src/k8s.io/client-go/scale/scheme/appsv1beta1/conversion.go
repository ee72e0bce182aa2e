package appsv1beta1

import (
	"fmt"

	api "k8s.io/api/apps/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/client-go/scale/scheme"
)

// Convert_scheme_ScaleStatus_To_v1beta1_ScaleStatus writes the selector twice: as
// text, and as labels if it has nothing but labels.
func Convert_scheme_ScaleStatus_To_v1beta1_ScaleStatus(in *scheme.ScaleStatus, out *api.ScaleStatus, s conversion.Scope) error {
	*out = api.ScaleStatus{Replicas: in.Replicas}
	if in.Selector == nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(in.Selector)
	if err != nil {
		return fmt.Errorf("invalid label selector in a scale: %w", err)
	}
	out.TargetSelector = selector.String()
	if len(in.Selector.MatchExpressions) == 0 {
		out.Selector = in.Selector.MatchLabels
	}
	return nil
}

// Convert_v1beta1_ScaleStatus_To_scheme_ScaleStatus prefers the selector as text:
// only that can say everything.
func Convert_v1beta1_ScaleStatus_To_scheme_ScaleStatus(in *api.ScaleStatus, out *scheme.ScaleStatus, s conversion.Scope) error {
	out.Replicas = in.Replicas
	out.Selector = nil
	switch {
	case in.TargetSelector != "":
		selector, err := metav1.ParseToLabelSelector(in.TargetSelector)
		if err != nil {
			return fmt.Errorf("invalid label selector %q in a scale: %w", in.TargetSelector, err)
		}
		out.Selector = selector
	case in.Selector != nil:
		// The labels are the input's, which must not change with the output.
		labels := metav1.LabelSelector{MatchLabels: in.Selector}
		out.Selector = labels.DeepCopy()
	}
	return nil
}
