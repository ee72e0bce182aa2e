package autoscalingv1

import (
	"fmt"

	api "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/client-go/scale/scheme"
)

// Convert_scheme_ScaleStatus_To_v1_ScaleStatus writes the selector as text.
func Convert_scheme_ScaleStatus_To_v1_ScaleStatus(in *scheme.ScaleStatus, out *api.ScaleStatus, s conversion.Scope) error {
	out.Replicas = in.Replicas
	out.Selector = ""
	if in.Selector == nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(in.Selector)
	if err != nil {
		return fmt.Errorf("invalid label selector in a scale: %w", err)
	}
	out.Selector = selector.String()
	return nil
}

// Convert_v1_ScaleStatus_To_scheme_ScaleStatus parses the selector.
func Convert_v1_ScaleStatus_To_scheme_ScaleStatus(in *api.ScaleStatus, out *scheme.ScaleStatus, s conversion.Scope) error {
	out.Replicas = in.Replicas
	out.Selector = nil
	if in.Selector == "" {
		return nil
	}
	selector, err := metav1.ParseToLabelSelector(in.Selector)
	if err != nil {
		return fmt.Errorf("invalid label selector %q in a scale: %w", in.Selector, err)
	}
	out.Selector = selector
	return nil
}
