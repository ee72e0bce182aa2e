package dynamic

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/features"
	"k8s.io/client-go/rest"
)

var answers = []string{
	aPod, podJSON,
	`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a"}},{"kind":"X"},{"apiVersion":"y"},{"kind":1},{"kind":null}]}`,
	`{"kind":"PodList","apiVersion":"v1","items":null}`, `{"kind":"PodList","apiVersion":"v1","items":[]}`, `{"kind":"PodList","apiVersion":"v1"}`,
	`{"kind":"PodList","items":[{}]}`, `{"kind":"Odd","apiVersion":"v1","items":[{"a":1}]}`, `{"kind":"List","apiVersion":"v1","items":[{"a":1}]}`,
	`{"kind":"PodList","apiVersion":"v1","items":[null]}`, `{"kind":"PodList","apiVersion":"v1","items":[1]}`, `{"kind":"PodList","apiVersion":"v1","items":{}}`,
	`{"kind":"PodList","apiVersion":"v1","items":[{"kind":"JobList","apiVersion":"v1","items":[{"kind":"Job","apiVersion":"v1"}]}]}`,
	`{"kind":"Pod"}`, `{"kind":"Pod","apiVersion":null}`, `{"apiVersion":"v1"}`, `{"kind":"","apiVersion":"v1"}`, `{"kind":null,"apiVersion":"v1"}`, `{}`, `null`, `[]`, `1`, `x`, ``, ` `,
	`{"kind":1,"apiVersion":"v1"}`, `{"kind":"Pod","apiVersion":1}`, `{"kind":"Pod","apiVersion":"a/b/c"}`, `{"Kind":"Pod","apiVersion":"v1"}`,
	`{"kind":"Pod","apiVersion":"v1"} trailing`, `{"kind":"Pod","apiVersion":"v1"`, `{"kind":"Pod","apiVersion":"v1","n":1e999}`,
	`{"kind":"Pod","apiVersion":"v1","emoji":"\ud83d\ude00","half":"\ud83d"}`, "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"bytes\":\"\xff\"}",
	`{"kind":"Status","apiVersion":"v1","status":"Failure","code":404}`,
	"{\"kind\":\"Pod\",\"ApiVersion\":\"v1\",\"bytes\":\"\xff\"}",
}

// UnstructuredJSONScheme is what unstructured objects mean.
func TestObjectsAndListsAreDecodedAsTheirTypesSay(t *testing.T) {
	for _, text := range answers {
		compareDecoding(t, []byte(text))
	}
}

func compareDecoding(t *testing.T, data []byte) {
	t.Helper()
	for _, empty := range []func() apiruntime.Object{
		func() apiruntime.Object { return new(unstructured.Unstructured) },
		func() apiruntime.Object { return new(unstructured.UnstructuredList) },
	} {
		got, kind, err := jsonSerializer{}.Decode(data, nil, empty())
		want, wantKind, wantErr := unstructured.UnstructuredJSONScheme.Decode(data, nil, empty())
		if wantErr == nil && strings.Contains(string(data), "a/b/c") {
			continue // not looked at there, and an error to all clients
		}
		if (err == nil) != (wantErr == nil) {
			// A kind that is no string is none there.
			if err != nil && strings.Contains(err.Error(), "json parse error") {
				continue
			}
			t.Errorf("%q into %T: error %v, want %v", data, empty(), err, wantErr)
			continue
		}
		if err != nil {
			if got != nil {
				t.Errorf("%q: got %v besides the error", data, got)
			}
			continue
		}
		if l, ok := want.(*unstructured.UnstructuredList); ok && len(l.Items) == 0 && len(got.(*unstructured.UnstructuredList).Items) == 0 {
			l.Items = got.(*unstructured.UnstructuredList).Items
		}
		if !reflect.DeepEqual(got, want) || *kind != *wantKind {
			t.Errorf("%q into %T:\n got %v %v\nwant %v %v", data, empty(), kind, got, wantKind, want)
		}
	}
	compareStream(t, data)
}

// compareStream holds a list that comes in against the whole one.
func compareStream(t *testing.T, data []byte) {
	t.Helper()
	got, err := jsonSerializer{}.DecodeFrom(bytes.NewReader(data), new(unstructured.UnstructuredList))
	want, _, wantErr := jsonSerializer{}.Decode(data, nil, new(unstructured.UnstructuredList))
	if err == nil && (wantErr != nil || !reflect.DeepEqual(got, want)) {
		t.Errorf("%q comes in as\n%v\nwant\n%v, %v", data, got, want, wantErr)
	}
	// What is unusual besides may be an error. Servers never write it.
	if err != nil && wantErr == nil && !errors.Is(err, errUnusualList) && !errors.Is(err, errNoObject) {
		t.Errorf("%q: %v", data, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range answers {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, err := (jsonSerializer{}).Decode(data, nil, nil); err == nil {
			if _, _, err := (jsonSerializer{}).Decode(data, nil, new(unstructured.Unstructured)); err != nil {
				t.Fatalf("%q is an object, and is not: %v", data, err)
			}
		}
		if bytes.Contains(data, []byte("apiVersion")) {
			return // the reference does not look at it
		}
		compareDecoding(t, data)
	})
}

func TestWithoutATypeAStatusIsTyped(t *testing.T) {
	obj, kind, err := jsonSerializer{}.Decode([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","code":404}`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := obj.(*metav1.Status); !ok || s.Code != 404 || *kind != v1.WithKind("Status") {
		t.Errorf("got %T %v of %v", obj, obj, kind)
	}
	// What a server says without a kind is what the caller expects.
	status := v1.WithKind("Status")
	if obj, _, err := (jsonSerializer{}).Decode([]byte(`{"status":"Failure","code":404}`), &status, nil); err != nil {
		t.Error(err)
	} else if s, ok := obj.(*metav1.Status); !ok || s.Code != 404 {
		t.Errorf("got %T %v", obj, obj)
	}
	if obj, _, err := (jsonSerializer{}).Decode([]byte(aPod), nil, nil); err != nil {
		t.Error(err)
	} else if _, ok := obj.(*unstructured.Unstructured); !ok {
		t.Errorf("got %T", obj)
	}
	for _, bad := range []string{`{"kind":"Pod"}`, `{"apiVersion":"v1"}`, `{}`, `x`, ``} {
		if obj, _, err := (jsonSerializer{}).Decode([]byte(bad), nil, nil); err == nil {
			t.Errorf("%q: got %v", bad, obj)
		}
	}
}

func TestEncodedObjectsDecodeToThemselves(t *testing.T) {
	want := pod("web")
	want.Object["html"] = "<&>"
	for _, s := range []apiruntime.Serializer{jsonSerializer{}, jsonSerializer{indent: "  "}} {
		var out bytes.Buffer
		if err := s.Encode(want, &out); err != nil {
			t.Fatal(err)
		}
		got, _, err := s.Decode(out.Bytes(), nil, new(unstructured.Unstructured))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
}

func TestNewSerializerSpeaksCBORWhereTheGatesAllow(t *testing.T) {
	if n := len(newSerializer().SupportedMediaTypes()); n != 1 {
		t.Errorf("%d formats without a gate, want JSON only", n)
	}
	before := features.FeatureGates()
	t.Cleanup(func() { features.ReplaceFeatureGates(before) })
	features.ReplaceFeatureGates(gates{features.ClientsAllowCBOR: true, features.ClientsPreferCBOR: true})
	config := ConfigFor(&rest.Config{})
	if config.ContentType != "application/cbor" || config.AcceptContentTypes != "application/json;q=0.9,application/cbor;q=1" {
		t.Errorf("formats %q, %q", config.ContentType, config.AcceptContentTypes)
	}
	infos := config.NegotiatedSerializer.SupportedMediaTypes()
	if len(infos) != 2 || infos[1].MediaType != "application/cbor" {
		t.Fatalf("got %v", infos)
	}
	cbor := infos[1].Serializer
	var out bytes.Buffer
	if err := config.NegotiatedSerializer.EncoderForVersion(cbor, v1).Encode(pod("web"), &out); err != nil {
		t.Fatal(err)
	}
	if got, _, err := cbor.Decode(out.Bytes(), nil, new(unstructured.Unstructured)); err != nil || !reflect.DeepEqual(got, pod("web")) {
		t.Errorf("got %v, %v", got, err)
	}
	out.Reset()
	if err := config.NegotiatedSerializer.EncoderForVersion(cbor, v1).Encode(&metav1.Status{Code: 404}, &out); err != nil {
		t.Fatal(err)
	}
	if got, _, err := cbor.Decode(out.Bytes(), nil, nil); err != nil || got.(*metav1.Status).Code != 404 {
		t.Errorf("got %v, %v", got, err)
	}
}

type gates map[features.Feature]bool

func (g gates) Enabled(f features.Feature) bool { return g[f] }

func TestKindsSayWhatIsMissing(t *testing.T) {
	for _, obj := range []apiruntime.Object{nil, new(unstructured.Unstructured),
		&unstructured.Unstructured{Object: map[string]any{"kind": "Pod"}}, new(metav1.APIGroup)} {
		if got, _, err := (kinds{}).ObjectKinds(obj); err == nil {
			t.Errorf("%v is of kind %v", obj, got)
		}
	}
	want := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	if got, _, err := (kinds{}).ObjectKinds(pod("web")); err != nil || got[0] != want {
		t.Errorf("got %v, %v", got, err)
	}
}

// Whoever keeps one small object of a large list is not to keep the response.
func TestItemsDoNotKeepTheResponseAlive(t *testing.T) {
	filler := strings.Repeat("x", 64<<20)
	data := []byte(`{"kind":"PodList","apiVersion":"v1","filler":"` + filler + `","items":[{"metadata":{"name":"small","labels":{"app":"a label that is not kept elsewhere, being too long"}}}]}`)
	list := new(unstructured.UnstructuredList)
	if _, _, err := (jsonSerializer{}).Decode(data, nil, list); err != nil {
		t.Fatal(err)
	}
	kept := list.Items[0].DeepCopy()
	shallow := list.Items[0].Object
	data, list, filler = nil, nil, ""
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > 48<<20 {
		t.Errorf("%d MiB are alive", after.HeapAlloc>>20)
	}
	runtime.KeepAlive(kept)
	runtime.KeepAlive(shallow)
}
