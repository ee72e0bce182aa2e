// Package sharedscheme tells packages that must not link all of Kubernetes' API
// whether their program does.
package sharedscheme

import "k8s.io/apimachinery/pkg/runtime"

// Scheme is that of package kubernetes/scheme in programs that link it, and nil in
// others. It is set when the program starts.
var Scheme *runtime.Scheme
