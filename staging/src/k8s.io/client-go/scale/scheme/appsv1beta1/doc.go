// Package appsv1beta1 connects Scale of apps/v1beta1 to a scheme, and converts it
// to and from the form in k8s.io/client-go/scale/scheme.
//
// +k8s:conversion-gen=k8s.io/client-go/scale/scheme
// +k8s:conversion-gen-external-types=k8s.io/api/apps/v1beta1
package appsv1beta1
