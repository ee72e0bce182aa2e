package scale

import (
	"reflect"
	"strings"
	"testing"

	appsv1beta1 "k8s.io/api/apps/v1beta1"
	appsv1beta2 "k8s.io/api/apps/v1beta2"
	autoscalingapi "k8s.io/api/autoscaling/v1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	scalescheme "k8s.io/client-go/scale/scheme"
)

func TestAnyFormConvertsToAnyOther(t *testing.T) {
	c := NewScaleConverter()
	forms := map[schema.GroupVersion]func(selector string, labels map[string]string) runtime.Object{
		autoscalingapi.SchemeGroupVersion: func(selector string, _ map[string]string) runtime.Object {
			return &autoscalingapi.Scale{Spec: autoscalingapi.ScaleSpec{Replicas: 3}, Status: autoscalingapi.ScaleStatus{Replicas: 2, Selector: selector}}
		},
		extensionsv1beta1.SchemeGroupVersion: func(selector string, labels map[string]string) runtime.Object {
			return &extensionsv1beta1.Scale{Spec: extensionsv1beta1.ScaleSpec{Replicas: 3}, Status: extensionsv1beta1.ScaleStatus{Replicas: 2, Selector: labels, TargetSelector: selector}}
		},
		appsv1beta1.SchemeGroupVersion: func(selector string, labels map[string]string) runtime.Object {
			return &appsv1beta1.Scale{Spec: appsv1beta1.ScaleSpec{Replicas: 3}, Status: appsv1beta1.ScaleStatus{Replicas: 2, Selector: labels, TargetSelector: selector}}
		},
		appsv1beta2.SchemeGroupVersion: func(selector string, labels map[string]string) runtime.Object {
			return &appsv1beta2.Scale{Spec: appsv1beta2.ScaleSpec{Replicas: 3}, Status: appsv1beta2.ScaleStatus{Replicas: 2, Selector: labels, TargetSelector: selector}}
		},
	}
	for _, selector := range []struct {
		text   string
		labels map[string]string
	}{
		{"", nil},
		{"a=b,c=d", map[string]string{"a": "b", "c": "d"}},
		{"a in (b,c),d=e", nil},
	} {
		for from, in := range forms {
			for to, out := range forms {
				got, err := c.ConvertToVersion(in(selector.text, selector.labels), to)
				if err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
					continue
				}
				want := out(selector.text, selector.labels)
				want.GetObjectKind().SetGroupVersionKind(to.WithKind("Scale"))
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s to %s:\n got %#v\nwant %#v", from, to, got, want)
				}
			}
		}
	}
}

func TestLabelsAreTheSelectorWhereThereIsNoText(t *testing.T) {
	c := NewScaleConverter()
	labels := map[string]string{"a": "b"}
	in := &appsv1beta1.Scale{Status: appsv1beta1.ScaleStatus{Selector: labels}}
	out, err := c.ConvertToVersion(in, scalescheme.SchemeGroupVersion)
	if err != nil {
		t.Fatal(err)
	}
	selector := out.(*scalescheme.Scale).Status.Selector
	if !reflect.DeepEqual(selector, &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}) {
		t.Errorf("got %v", selector)
	}
	selector.MatchLabels["a"] = "changed"
	if labels["a"] != "b" {
		t.Error("the selector is the input's map")
	}
}

func TestConversionsThatCannotBe(t *testing.T) {
	c := NewScaleConverter()
	badSelector := &scalescheme.Scale{Status: scalescheme.ScaleStatus{Selector: &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}},
	}}}
	for _, tc := range []struct {
		in   runtime.Object
		to   schema.GroupVersion
		want string
	}{
		{new(appsv1beta1.Deployment), autoscalingapi.SchemeGroupVersion, "Deployment"},
		{new(appsv1beta1.Scale), schema.GroupVersion{Group: "example.com", Version: "v1"}, "example.com/v1"},
		{new(autoscalingapi.Scale), schema.GroupVersion{Group: "apps", Version: "v1"}, "apps/v1"},
		{&autoscalingapi.Scale{Status: autoscalingapi.ScaleStatus{Selector: "(("}}, appsv1beta1.SchemeGroupVersion, "invalid label selector"},
		{&extensionsv1beta1.Scale{Status: extensionsv1beta1.ScaleStatus{TargetSelector: "(("}}, autoscalingapi.SchemeGroupVersion, "invalid label selector"},
		{badSelector, autoscalingapi.SchemeGroupVersion, "invalid label selector"},
		{badSelector, appsv1beta2.SchemeGroupVersion, "invalid label selector"},
		{badSelector, extensionsv1beta1.SchemeGroupVersion, "invalid label selector"},
	} {
		if got, err := c.ConvertToVersion(tc.in, tc.to); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%T to %s: %v, %v; want an error with %q", tc.in, tc.to, got, err, tc.want)
		}
	}
}

// Somebody else's scheme is not to get conversions because this is linked.
func TestConversionsAreNotRegisteredWithTheAPIPackages(t *testing.T) {
	s := runtime.NewScheme()
	if err := appsv1beta1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	if err := s.Convert(new(appsv1beta1.Scale), new(scalescheme.Scale), nil); err == nil {
		t.Error("a scheme with apps/v1beta1 alone converts scales")
	}
}

func TestEveryVersionHasAScale(t *testing.T) {
	c := NewScaleConverter()
	if versions := c.ScaleVersions(); len(versions) != 7 || versions[0] != autoscalingapi.SchemeGroupVersion {
		t.Errorf("got %v", versions)
	}
	for _, version := range c.ScaleVersions() {
		if !c.Scheme().Recognizes(version.WithKind("Scale")) {
			t.Errorf("%s has none", version)
		}
	}
	if len(c.Codecs().SupportedMediaTypes()) == 0 {
		t.Error("no codecs")
	}
}
