// Package scheme has a form of Scale that all the forms on the wire can be
// converted to and from. Built-in resources were scaled through one of
// extensions/v1beta1, apps/v1beta1, apps/v1beta2 and autoscaling/v1 over time;
// they differ in how they write the selector of the pods.
//
// The packages below this one each connect one of those forms to a
// [runtime.Scheme]. Programs use them through k8s.io/client-go/scale.
//
// +k8s:deepcopy-gen=package
package scheme
