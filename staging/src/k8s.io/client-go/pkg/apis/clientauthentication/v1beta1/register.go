package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the name of the group that is spoken with credential plugins.
const GroupName = "client.authentication.k8s.io"

// SchemeGroupVersion is this version of the group.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1beta1"}

var (
	// SchemeBuilder collects what AddToScheme does.
	SchemeBuilder runtime.SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes, RegisterDefaults)

	localSchemeBuilder = &SchemeBuilder // the name that generated code uses

	// AddToScheme registers the types of this version with a scheme, and the
	// conversions from and to the internal ones.
	AddToScheme = localSchemeBuilder.AddToScheme
)

// Resource returns the name of a resource of this group.
func Resource(resource string) schema.GroupResource {
	return schema.GroupResource{Group: GroupName, Resource: resource}
}

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, &ExecCredential{})
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
