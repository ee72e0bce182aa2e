package api

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is the internal version of the group without a name.
var SchemeGroupVersion = schema.GroupVersion{Group: "", Version: runtime.APIVersionInternal}

var (
	// SchemeBuilder adds this package's types to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme is SchemeBuilder's method of that name.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, (*Config)(nil))
	return nil
}

// GetObjectKind returns obj itself, which holds its kind and version.
func (obj *Config) GetObjectKind() schema.ObjectKind { return obj }

// SetGroupVersionKind sets Kind and APIVersion.
func (obj *Config) SetGroupVersionKind(gvk schema.GroupVersionKind) {
	version, kind := gvk.ToAPIVersionAndKind()
	obj.Kind, obj.APIVersion = kind, version
}

// GroupVersionKind returns what Kind and APIVersion say.
func (obj *Config) GroupVersionKind() schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(obj.APIVersion, obj.Kind)
}
