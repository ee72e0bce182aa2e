package liststream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// pieces are ways in which data comes in.
var pieces = map[string]func(io.Reader) io.Reader{
	"at once":      func(r io.Reader) io.Reader { return r },
	"by bytes":     iotest.OneByteReader,
	"by halves":    iotest.HalfReader,
	"with its end": iotest.DataErrReader,
}

func TestJSONListsAreTakenApart(t *testing.T) {
	big := `{"text":"` + strings.Repeat(`x\"]}`, 50_000) + `"}`
	for _, tc := range []struct {
		data  string
		items []string
		rest  string // "" where it is a whole
	}{
		{`{"kind":"A","items":[{"a":1},{"b":[{}]}],"x":1}`, []string{`{"a":1}`, `{"b":[{}]}`}, `{"kind":"A","items":null,"x":1}`},
		{" { \"kind\" : \"A\" ,\n \"items\" : [ {} , null , 12 , \"]\" ] } \n", []string{`{}`, `null`, `12`, `"]"`}, " { \"kind\" : \"A\" ,\n \"items\" : null } \n"},
		{`{"metadata":{"items":[1]},"items":[]}`, nil, `{"metadata":{"items":[1]},"items":null}`},
		{`{"items":[` + big + `,` + big + `]}`, []string{big, big}, `{"items":null}`},
		{`{"items":[{}]`, []string{`{}`}, `{"items":null`}, // which decoders complain of
		{`{"items":null}`, nil, ""},
		{`{"items":{}}`, nil, ""},
		{`{"kind":"A"}`, nil, ""},
		{`{}`, nil, ""}, {``, nil, ""}, {`[]`, nil, ""}, {`{"items"`, nil, ""}, {`{"items" [`, nil, ""}, {`{"a":1 "items":[]}`, nil, ""}, {`{,"items":[]}`, nil, ""}, {`{1:[]}`, nil, ""},
	} {
		for name, in := range pieces {
			var items []string
			rest, opened, err := JSON(in(strings.NewReader(tc.data)), func(head []byte) func([]byte) error {
				if !strings.HasPrefix(tc.data, string(head)) {
					t.Errorf("%.50q begins with %q", tc.data, head)
				}
				return func(item []byte) error {
					items = append(items, string(item))
					return nil
				}
			})
			want := tc.rest
			if want == "" {
				want = tc.data
			}
			if err != nil || opened != (tc.rest != "") || string(rest) != want || !reflect.DeepEqual(items, tc.items) {
				t.Errorf("%.50q %s: items %.50q, rest %.50q, opened %t, %v", tc.data, name, items, rest, opened, err)
			}
		}
	}
}

func TestBrokenJSONListsAreErrors(t *testing.T) {
	for _, data := range []string{`{"items":[`, `{"items":[{`, `{"items":["`, `{"items":[tr`, `{"items":[{}`, `{"items":[{},`, `{"items":[,{}]}`, `{"items":[{},]}`, `{"items":[{}{}]}`, `{"items":[{}:{}]}`} {
		for name, in := range pieces {
			_, _, err := JSON(in(strings.NewReader(data)), func([]byte) func([]byte) error { return func([]byte) error { return nil } })
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%q %s: %v", data, name, err)
			}
		}
	}
}

func list(n int) *corev1.PodList {
	l := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "more"}}
	for i := range n {
		l.Items = append(l.Items, corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("pod-", i)}})
	}
	return l
}

// envelope puts a message where servers do.
func envelope(t testing.TB, kind string, message []byte, encoding string) []byte {
	t.Helper()
	data, err := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: kind}, Raw: message, ContentEncoding: encoding}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(magic), data...)
}

func message(t testing.TB, of interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	data, err := of.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestProtobufListsAreTakenApart(t *testing.T) {
	for _, n := range []int{0, 1, 3000} {
		sent := list(n)
		data := envelope(t, "PodList", message(t, sent), "")
		for name, in := range pieces {
			got := &corev1.PodList{}
			rest, opened, err := Protobuf(in(bytes.NewReader(data)), func(apiVersion, kind string) func([]byte) error {
				if apiVersion != "v1" || kind != "PodList" {
					t.Errorf("it is a %s of %s", kind, apiVersion)
				}
				return func(item []byte) error {
					got.Items = append(got.Items, corev1.Pod{})
					return got.Items[len(got.Items)-1].Unmarshal(item)
				}
			})
			if err != nil || !opened {
				t.Fatalf("%d items %s: %v", n, name, err)
			}
			items := got.Items
			if err := got.Unmarshal(rest); err != nil || got.ListMeta != sent.ListMeta {
				t.Errorf("%d items %s: the rest is %v, %v", n, name, got, err)
			}
			if !reflect.DeepEqual(items, sent.Items) {
				t.Errorf("%d items %s: got %d others", n, name, len(items))
			}
		}
	}
}

func TestWhatIsNotWantedInItemsIsReturnedWhole(t *testing.T) {
	protobuf := envelope(t, "PodList", message(t, list(2)), "")
	for _, data := range [][]byte{protobuf, protobuf[:7], nil, []byte("k8s"), []byte("k8t\x00"), []byte("k8s\x00\x08\x01"), []byte(magic + "\x0a\x02\x08\x01"), []byte(magic + "\x1a\x00"), envelope(t, "", nil, "")} {
		for name, in := range pieces {
			got, opened, err := Protobuf(in(bytes.NewReader(data)), func(string, string) func([]byte) error { return nil })
			if err != nil || opened || !bytes.Equal(got, data) {
				t.Errorf("%q %s: %q, opened %t, %v", data, name, got, opened, err)
			}
		}
	}
	text := []byte(`{"kind":"PodList","items":[{}]}`)
	got, opened, err := JSON(bytes.NewReader(text), func([]byte) func([]byte) error { return nil })
	if err != nil || opened || !bytes.Equal(got, text) {
		t.Errorf("%q, opened %t, %v", got, opened, err)
	}
}

func TestBrokenProtobufListsAreErrors(t *testing.T) {
	whole := envelope(t, "PodList", message(t, list(2)), "")
	open := func(string, string) func([]byte) error { return func([]byte) error { return nil } }
	opens := bytes.Index(whole, []byte("PodList")) + len("PodList") + 3 // behind the length of the message, which takes two bytes
	for n := opens; n < len(whole); n++ {
		// What comes last is two empty fields, without which it is a list, too.
		if _, _, err := Protobuf(bytes.NewReader(whole[:n]), open); n < len(whole)-4 && !errors.Is(err, ErrMalformed) {
			t.Errorf("the first %d bytes of %d: %v", n, len(whole), err)
		}
	}
	for name, data := range map[string][]byte{
		"encoded content":  envelope(t, "PodList", message(t, list(1)), "gzip"),
		"too long a field": envelope(t, "PodList", []byte("\x12\x7f"), ""),
		"a group":          envelope(t, "PodList", []byte("\x1b\x1c"), ""),
		"a fixed number":   envelope(t, "PodList", []byte("\x19\x00\x00"), ""),
	} {
		if _, _, err := Protobuf(bytes.NewReader(data), open); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsOfReadersAndItemsComeBack(t *testing.T) {
	failure := errors.New("broken pipe")
	text, _ := json.Marshal(list(3))
	text = append([]byte(`{"kind":"PodList",`), text[1:]...)
	protobuf := envelope(t, "PodList", message(t, list(3)), "")
	pass, fail := func([]byte) error { return nil }, func([]byte) error { return failure }
	for name, read := range map[string]func(io.Reader, func([]byte) error) error{
		"JSON": func(r io.Reader, item func([]byte) error) error {
			_, _, err := JSON(r, func([]byte) func([]byte) error { return item })
			return err
		},
		"protobuf": func(r io.Reader, item func([]byte) error) error {
			_, _, err := Protobuf(r, func(string, string) func([]byte) error { return item })
			return err
		},
	} {
		data := protobuf
		if name == "JSON" {
			data = text
		}
		for n := range data {
			if err := read(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(failure)), pass); !errors.Is(err, failure) {
				t.Errorf("%s: %v after %d bytes", name, err, n)
			}
		}
		if err := read(bytes.NewReader(data), fail); err != failure {
			t.Errorf("%s: %v of an item", name, err)
		}
	}
}
