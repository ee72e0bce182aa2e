package share

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pod(i int) *corev1.Pod {
	text := func(s string) string { return strings.Clone(s) }
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprint("pod-", i), Namespace: text("default"),
			Labels:        map[string]string{text("app"): text("shop")},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: text("kubelet"), FieldsV1: metav1.NewFieldsV1(text(`{"f:status":{}}`))}},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: text("main"), Env: []corev1.EnvVar{{Name: text("A"), Value: text("b")}},
				Resources:       corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("1Gi")}},
				SecurityContext: &corev1.SecurityContext{Privileged: new(bool)},
			}},
		},
		Status: corev1.PodStatus{PodIP: fmt.Sprint("10.0.0.", i)},
	}
}

func TestObjectsStayEqual(t *testing.T) {
	var s Sharer
	for i := range 1000 {
		got := pod(i % 300)
		if i%3 == 0 {
			got.Spec.Containers[0].Resources.Requests["cpu"] = resource.MustParse("200m")
			got.Labels["app"] = fmt.Sprint(i % 7)
		}
		want := got.DeepCopy()
		s.Share(got)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("pod %d is\n%v\nand was\n%v", i, got, want)
		}
	}
}

func TestWhatIsTheSameIsShared(t *testing.T) {
	var s Sharer
	a, b := pod(1), pod(2)
	s.Share(a)
	s.Share(b)
	for what, pair := range map[string][2]unsafe.Pointer{
		"namespace":      {unsafe.Pointer(unsafe.StringData(a.Namespace)), unsafe.Pointer(unsafe.StringData(b.Namespace))},
		"managed fields": {unsafe.Pointer(&a.ManagedFields[0]), unsafe.Pointer(&b.ManagedFields[0])},
		"containers":     {unsafe.Pointer(&a.Spec.Containers[0]), unsafe.Pointer(&b.Spec.Containers[0])},
		"labels":         {reflect.ValueOf(a.Labels).UnsafePointer(), reflect.ValueOf(b.Labels).UnsafePointer()},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s are two", what)
		}
	}
	if cap(b.Spec.Containers) != 1 {
		t.Error("one can append to what others have")
	}
}

func TestWhatIsGoneIsNotKeptForLong(t *testing.T) {
	var s Sharer
	first := pod(0)
	first.Annotations = map[string]string{"large": strings.Repeat("x", 1000)}
	s.Share(first)
	gone := weak.Make(&first.Spec.Containers[0])
	first = nil
	for i := range 3 * maxEntries {
		s.Share(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("pod-", i), Annotations: map[string]string{"n": fmt.Sprint(i)}}})
	}
	runtime.GC()
	if gone.Value() != nil {
		t.Error("it is still there")
	}
	if n := len(s.values.young) + len(s.values.old); n > 2*maxEntries {
		t.Errorf("%d things are remembered", n)
	}
	runtime.KeepAlive(&s)
}

func TestObjectsThatAreNoStructsAreLeftAlone(t *testing.T) {
	var s Sharer
	for _, obj := range []any{nil, 1, (*corev1.Pod)(nil), map[string]any{}, new(string)} {
		s.Share(obj)
	}
}

type private struct{ n int }

func TestWhatHasPrivateFieldsIsNotReplaced(t *testing.T) {
	type object struct {
		Name    string
		Private *private
		List    []private
	}
	var s Sharer
	a, b := &object{"x", &private{1}, []private{{1}}}, &object{"x", &private{1}, []private{{1}}}
	s.Share(a)
	s.Share(b)
	if a.Private == b.Private || &a.List[0] == &b.List[0] {
		t.Error("it was replaced")
	}
}
