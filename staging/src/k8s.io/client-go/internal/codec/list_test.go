package codec

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	goruntime "runtime"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/share"
	"k8s.io/client-go/internal/share/offer"
	kjson "sigs.k8s.io/json"
)

var lists = []string{
	`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"x"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"},"spec":{"containers":[{"name":"c"}]}}]}`,
	`{"apiVersion":"v1","kind":"PodList","items":[],"metadata":{}}`,
	`{"kind":"PodList","apiVersion":"v1","items":null}`,
	`{"kind":"PodList","apiVersion":"v1"}`,
	`{"kind":"PodList","apiVersion":"v1","items":[null,{}]}`,
	`{"kind":"PodList","apiVersion":"v1","items":[{"spec":{"priority":"x"}}]}`,
	`{"kind":"PodList","apiVersion":"v1","items":[{]}`,
	`{"kind":"PodList","apiVersion":"v1","items":["x"]}`,
	`{"kind":"PodList","apiVersion":"v1","items":[{}],"metadata":{"resourceVersion":7}}`,
	`{"kind":"PodList","apiVersion":"v1","items":[{}]}}`,
	`{"kind":"PodList","apiVersion":"v1","items":[{}]`,
	`{"items":[{"metadata":{"name":"a"}}],"kind":"PodList","apiVersion":"v1"}`,
	`{"items":[{"metadata":{"name":"a"}}]}`,
	`{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}`,
	`{"kind":"CrontabList","apiVersion":"example.com/v1","items":[{"metadata":{"name":"a"}}]}`,
	`{"kind":"List","apiVersion":"v1","items":[{"kind":"Pod","apiVersion":"v1"}]}`,
	`{"kind":"Pod","apiVersion":"v1","items":[{}],"metadata":{"name":"a"}}`,
}

// readers are the decoders of a format that decode what comes in.
func readers(t testing.TB, mediaType string) (plain, sharing Reader) {
	t.Helper()
	info, _ := pair(t, mediaType)
	return info.Serializer.(Reader), info.Serializer.(interface {
		Sharing(offer.Decoder) runtime.Decoder
	}).Sharing(new(share.Sharer)).(Reader)
}

// checkReader holds a reader against decoding the whole.
func checkReader(t *testing.T, r Reader, versioned bool, whole runtime.Decoder, data []byte, target func() runtime.Object) {
	t.Helper()
	want, _, wantErr := whole.Decode(data, nil, target())
	if want != nil && !versioned {
		want.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	into := target()
	got, err := r.DecodeFrom(bytes.NewReader(data), into)
	if (err == nil) != (wantErr == nil) {
		t.Errorf("%.100q: %v, want %v", data, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%.100q is\n%v, want\n%v", data, got, want)
	}
	if err == nil && into != nil && reflect.TypeOf(got) == reflect.TypeOf(into) && got != into {
		t.Errorf("%.100q: decoded into another object", data)
	}
}

func TestWhatComesInIsDecodedAsTheWholeIs(t *testing.T) {
	plain, sharing := readers(t, runtime.ContentTypeJSON)
	_, theirs := pair(t, runtime.ContentTypeJSON)
	for _, document := range append(documents, lists...) {
		if strings.Contains(document, `"kind":"Pod","kind":"Status"`) {
			continue // apimachinery takes the other one
		}
		for _, name := range []string{"nothing", "pod", "pod list", "status", "unregistered"} {
			checkReader(t, plain, true, theirs.Serializer, []byte(document), targets[name])
			checkReader(t, sharing, false, theirs.Serializer, []byte(document), targets[name])
		}
	}

	plain, sharing = readers(t, runtime.ContentTypeProtobuf)
	_, theirs = pair(t, runtime.ContentTypeProtobuf)
	for n := range 40 { // past the first room for items
		list := podList()
		for i := range n {
			one := pod()
			one.Name = fmt.Sprint(i)
			list.Items = append(list.Items, *one)
		}
		list.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "PodList"})
		data := encode(t, theirs.Serializer, list)
		for _, name := range []string{"nothing", "pod", "pod list", "status"} {
			checkReader(t, plain, true, theirs.Serializer, data, targets[name])
			checkReader(t, sharing, false, theirs.Serializer, data, targets[name])
			checkReader(t, plain, true, theirs.Serializer, data[:len(data)-9], targets[name])
		}
	}
}

func FuzzJSONThatComesInIsDecodedAsTheWhole(f *testing.F) {
	for _, document := range append(documents, lists...) {
		f.Add([]byte(document))
	}
	plain, _ := readers(f, runtime.ContentTypeJSON)
	_, theirs := pair(f, runtime.ContentTypeJSON)
	f.Fuzz(func(t *testing.T, data []byte) {
		var object map[string]any
		if complaints, _ := kjson.UnmarshalStrict(data, &object); len(complaints) > 0 {
			return // keys given twice
		}
		checkReader(t, plain, true, theirs.Serializer, data, targets["pod list"])
	})
}

func FuzzProtobufThatComesInDoesNoHarm(f *testing.F) {
	_, theirs := pair(f, runtime.ContentTypeProtobuf)
	list := podList()
	list.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "PodList"})
	f.Add(encode(f, theirs.Serializer, list))
	f.Add(append(bytes.Clone(magic), "\n\r\n\x02v1\x12\aPodList\x12\x00"...))
	plain, _ := readers(f, runtime.ContentTypeProtobuf)
	f.Fuzz(func(t *testing.T, data []byte) {
		want, _, wantErr := theirs.Serializer.Decode(data, nil, &corev1.PodList{})
		got, err := plain.DecodeFrom(bytes.NewReader(data), &corev1.PodList{})
		// Oddities may be an error here or there, but mean the same where they mean anything.
		if err == nil && wantErr == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q is\n%v, want\n%v", data, got, want)
		}
	})
}

func TestAListThatComesInIsNeverWholeInMemory(t *testing.T) {
	item := []byte(`{"metadata":{"name":"a"},"ignored":"` + strings.Repeat("x", 64<<10) + `"}`)
	const n = 1000
	parts := []io.Reader{strings.NewReader(`{"kind":"PodList","apiVersion":"v1","items":[`)}
	for i := range n {
		if i > 0 {
			parts = append(parts, strings.NewReader(","))
		}
		parts = append(parts, bytes.NewReader(item))
	}
	parts = append(parts, strings.NewReader(`]}`))
	plain, _ := readers(t, runtime.ContentTypeJSON)
	list := &corev1.PodList{}
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	_, err := plain.DecodeFrom(io.MultiReader(parts...), list)
	goruntime.ReadMemStats(&after)
	if err != nil || len(list.Items) != n {
		t.Fatalf("%d items, %v", len(list.Items), err)
	}
	if took, size := after.TotalAlloc-before.TotalAlloc, uint64(n*len(item)); took > size/4 {
		t.Errorf("%d bytes were allocated for a list of %d", took, size)
	}
}
