package scheme_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/scale/scheme"
	"k8s.io/client-go/scale/scheme/appsint"
	"k8s.io/client-go/scale/scheme/appsv1beta1"
	"k8s.io/client-go/scale/scheme/appsv1beta2"
	"k8s.io/client-go/scale/scheme/autoscalingv1"
	"k8s.io/client-go/scale/scheme/extensionsint"
	"k8s.io/client-go/scale/scheme/extensionsv1beta1"
)

func TestEachPackageMakesScaleKnownInItsVersion(t *testing.T) {
	for _, p := range []struct {
		version  schema.GroupVersion
		add      func(*runtime.Scheme) error
		resource func(string) schema.GroupResource
		want     string
	}{
		{scheme.SchemeGroupVersion, scheme.AddToScheme, scheme.Resource, "autoscaling/__internal"},
		{appsint.SchemeGroupVersion, appsint.AddToScheme, appsint.Resource, "apps/__internal"},
		{extensionsint.SchemeGroupVersion, extensionsint.AddToScheme, extensionsint.Resource, "extensions/__internal"},
		{autoscalingv1.SchemeGroupVersion, autoscalingv1.AddToScheme, autoscalingv1.Resource, "autoscaling/v1"},
		{appsv1beta1.SchemeGroupVersion, appsv1beta1.AddToScheme, appsv1beta1.Resource, "apps/v1beta1"},
		{appsv1beta2.SchemeGroupVersion, appsv1beta2.AddToScheme, appsv1beta2.Resource, "apps/v1beta2"},
		{extensionsv1beta1.SchemeGroupVersion, extensionsv1beta1.AddToScheme, extensionsv1beta1.Resource, "extensions/v1beta1"},
	} {
		s := runtime.NewScheme()
		if err := p.add(s); err != nil {
			t.Errorf("%s: %v", p.want, err)
		}
		if p.version.String() != p.want || !s.Recognizes(p.version.WithKind("Scale")) {
			t.Errorf("%s: version %s, or Scale is not known", p.want, p.version)
		}
		if got, want := p.resource("things"), (schema.GroupResource{Group: p.version.Group, Resource: "things"}); got != want {
			t.Errorf("%s: resource %v, want %v", p.want, got, want)
		}
	}
	want := schema.GroupKind{Group: "autoscaling", Kind: "Scale"}
	if got := scheme.Kind("Scale"); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
