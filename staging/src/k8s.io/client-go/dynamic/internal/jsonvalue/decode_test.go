package jsonvalue

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"sigs.k8s.io/json"
)

// reference decodes with the package whose results ours must be.
func reference(data []byte) (map[string]any, error) {
	m := map[string]any{}
	err := json.UnmarshalCaseSensitivePreserveInts(data, &m)
	return m, err
}

var wellFormed = []string{
	`{}`,
	" {\n\t} \r\n",
	`{"a":null,"b":true,"c":false,"d":"","e":{},"f":[]}`,
	`{"a":0,"b":-0,"c":1,"d":-1,"e":255,"f":256,"g":9223372036854775807,"h":-9223372036854775808}`,
	`{"a":9223372036854775808,"b":1.0,"c":1e3,"d":1E-3,"e":-2.5e+10,"f":123456789012345678901234567890}`,
	`{"a":[1,[2,[3,{"b":[4,5]}],6],7],"c":[[],[[]],{}]}`,
	`{"a":"x\"y\\z\/\b\f\n\r\t\u0041\u00e9\u20ac"}`,
	`{"k:{\"name\":\"x\"}":{".":{},"f:name":{}}}`,
	`{"a":"grüße","日本":"語","e":"😀"}`,
	`{"a":1,"a":2,"b":{"c":1},"b":{"d":2}}`,
	`{"` + strings.Repeat("long", 20) + `":"` + strings.Repeat("text ", 50) + `"}`,
	`{ "a" : [ 1 , 2 ] , "b" : { "c" : "d" } }`,
	`{"":{"":""}}`,
	strings.Repeat(`{"a":`, 400) + `1` + strings.Repeat(`}`, 400),
	`{"a":"\u003c\u003e\u0026\u2028"}`,
	"{\"a\":\"\x7f\"}",
}

func TestValuesAreThoseOfTheReference(t *testing.T) {
	for _, text := range wellFormed {
		want, err := reference([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, ok := Object([]byte(text))
		if !ok {
			t.Errorf("%.80s: was left to the reference", text)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%.80s:\n got %#v\nwant %#v", text, got, want)
		}
	}
}

func TestWhatIsNoPlainObjectIsLeftToTheReference(t *testing.T) {
	for _, text := range []string{
		``, ` `, `null`, `[]`, `"a"`, `1`, `xx`, `{`, `{"`, `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`,
		`{,}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":1}x`, `{"a":1}{}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":[`, `{"a":[1`,
		`{"a":01}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":1e+}`, `{"a":-}`, `{"a":1e999}`, `{"a":0x1}`, `{"a":NaN}`,
		`{"a":tru}`, `{"a":nul`, `{"a":falsey}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, `{"a":"\`, `{"a":"\"`,
		"{\"a\":\"\n\"}", "{\"a\":\"x\\n\n\"}", "{\"a\":\"\xff\"}", "{\"\xff\":1}", "{\"a\":\"\\n\xff\"}", `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`,
		strings.Repeat(`{"a":`, 600) + `1` + strings.Repeat(`}`, 600),
		strings.Repeat(`[`, 600), "{\"a\":\x00}", "\ufeff{}",
	} {
		if got, ok := Object([]byte(text)); ok {
			t.Errorf("%.80s: decoded as %v", text, got)
		}
	}
}

func TestTheResultDoesNotReferToTheInput(t *testing.T) {
	data := []byte(`{"name":"value","esc":"a\nb","long":"` + strings.Repeat("x", 100) + `"}`)
	got, ok := Object(data)
	if !ok {
		t.Fatal("not decoded")
	}
	for i := range data {
		data[i] = '!'
	}
	want := map[string]any{"name": "value", "esc": "a\nb", "long": strings.Repeat("x", 100)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v after the input was overwritten, want %v", got, want)
	}
}

func TestDecodersWorkSideBySide(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				text := fmt.Sprintf(`{"kind":"Pod","n":[%d,{"g":"g%d"}],"s":"v%d"}`, i, g, i)
				want := map[string]any{"kind": "Pod", "n": []any{int64(i), map[string]any{"g": fmt.Sprint("g", g)}}, "s": fmt.Sprint("v", i)}
				if got, ok := Object([]byte(text)); !ok || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: got %v, %v", text, got, ok)
				}
			}
		})
	}
	wg.Wait()
}

func TestAFailedPassLeavesNothingBehind(t *testing.T) {
	for range 100 {
		Object([]byte(`{"a":[1,2,[3,`))
		got, ok := Object([]byte(`{"b":[4]}`))
		if want := map[string]any{"b": []any{int64(4)}}; !ok || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, %v; want %v", got, ok, want)
		}
	}
}

func FuzzObject(f *testing.F) {
	for _, text := range wellFormed {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"a":"\ud83d\ude00","b":1e999}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := Object(data)
		want, err := reference(data)
		if ok && (err != nil || !reflect.DeepEqual(got, want)) {
			t.Fatalf("%q:\n got %#v\nwant %#v, %v", data, got, want, err)
		}
		// Leaving input to the reference is for what is rare, such as escaped
		// surrogates, depth and text that is not UTF-8.
		if !ok && err == nil && want != nil && utf8.Valid(data) && len(data) < maxDepth &&
			strings.HasPrefix(strings.TrimLeft(string(data), " \t\r\n"), "{") &&
			!strings.Contains(strings.ToLower(string(data)), `\ud`) {
			t.Fatalf("%q: was left to the reference, which decodes it", data)
		}
	})
}

func BenchmarkObject(b *testing.B) {
	data := []byte(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-7d4b9c6f5-x2x9z","namespace":"default","uid":"3f0a7a1e-7c1e-4b1e-9c5e-0d6f2b1a9c11",` +
		`"resourceVersion":"123456","creationTimestamp":"2026-01-02T03:04:05Z","labels":{"app":"web","pod-template-hash":"7d4b9c6f5"}},"spec":{"containers":` +
		`[{"name":"web","image":"registry.example/web:1.2.3","ports":[{"containerPort":8080,"protocol":"TCP"}],"resources":{"limits":{"cpu":"1","memory":"1Gi"}}}],` +
		`"restartPolicy":"Always","nodeName":"node-1"},"status":{"phase":"Running","podIP":"10.0.0.1"}}`)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			Object(data)
		}
	})
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			reference(data)
		}
	})
}
