package share

import (
	"encoding/json"
	"math/rand"
	"reflect"
	"runtime/debug"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"
)

var _ = debug.Stack

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
		if gvk.Version == runtime.APIVersionInternal || gvk.Group == "" && gvk.Kind == "Status" {
			continue
		}
		for range 3 {
			obj, err := scheme.Scheme.New(gvk)
			if err != nil {
				t.Fatal(err)
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

var _ = apiequality.Semantic
var _ = corev1.Pod{}
var _ = metav1.Now
