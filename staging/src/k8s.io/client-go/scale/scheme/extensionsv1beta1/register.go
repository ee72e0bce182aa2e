package extensionsv1beta1

import (
	api "k8s.io/api/extensions/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the group of this form of Scale.
const GroupName = api.GroupName

// SchemeGroupVersion is the group and version of this form of Scale.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1beta1"}

var (
	// The generated conversions are registered here, and not with the builder
	// of the API package, so that other schemes do not get them as well.
	localSchemeBuilder = &runtime.SchemeBuilder{api.AddToScheme}
	// AddToScheme makes the kinds of extensions/v1beta1 known to a scheme, with the
	// conversions of Scale.
	AddToScheme = localSchemeBuilder.AddToScheme
)

// Resource returns a resource of the group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}
