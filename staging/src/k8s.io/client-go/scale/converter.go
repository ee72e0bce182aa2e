package scale

import (
	"fmt"
	"sync"

	autoscalingapi "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	scalescheme "k8s.io/client-go/scale/scheme"
	"k8s.io/client-go/scale/scheme/appsint"
	"k8s.io/client-go/scale/scheme/appsv1beta1"
	"k8s.io/client-go/scale/scheme/appsv1beta2"
	"k8s.io/client-go/scale/scheme/autoscalingv1"
	"k8s.io/client-go/scale/scheme/extensionsint"
	"k8s.io/client-go/scale/scheme/extensionsv1beta1"
)

// ScaleConverter converts between the forms of Scale that servers use:
// autoscaling/v1, extensions/v1beta1, apps/v1beta1 and apps/v1beta2.
type ScaleConverter struct {
	scheme *runtime.Scheme
	codecs serializer.CodecFactory
}

// converter is what all clients share. It is made when it is first needed.
var converter = sync.OnceValue(NewScaleConverter)

// NewScaleConverter returns a converter with a scheme of its own.
func NewScaleConverter() *ScaleConverter {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		autoscalingv1.AddToScheme, scalescheme.AddToScheme,
		extensionsv1beta1.AddToScheme, extensionsint.AddToScheme,
		appsv1beta1.AddToScheme, appsv1beta2.AddToScheme, appsint.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	metav1.AddToGroupVersion(scheme, v1)
	return &ScaleConverter{scheme: scheme, codecs: serializer.NewCodecFactory(scheme)}
}

// Scheme returns the scheme that has the forms and the conversions.
func (c *ScaleConverter) Scheme() *runtime.Scheme { return c.scheme }

// Codecs returns the codecs of the scheme.
func (c *ScaleConverter) Codecs() serializer.CodecFactory { return c.codecs }

// ScaleVersions returns the groups and versions that have a form of Scale, the
// internal ones included. That of autoscaling/v1 comes first.
func (c *ScaleConverter) ScaleVersions() []schema.GroupVersion {
	return []schema.GroupVersion{
		autoscalingv1.SchemeGroupVersion, scalescheme.SchemeGroupVersion,
		extensionsv1beta1.SchemeGroupVersion, extensionsint.SchemeGroupVersion,
		appsint.SchemeGroupVersion, appsv1beta1.SchemeGroupVersion, appsv1beta2.SchemeGroupVersion,
	}
}

// ConvertToVersion converts a Scale to the form of another group and version,
// and sets its kind. The result shares maps and slices with in, which stays as
// it is. It is an error if in is no Scale, if there is no such form, or if a
// selector cannot be parsed.
func (c *ScaleConverter) ConvertToVersion(in runtime.Object, outVersion schema.GroupVersion) (runtime.Object, error) {
	kind := outVersion.WithKind("Scale")
	if same, ok := in.(*autoscalingapi.Scale); ok && outVersion == autoscalingapi.SchemeGroupVersion {
		out := *same
		out.SetGroupVersionKind(kind)
		return &out, nil
	}
	internal, ok := in.(*scalescheme.Scale)
	if !ok {
		internal = new(scalescheme.Scale)
		if err := c.scheme.Convert(in, internal, nil); err != nil {
			return nil, fmt.Errorf("converting a %T: %w", in, err)
		}
	}
	if outVersion.Version == runtime.APIVersionInternal {
		return internal, nil
	}
	out, err := c.scheme.New(kind)
	if err != nil {
		return nil, err
	}
	if err := c.scheme.Convert(internal, out, nil); err != nil {
		return nil, fmt.Errorf("converting a Scale to %s: %w", outVersion, err)
	}
	out.GetObjectKind().SetGroupVersionKind(kind)
	return out, nil
}
