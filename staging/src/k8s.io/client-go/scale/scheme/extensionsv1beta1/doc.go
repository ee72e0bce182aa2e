// Package extensionsv1beta1 connects Scale of extensions/v1beta1 to a scheme, and converts it
// to and from the form in k8s.io/client-go/scale/scheme.
//
// +k8s:conversion-gen=k8s.io/client-go/scale/scheme
// +k8s:conversion-gen-external-types=k8s.io/api/extensions/v1beta1
package extensionsv1beta1
