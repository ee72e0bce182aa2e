// Package autoscalingv1 connects Scale of autoscaling/v1 to a scheme, and converts it
// to and from the form in k8s.io/client-go/scale/scheme.
//
// +k8s:conversion-gen=k8s.io/client-go/scale/scheme
// +k8s:conversion-gen-external-types=k8s.io/api/autoscaling/v1
package autoscalingv1
