package share

import (
	"encoding/json"
	"errors"
	"math/rand"
	"reflect"
	goruntime "runtime"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"
)

func generalJSON(raw []byte, into any) error {
	return kjson.UnmarshalCaseSensitivePreserveInts(raw, into)
}

func generalProtobuf(raw []byte, into any) error { return into.(message).Unmarshal(raw) }

// TestEveryKindIsDecodedAsByTheGeneralDecoders: objects of all kinds with random
// content, each several times and with parts of others, one Sharer for all.
func TestEveryKindIsDecodedAsByTheGeneralDecoders(t *testing.T) {
	fill := fuzzer.FuzzerFor(metafuzzer.Funcs, rand.NewSource(1), serializer.NewCodecFactory(scheme.Scheme))
	var s Sharer
	for gvk := range scheme.Scheme.AllKnownTypes() {
		for range 3 {
			obj, err := scheme.Scheme.New(gvk)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := obj.(metav1.ObjectMetaAccessor); !ok {
				continue // no object: options of requests, for example
			}
			fill.Fill(obj)
			for range 3 {
				checkJSON(t, &s, obj)
				if _, ok := obj.(message); ok {
					checkProtobuf(t, &s, obj)
				}
			}
		}
	}
}

// neverWhole is a general decoder for parts of an object alone.
func neverWhole(t *testing.T, root any, general func([]byte, any) error) func([]byte, any) error {
	return func(raw []byte, into any) error {
		if into == root {
			t.Errorf("a %T was left to the general decoder", root)
		}
		return general(raw, into)
	}
}

func checkJSON(t *testing.T, s *Sharer, obj runtime.Object) {
	t.Helper()
	raw, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	got, want := zero(obj), zero(obj)
	errGot, errWant := s.DecodeJSON(raw, got, neverWhole(t, got, generalJSON)), generalJSON(raw, want)
	compare(t, raw, got, want, errGot, errWant)
}

func checkProtobuf(t *testing.T, s *Sharer, obj runtime.Object) {
	t.Helper()
	raw, err := obj.(interface{ Marshal() ([]byte, error) }).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, want := zero(obj), zero(obj)
	errGot, errWant := s.DecodeProtobuf(raw, got, neverWhole(t, got, generalProtobuf)), generalProtobuf(raw, want)
	compare(t, raw, got, want, errGot, errWant)
}

func zero(obj any) any { return reflect.New(reflect.TypeOf(obj).Elem()).Interface() }

func compare(t *testing.T, raw []byte, got, want any, errGot, errWant error) {
	t.Helper()
	if (errGot == nil) != (errWant == nil) || errGot != nil && errGot.Error() != errWant.Error() {
		t.Fatalf("%T: %v, want %v\n%q", got, errGot, errWant, raw)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%T is\n%v\nwant\n%v\n%q", got, got, want, raw)
	}
}

// odd is JSON that servers do not write, but that means something, or nothing.
var odd = []string{
	``, `null`, `[]`, `"x"`, `{}`, ` { } `, `{"a"`, `{"metadata"}`, `{"metadata":}`, `{"metadata":{},}`, `{,}`, `{}{}`, `{} x`,
	`{"metadata":null,"spec":null,"status":null}`,
	`{"metadata":{"name":"a","name":"b"}}`,
	`{"metadata":{"name":"a"},"metadata":{"namespace":"b"}}`,
	`{"meta\u0064ata":{"name":"a"},"unknown":{"x":[1,2,{}]}}`,
	`{"unknown":{"x":[1,2,}]}}`, `{"unknown":tru}`, `{"unknown":"\x"}`,
	`{"Metadata":{"name":"a"}}`,
	`{"metadata":{"name":"\u00e9\n\"x\\"}}`, "{\"metadata\":{\"name\":\"\xff\"}}", "{\"metadata\":{\"name\":\"\n\"}}",
	`{"metadata":{"name":1}}`, `{"metadata":{"name":null,"labels":{"a":null},"annotations":{},"finalizers":[]}}`,
	`{"metadata":{"finalizers":["a",null]}}`, `{"metadata":{"finalizers":["a",]}}`, `{"metadata":{"finalizers":[,]}}`, `{"metadata":{"finalizers":["a" "b"]}}`,
	`{"metadata":{"generation":01}}`, `{"metadata":{"generation":-0}}`, `{"metadata":{"generation":1.5}}`, `{"metadata":{"generation":1e3}}`, `{"metadata":{"generation":99999999999999999999}}`,
	`{"metadata":{"creationTimestamp":null,"deletionTimestamp":"2024-01-02T03:04:05Z","deletionGracePeriodSeconds":30}}`,
	`{"metadata":{"creationTimestamp":"yesterday"}}`,
	`{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1","memory":1024}},"ports":[{"containerPort":80}],"livenessProbe":{"httpGet":{"port":"http"},"periodSeconds":2147483648}}]}}`,
	`{"spec":{"containers":{"name":"a"}}}`, `{"spec":{"hostNetwork":"true"}}`, `{"spec":{"hostNetwork":false,"priority":-5}}`,
	`{"spec":{"volumes":[{"name":"a","emptyDir":{}},{"name":"b","secret":{"items":null}}]}}`,
}

func FuzzJSONIsDecodedAsByTheGeneralDecoder(f *testing.F) {
	for _, text := range odd {
		f.Add([]byte(text))
	}
	raw, _ := json.Marshal(workload(1))
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s Sharer
		for range 3 { // new, seen once, kept
			var got, want corev1.Pod
			errGot, errWant := s.DecodeJSON(raw, &got, generalJSON), generalJSON(raw, &want)
			compare(t, raw, &got, &want, errGot, errWant)
		}
	})
}

func FuzzProtobufIsDecodedAsByTheGeneralDecoder(f *testing.F) {
	raw, _ := workload(1).Marshal()
	f.Add(raw)
	f.Add(append(raw, raw...))
	for _, text := range []string{"", "\x0a", "\x0a\x00\x0a\x00", "\x0a\x02\x0a\xff", "\x08\x01", "\xfa\x07\x00", "\x00", "\x12\x04\x12\x02\x0a\x00\x12\x02\x12\x00", "\x12\x02\x3a\x00", "\x12\x04\x3a\x02\x12\x00"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s Sharer
		for range 3 {
			var got, want corev1.Pod
			errGot, errWant := s.DecodeProtobuf(raw, &got, generalProtobuf), generalProtobuf(raw, &want)
			compare(t, raw, &got, &want, errGot, errWant)
		}
	})
}

func TestDecodedObjectsShareWhatIsTheSame(t *testing.T) {
	for _, format := range []string{"JSON", "protobuf"} {
		var s Sharer
		var pods [5]corev1.Pod
		for i := range pods {
			var err error
			if from := workload(50 * i); format == "JSON" {
				raw, _ := json.Marshal(from)
				err = s.DecodeJSON(raw, &pods[i], generalJSON)
			} else {
				raw, _ := from.Marshal()
				err = s.DecodeProtobuf(raw, &pods[i], generalProtobuf)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		a, b := &pods[3], &pods[4]
		if &a.Spec.Containers[0].Env[0] != &b.Spec.Containers[0].Env[0] {
			t.Errorf("%s: variables are two", format)
		}
		if &a.Spec.Tolerations[0] != &b.Spec.Tolerations[0] {
			t.Errorf("%s: tolerations are two", format)
		}
		if reflect.ValueOf(a.Labels).UnsafePointer() != reflect.ValueOf(b.Labels).UnsafePointer() {
			t.Errorf("%s: labels are two", format)
		}
		if cap(b.Spec.Containers[0].Env) != len(b.Spec.Containers[0].Env) {
			t.Errorf("%s: one can append to what others have", format)
		}
		if a.ManagedFields[0].FieldsV1 != b.ManagedFields[0].FieldsV1 {
			t.Errorf("%s: managed fields are two", format)
		}
	}
}

func TestAnObjectThatIsThereIsNotDecodedAgain(t *testing.T) {
	var s Sharer
	kind := corev1.SchemeGroupVersion.WithKind("Pod")
	decoded := 0
	failure := errors.New("not now")
	once := func(data string, obj runtime.Object, err error) runtime.Object {
		t.Helper()
		got, of, failed := s.Once([]byte(data), func() (runtime.Object, *schema.GroupVersionKind, error) {
			decoded++
			return obj, &kind, err
		})
		if failed != err || *of != kind {
			t.Errorf("%v of kind %v, %v", got, of, failed)
		}
		return got
	}
	pod, other := &corev1.Pod{}, &corev1.Pod{}
	once("a", pod, failure)
	for _, step := range []struct {
		data      string
		obj, want runtime.Object
		decoded   int
	}{
		{"a", pod, pod, 2}, // what failed is not remembered
		{"a", other, pod, 2},
		{"b", other, other, 3},
		{"u", &unstructured.Unstructured{}, &unstructured.Unstructured{}, 4}, // which is not as objects of the API are
		{"u", &unstructured.Unstructured{}, &unstructured.Unstructured{}, 5},
	} {
		if got := once(step.data, step.obj, nil); decoded != step.decoded || !reflect.DeepEqual(got, step.want) || decoded == 2 && got != step.want {
			t.Errorf("%q: %p after %d times, want %p after %d", step.data, got, decoded, step.want, step.decoded)
		}
	}
	goruntime.KeepAlive(pod)
	goruntime.KeepAlive(other)
}

func TestObjectsThatAreGoneAreForgotten(t *testing.T) {
	var s Sharer
	kind := corev1.SchemeGroupVersion.WithKind("Pod")
	decoded := 0
	decode := func() (runtime.Object, *schema.GroupVersionKind, error) {
		decoded++
		return &corev1.Pod{}, &kind, nil
	}
	for i := range 20_000 {
		if _, _, err := s.Once([]byte(strconv.Itoa(i)), decode); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			goruntime.GC()
		}
	}
	if n := len(s.objects.known); n > 5000 {
		t.Errorf("%d objects are remembered", n)
	}
	goruntime.GC()
	if _, _, err := s.Once([]byte("1"), decode); err != nil || decoded != 20_001 {
		t.Errorf("decoded %d times, %v", decoded, err)
	}
}

func TestJSONThatIsNestedForEverIsNoStackOverflow(t *testing.T) {
	var s Sharer
	deep := []byte(strings.Repeat(`{"properties":{"a":`, 200_000) + "{}" + strings.Repeat("}}", 200_000))
	var got, want apiextensions
	errGot, errWant := s.DecodeJSON(deep, &got, generalJSON), generalJSON(deep, &want)
	if errGot == nil || errGot.Error() != errWant.Error() {
		t.Errorf("%v, want %v", errGot, errWant)
	}
}

type apiextensions struct {
	Properties map[string]apiextensions `json:"properties"`
	Not        *apiextensions           `json:"not"`
	AllOf      []apiextensions          `json:"allOf"`
}
