package v1

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is version v1 of the group without a name.
var SchemeGroupVersion = schema.GroupVersion{Group: "", Version: "v1"}

var (
	// SchemeBuilder adds this package's types, defaults and conversions to a
	// scheme.
	SchemeBuilder      = runtime.NewSchemeBuilder(addKnownTypes, addDefaultingFuncs)
	localSchemeBuilder = &SchemeBuilder
	// AddToScheme does what SchemeBuilder's method of that name does.
	AddToScheme = localSchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, (*Config)(nil))
	return nil
}

func addDefaultingFuncs(scheme *runtime.Scheme) error {
	return RegisterDefaults(scheme)
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
