package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is the group and version of the kinds here.
var SchemeGroupVersion = schema.GroupVersion{Group: "pages.sample.dev", Version: "v1alpha1"}

// Resource returns a resource of this group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}

// AddToScheme has a scheme know the kinds.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, &Page{}, &PageList{})
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
