// Package install puts the group client.authentication.k8s.io, in all its
// versions, into a scheme.
package install

import (
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	v1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
)

// Install registers the group with scheme: the internal types and every
// version of them, v1 before v1beta1. It panics if the scheme has other types
// under these names already.
func Install(scheme *runtime.Scheme) {
	for _, add := range []func(*runtime.Scheme) error{
		clientauthentication.AddToScheme,
		v1.AddToScheme,
		v1beta1.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	utilruntime.Must(scheme.SetVersionPriority(v1.SchemeGroupVersion, v1beta1.SchemeGroupVersion))
}
