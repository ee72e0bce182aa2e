package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kjson "sigs.k8s.io/json"
)

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	return scheme
}

// pair returns our serializers of a media type and, as the oracle, apimachinery's.
func pair(t testing.TB, mediaType string) (ours, theirs runtime.SerializerInfo) {
	t.Helper()
	scheme := newScheme()
	ours, found := runtime.SerializerInfoForMediaType(New(scheme).SupportedMediaTypes(), mediaType)
	if !found {
		t.Fatalf("there is no serializer of %s", mediaType)
	}
	theirs, _ = runtime.SerializerInfoForMediaType(serializer.NewCodecFactory(scheme).SupportedMediaTypes(), mediaType)
	return ours, theirs
}

type unregistered struct {
	metav1.TypeMeta `json:",inline"`
	Spec            map[string]int64 `json:"spec"`
}

func (u *unregistered) DeepCopyObject() runtime.Object { c := *u; return &c }

var targets = map[string]func() runtime.Object{
	"nothing":      func() runtime.Object { return nil },
	"pod":          func() runtime.Object { return &corev1.Pod{} },
	"pod list":     func() runtime.Object { return &corev1.PodList{} },
	"status":       func() runtime.Object { return &metav1.Status{} },
	"unstructured": func() runtime.Object { return &unstructured.Unstructured{} },
	"unknown":      func() runtime.Object { return &runtime.Unknown{} },
	"unregistered": func() runtime.Object { return &unregistered{} },
	"watch event":  func() runtime.Object { return &metav1.WatchEvent{} },
}

var podDefault = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}

var documents = []string{
	`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","labels":{"x":"y"}},"spec":{"priority":3}}`,
	`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`,
	`{"metadata":{"name":"a"},"apiVersion":"v1","kind":"Pod"}`,
	" {\n \"kind\" : \"Pod\" ,\t\"apiVersion\": \"v1\"}\n",
	`{"metadata":{"name":"a"}}`,
	`{"kind":"Pod","metadata":{"name":"a"}}`,
	`{"apiVersion":"v1","metadata":{"name":"a"}}`,
	`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Gone","code":410}`,
	`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}}]}`,
	`{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"a"}}`,
	`{"kind":"Pod","apiVersion":"a/b/c"}`,
	`{"kind":"P\u006fd","apiVersion":"v1"}`,
	`{"kind":"Pod","kind":"Status","apiVersion":"v1"}`,
	`{"Kind":"Pod","apiVersion":"v1","Metadata":{"name":"a"}}`,
	`{"kind":"Pod","apiVersion":"v1","spec":{"priority":"x"}}`,
	`{"kind":"Pod","apiVersion":"v1",`,
	`{"kind":"Pod","apiVersion":"v1"}}`,
	`{"kind":7,"apiVersion":"v1"}`,
	`{"kind":"Pod","apiVersion":"v1","unknown":{"a":[1,2.5,"z"]}}`,
	`{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}}`,
	`{"kind":"Extra","apiVersion":"v1","spec":{"a":9007199254740993}}`,
	`[]`, `null`, `"x"`, ``, `{}`, `{`, `nonsense`,
}

func TestJSONIsDecodedAsAPIMachineryDoes(t *testing.T) {
	ours, theirs := pair(t, runtime.ContentTypeJSON)
	for _, defaults := range []*schema.GroupVersionKind{nil, &podDefault} {
		for name, target := range targets {
			for _, document := range documents {
				t.Run(fmt.Sprintf("%v/%s/%s", defaults, name, document), func(t *testing.T) {
					compareDecoders(t, ours.Serializer, theirs.Serializer, []byte(document), defaults, target)
				})
			}
		}
	}
}

func TestStrictJSONIsDecodedAsAPIMachineryDoes(t *testing.T) {
	ours, theirs := pair(t, runtime.ContentTypeJSON)
	for _, document := range documents {
		t.Run(document, func(t *testing.T) {
			compareDecoders(t, ours.StrictSerializer, theirs.StrictSerializer, []byte(document), nil, targets["pod"])
		})
	}
}

func TestYAMLIsDecodedAsAPIMachineryDoes(t *testing.T) {
	ours, theirs := pair(t, runtime.ContentTypeYAML)
	for _, document := range append([]string{
		"kind: Pod\napiVersion: v1\nmetadata:\n  name: a\n  labels: {x: 'y'}\nspec:\n  priority: 3\n",
		"# of a\napiVersion: v1\nkind: Pod\n",
		"---\nkind: Pod\napiVersion: v1\n---\nkind: Pod\n",
		"kind: Status\napiVersion: v1\nstatus: Failure\ncode: 410\n",
		"metadata:\n  name: a\n",
		"kind: Pod\napiVersion: v1\nspec: {priority: x}\n",
		"kind: Pod\n  apiVersion: v1\n",
		"kind: Pod\napiVersion: v1\nunknown: 1\n",
		"- kind: Pod\n", "kind: [", "plain text",
	}, documents...) {
		for name, target := range targets {
			if name == "unknown" {
				continue // apimachinery says that the YAML which it keeps is JSON
			}
			t.Run(name+"/"+document, func(t *testing.T) {
				compareDecoders(t, ours.Serializer, theirs.Serializer, []byte(document), &podDefault, target)
				compareDecoders(t, ours.StrictSerializer, theirs.StrictSerializer, []byte(document), nil, target)
			})
		}
	}
}

func compareDecoders(t *testing.T, ours, theirs runtime.Decoder, data []byte, defaults *schema.GroupVersionKind, target func() runtime.Object) {
	t.Helper()
	want, wantKind, wantErr := theirs.Decode(data, defaults, target())
	got, gotKind, gotErr := ours.Decode(data, defaults, target())
	if (gotErr != nil) != (wantErr != nil) {
		t.Fatalf("got error %v, want %v", gotErr, wantErr)
	}
	if wantErr != nil {
		// Malformed data may be found out at another point.
		if !json.Valid(data) {
			return
		}
		for name, is := range map[string]func(error) bool{
			"missing kind": runtime.IsMissingKind, "missing version": runtime.IsMissingVersion,
			"not registered": runtime.IsNotRegisteredError, "strict": runtime.IsStrictDecodingError,
		} {
			if is(gotErr) != is(wantErr) {
				t.Errorf("whether %v is of %s differs from %v", gotErr, name, wantErr)
			}
		}
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %T %+v, want %T %+v", got, got, want, want)
	}
	if _, isEvent := want.(*metav1.WatchEvent); !isEvent && !reflect.DeepEqual(gotKind, wantKind) {
		t.Errorf("got kind %v, want %v", gotKind, wantKind)
	}
}

func encode(t testing.TB, encoder runtime.Encoder, object runtime.Object) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encoder.Encode(object, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"html": "<&>"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
	}
}

func podList() *corev1.PodList {
	list := &corev1.PodList{Items: []corev1.Pod{*pod(), *pod(), *pod()}}
	list.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "PodList"})
	list.ResourceVersion = "7"
	return list
}

func TestProtobufIsDecodedAsAPIMachineryDoes(t *testing.T) {
	ours, theirs := pair(t, runtime.ContentTypeProtobuf)
	typed := pod()
	typed.SetGroupVersionKind(podDefault)
	status := &metav1.Status{Reason: metav1.StatusReasonGone, Code: 410}
	status.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Status"})
	foreign := pod()
	foreign.SetGroupVersionKind(schema.GroupVersionKind{Group: "g", Version: "v1", Kind: "Pod"})

	valid := encode(t, theirs.Serializer, typed)
	all := map[string][]byte{
		"pod":            valid,
		"pod of no kind": encode(t, theirs.Serializer, pod()),
		"pod list":       encode(t, theirs.Serializer, podList()),
		"status":         encode(t, theirs.Serializer, status),
		"foreign kind":   encode(t, theirs.Serializer, foreign),
		"no magic":       valid[4:],
		"cut short":      valid[:len(valid)-1],
		"magic alone":    valid[:4],
		"nothing":        nil,
		"unknown field":  append(bytes.Clone(valid), 0x2a, 1, 'x'),
		"raw pod":        append(bytes.Clone(magic), 0x0a, 0),
	}
	for data, content := range all {
		for name, target := range targets {
			if name == "unstructured" || name == "unregistered" {
				continue // protobuf has no form for these
			}
			for _, defaults := range []*schema.GroupVersionKind{nil, &podDefault} {
				t.Run(fmt.Sprintf("%s/%s/%v", data, name, defaults), func(t *testing.T) {
					compareDecoders(t, ours.Serializer, theirs.Serializer, content, defaults, target)
				})
			}
		}
	}
}

func TestAnObjectFromProtobufIsIndependentOfTheData(t *testing.T) {
	ours, theirs := pair(t, runtime.ContentTypeProtobuf)
	object := pod()
	object.SetGroupVersionKind(podDefault)
	data := encode(t, theirs.Serializer, object)
	var got corev1.Pod
	if _, _, err := ours.Serializer.Decode(data, nil, &got); err != nil {
		t.Fatal(err)
	}
	want := got.DeepCopy()
	clear(data)
	if !reflect.DeepEqual(&got, want) {
		t.Error("the object changed with the data that it was decoded from")
	}
}

func TestTextIsEncodedAsAPIMachineryDoes(t *testing.T) {
	for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeYAML} {
		ours, theirs := pair(t, mediaType)
		for _, object := range []runtime.Object{pod(), &corev1.PodList{Items: []corev1.Pod{*pod()}}, &metav1.Status{}} {
			got, want := encode(t, ours.Serializer, object), encode(t, theirs.Serializer, object)
			if !bytes.Equal(got, want) {
				t.Errorf("%s: got %s, want %s", mediaType, got, want)
			}
		}
	}
}

func TestKindIsWrittenAndNotKept(t *testing.T) {
	n := New(newScheme())
	info := n.SupportedMediaTypes()[0]
	object := pod()
	data := encode(t, n.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion), object)
	if !strings.HasPrefix(string(data), `{"kind":"Pod","apiVersion":"v1"`) {
		t.Errorf("wrote %s", data)
	}
	if object.Kind != "" {
		t.Error("the caller's object was changed")
	}
	decoded, kind, err := n.DecoderToVersion(info.Serializer, nil).Decode(data, nil, &corev1.Pod{})
	if err != nil {
		t.Fatal(err)
	}
	if *kind != podDefault || decoded.(*corev1.Pod).Kind != "" {
		t.Errorf("kind is %v, of the object %q", kind, decoded.(*corev1.Pod).Kind)
	}
}

func TestAListFromProtobufHasNoRoomToSpare(t *testing.T) {
	ours, theirs := pair(t, runtime.ContentTypeProtobuf)
	var got corev1.PodList
	if _, _, err := ours.Serializer.Decode(encode(t, theirs.Serializer, podList()), nil, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Items) != 3 || cap(got.Items) != 3 {
		t.Errorf("there are %d items in room for %d", len(got.Items), cap(got.Items))
	}
}

func FuzzJSONIsDecodedAsAPIMachineryDoes(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document))
	}
	ours, theirs := pair(f, runtime.ContentTypeJSON)
	f.Fuzz(func(t *testing.T, data []byte) {
		// Keys given twice are the one thing that is read otherwise.
		var object map[string]any
		if complaints, _ := kjson.UnmarshalStrict(data, &object); len(complaints) > 0 {
			return
		}
		for _, name := range []string{"nothing", "pod", "unknown", "unstructured"} {
			compareDecoders(t, ours.Serializer, theirs.Serializer, data, nil, targets[name])
		}
	})
}

func FuzzProtobufIsDecodedAsAPIMachineryDoes(f *testing.F) {
	ours, theirs := pair(f, runtime.ContentTypeProtobuf)
	object := pod()
	object.SetGroupVersionKind(podDefault)
	f.Add(encode(f, theirs.Serializer, object))
	f.Add(append(bytes.Clone(magic), 0x0a, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"nothing", "pod", "status"} {
			compareDecoders(t, ours.Serializer, theirs.Serializer, data, nil, targets[name])
		}
	})
}

func BenchmarkDecodePodList(b *testing.B) {
	list := &corev1.PodList{}
	for range 500 {
		list.Items = append(list.Items, *pod())
	}
	list.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "PodList"})
	for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
		ours, theirs := pair(b, mediaType)
		data := encode(b, theirs.Serializer, list)
		for name, s := range map[string]runtime.Serializer{"ours": ours.Serializer, "apimachinery": theirs.Serializer} {
			b.Run(mediaType+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					if _, _, err := s.Decode(data, nil, &corev1.PodList{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
