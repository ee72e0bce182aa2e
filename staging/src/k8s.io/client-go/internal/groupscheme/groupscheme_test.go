package groupscheme

import (
	"math/rand/v2"
	"net/url"
	"reflect"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func newLazy() *Lazy { return &Lazy{AddTo: corev1.AddToScheme} }

// The general codec of apimachinery is the oracle. Its values are read from
// struct tags, so a field that the options gain shows here.
func TestOptionsAreEncodedAsTheGeneralCodecDoes(t *testing.T) {
	lazy := newLazy()
	for _, empty := range []runtime.Object{
		&metav1.ListOptions{}, &metav1.GetOptions{}, &metav1.CreateOptions{},
		&metav1.UpdateOptions{}, &metav1.PatchOptions{},
	} {
		kind := reflect.TypeOf(empty).Elem()
		t.Run(kind.Name(), func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			for range 500 {
				options := reflect.New(kind)
				fill(options.Elem(), random)
				object := options.Interface().(runtime.Object)
				want, err := lazy.general().EncodeParameters(object, corev1.SchemeGroupVersion)
				if err != nil {
					t.Fatal(err)
				}
				got, err := lazy.ParameterCodec().EncodeParameters(object, corev1.SchemeGroupVersion)
				if err != nil {
					t.Fatal(err)
				}
				if got.Encode() != want.Encode() {
					t.Fatalf("%+v is encoded as %q, want %q", object, got.Encode(), want.Encode())
				}
			}
		})
	}
}

// fill sets each field to its zero value or to some other one.
func fill(v reflect.Value, random *rand.Rand) {
	if v.Kind() != reflect.Struct && random.IntN(2) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			// The general codec sets kind and version itself when it converts.
			if v.Type().Field(i).Name != "TypeMeta" {
				fill(v.Field(i), random)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), random)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		v.Index(0).SetString("a")
		v.Index(1).SetString("b&c")
	case reflect.String:
		v.SetString("some text=/?")
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(random.Int64N(1 << 40))
	}
}

func TestParametersAreDecodedIntoOptions(t *testing.T) {
	var got metav1.ListOptions
	err := newLazy().ParameterCodec().DecodeParameters(url.Values{"limit": {"7"}}, corev1.SchemeGroupVersion, &got)
	if err != nil || got.Limit != 7 {
		t.Errorf("got limit %d, error %v", got.Limit, err)
	}
}

func TestAStatusIsDecodedInEveryGroup(t *testing.T) {
	const body = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`
	serializer := newLazy().Serializer()
	decoder := serializer.DecoderToVersion(serializer.SupportedMediaTypes()[0].Serializer, nil)
	object, _, err := decoder.Decode([]byte(body), nil, &corev1.Pod{})
	if err != nil {
		t.Fatal(err)
	}
	if status, ok := object.(*metav1.Status); !ok || !errors.IsNotFound(errors.FromObject(status)) {
		t.Errorf("got %T %v", object, object)
	}
}

func TestKindsOfOtherGroupsAreNotKnown(t *testing.T) {
	if newLazy().Scheme().IsGroupRegistered("apps") {
		t.Error("the scheme of core knows the group apps")
	}
}

func TestASchemeIsBuiltOnce(t *testing.T) {
	built := 0
	lazy := &Lazy{AddTo: func(scheme *runtime.Scheme) error {
		built++
		scheme.AddKnownTypes(schema.GroupVersion{Group: "g", Version: "v"}, &corev1.Pod{})
		return nil
	}}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			lazy.Scheme()
			lazy.Serializer()
			lazy.ParameterCodec().EncodeParameters(&corev1.PodLogOptions{}, schema.GroupVersion{})
		})
	}
	wait.Wait()
	if built != 1 {
		t.Errorf("built %d times", built)
	}
}

func BenchmarkListOptions(b *testing.B) {
	codec := newLazy().ParameterCodec()
	options := &metav1.ListOptions{LabelSelector: "app=web", Limit: 500}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.EncodeParameters(options, corev1.SchemeGroupVersion); err != nil {
			b.Fatal(err)
		}
	}
}
