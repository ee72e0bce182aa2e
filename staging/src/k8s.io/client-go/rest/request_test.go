package rest

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

func testGV(group, version string) schema.GroupVersion {
	return schema.GroupVersion{Group: group, Version: version}
}

func TestURLIsBuiltFromTheParts(t *testing.T) {
	client := clientTo(t, nil)
	const base = "https://server.example/base"
	for name, tc := range map[string]struct {
		build func(*Request) *Request
		want  string
		err   string
	}{
		"nothing":            {func(r *Request) *Request { return r }, "/api/v1", ""},
		"object":             {func(r *Request) *Request { return r.Resource("Pods").Namespace("ns").Name("n") }, "/api/v1/namespaces/ns/pods/n", ""},
		"all namespaces":     {func(r *Request) *Request { return r.Resource("pods").Namespace("") }, "/api/v1/pods", ""},
		"subresource":        {func(r *Request) *Request { return r.Resource("pods").Name("n").SubResource("a", "b") }, "/api/v1/pods/n/a/b", ""},
		"suffix":             {func(r *Request) *Request { return r.Resource("pods").Name("n").Suffix("x", "y/") }, "/api/v1/pods/n/x/y", ""},
		"suffix upwards":     {func(r *Request) *Request { return r.Resource("pods").Suffix("../x") }, "/api/v1/x", ""},
		"prefix":             {func(r *Request) *Request { return r.Prefix("watch").Resource("pods") }, "/api/v1/watch/pods", ""},
		"absolute":           {func(r *Request) *Request { return r.Prefix("gone").AbsPath("/a/b/") }, "/a/b/", ""},
		"absolute, segments": {func(r *Request) *Request { return r.AbsPath("a", "b/") }, "/a/b", ""},
		"absolute, object":   {func(r *Request) *Request { return r.AbsPath("/apis/").Resource("foos") }, "/apis/foos", ""},
		"absolute, nothing":  {func(r *Request) *Request { return r.AbsPath() }, "", ""},
		"escaped":            {func(r *Request) *Request { return r.AbsPath("/a b/c%2fd") }, "/a%20b/c%252fd", ""},
		"URI":                {func(r *Request) *Request { return r.Param("z", "1").RequestURI("/x/y?b=2&a=1&b=1") }, "/x/y?a=1&b=2&b=1", ""},
		"params":             {func(r *Request) *Request { return r.Param("b", "2").Param("a", "1 &").Param("b", "1") }, "/api/v1?a=1+%26&b=2&b=1", ""},
		"timeout":            {func(r *Request) *Request { return r.Param("timeout", "3").Timeout(1500 * time.Millisecond) }, "/api/v1?timeout=1.5s", ""},
		"options": {func(r *Request) *Request {
			return r.Resource("pods").VersionedParams(&metav1.ListOptions{LabelSelector: "a=b", Watch: true}, testParams).Param("watch", "x")
		}, "/api/v1/pods?labelSelector=a%3Db&watch=true&watch=x", ""},
		"scoped":          {func(r *Request) *Request { return r.NamespaceIfScoped("a", false).NamespaceIfScoped("b", true) }, "/api/v1/namespaces/b", ""},
		"no name":         {func(r *Request) *Request { return r.Name("") }, "", "resource name may not be empty"},
		"name twice":      {func(r *Request) *Request { return r.Name("a").Name("b") }, "", `resource name already set to "a", cannot change to "b"`},
		"namespace twice": {func(r *Request) *Request { return r.Namespace("").Namespace("b") }, "", `namespace already set to "", cannot change to "b"`},
		"resource twice":  {func(r *Request) *Request { return r.Resource("a").Resource("b") }, "", `resource already set to "a", cannot change to "b"`},
		"sub twice":       {func(r *Request) *Request { return r.SubResource("a").SubResource("b") }, "", `subresource already set to "a", cannot change to "b"`},
		"bad name":        {func(r *Request) *Request { return r.Name("a%b/c") }, "", `invalid resource name "a%b/c": [may not contain '/' may not contain '%']`},
		"bad namespace":   {func(r *Request) *Request { return r.Namespace("..") }, "", `invalid namespace "..": [may not be '..']`},
		"bad resource":    {func(r *Request) *Request { return r.Resource("a/b") }, "", `invalid resource "a/b": [may not contain '/']`},
		"bad sub":         {func(r *Request) *Request { return r.SubResource("a", "b/c") }, "", `invalid subresource "b/c": [may not contain '/']`},
		"bad URI":         {func(r *Request) *Request { return r.RequestURI("%zz") }, "", "invalid URL escape"},
		"first error":     {func(r *Request) *Request { return r.Name("").Namespace("..").Resource("a/b") }, "", "resource name may not be empty"},
		"bad options": {func(r *Request) *Request {
			return r.SpecificallyVersionedParams(&corev1.PodLogOptions{}, testParams, testGV("other", "v1"))
		}, "", "not suitable for converting"},
		"bad body": {func(r *Request) *Request { return r.Body(5) }, "", "unknown type used for body: 5"},
		"no file":  {func(r *Request) *Request { return r.Body("/does/not/exist") }, "", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			r := tc.build(client.Get())
			if err := r.Error(); tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want %q", err, tc.err)
				}
				if _, err := r.DoRaw(background); err != r.Error() {
					t.Errorf("sending it returns %v", err)
				}
			} else if got := r.URL().String(); err != nil || got != base+tc.want {
				t.Errorf("got %s, %v; want %s", got, err, base+tc.want)
			}
		})
	}
}

func TestSuffixDoesNotLeadAboveTheRoot(t *testing.T) {
	for _, base := range []*url.URL{{Scheme: "https", Host: "h"}, {Scheme: "https", Host: "h", Path: "/"}} {
		for suffix, want := range map[string]string{"..": "/", "../x": "/x", "../../x": "/x", ".": "/", "/..": "/", "a/../b": "/b", "..a": "/..a"} {
			if got := NewRequestWithClient(base, "", ClientContentConfig{}, nil).Suffix(suffix).URL().Path; got != want {
				t.Errorf("%v with %q: got %q, want %q", base, suffix, got, want)
			}
		}
	}
}

func TestNilBaseIsEmpty(t *testing.T) {
	if got := NewRequestWithClient(nil, "", ClientContentConfig{}, nil).Resource("pods").URL().String(); got != "/pods" {
		t.Errorf("got %q", got)
	}
}

func TestNamespaceMustBeGivenWhereItMatters(t *testing.T) {
	sent := 0
	client := clientTo(t, func(*http.Request) (*http.Response, error) { sent++; return answer(200, "", ""), nil })
	for name, tc := range map[string]struct {
		request *Request
		ok      bool
	}{
		"get one": {client.Get().Namespace("").Name("n"), false},
		"put":     {client.Put().Namespace("").Name("n"), false},
		"delete":  {client.Delete().Namespace("").Name("n"), false},
		"create":  {client.Post().Namespace(""), false},
		"list":    {client.Get().Namespace(""), true},
		"cluster": {client.Get().Name("n"), true},
	} {
		before := sent
		_, err := tc.request.DoRaw(background)
		if (err == nil) != tc.ok || (sent > before) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBodyIsSentAsItIsGiven(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	const podText = `{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":null},"status":{}}` + "\n"
	for name, tc := range map[string]struct {
		body              any
		want, contentType string
		length            int64
	}{
		"bytes":       {[]byte("bytes"), "bytes", "", 5},
		"no bytes":    {[]byte{}, "", "", 0},
		"reader":      {strings.NewReader("reader"), "reader", "", 6},
		"just reader": {io.MultiReader(strings.NewReader("x")), "x", "", -1},
		"file":        {file, "from a file", "", 11},
		"object":      {&corev1.Pod{}, podText, "application/json", int64(len(podText))},
		"nil object":  {(*corev1.Pod)(nil), "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var got, contentType string
			var length int64
			client := clientOf(t, func(w http.ResponseWriter, req *http.Request) {
				data, _ := io.ReadAll(req.Body)
				got, contentType, length = string(data), req.Header.Get("Content-Type"), req.ContentLength
			})
			if _, err := client.Post().Body(tc.body).DoRaw(background); err != nil {
				t.Fatal(err)
			}
			if got != tc.want || contentType != tc.contentType || length != tc.length {
				t.Errorf("sent %q as %q with length %d", got, contentType, length)
			}
		})
	}
}

func TestHeadersAreSentAndReplaced(t *testing.T) {
	var got http.Header
	client := clientTo(t, func(req *http.Request) (*http.Response, error) { got = req.Header; return answer(200, "", ""), nil })
	_, err := client.Patch(types.MergePatchType).SetHeader("x-a", "1", "2").SetHeader("X-A", "3").SetHeader("Accept").DoRaw(background)
	if err != nil || got.Get("Content-Type") != "application/merge-patch+json" || len(got["X-A"]) != 1 || got["Accept"] != nil {
		t.Errorf("%v, %v", got, err)
	}
	// The value of one request is not seen in another one.
	if _, err := client.Get().DoRaw(background); err != nil || got.Get("Accept") != "application/json, */*" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestInvalidMethodIsAnError(t *testing.T) {
	client := clientTo(t, nil)
	if _, err := client.Verb("NOT OK").DoRaw(background); err == nil {
		t.Error("no error")
	}
	cause := errors.New("cause")
	if err := error(&RequestConstructionError{Err: cause}); !errors.Is(err, cause) || !strings.Contains(err.Error(), "cause") {
		t.Error(err)
	}
}

func TestProtobufIsUsedWhereNothingElseIsConfigured(t *testing.T) {
	for _, tc := range []struct{ contentType, accept, wantAccept, wantContentType string }{
		{"", "", "application/vnd.kubernetes.protobuf,application/json", "application/vnd.kubernetes.protobuf"},
		{"application/json", "", "application/json, */*", "application/json"},
		{"", "application/json", "application/json", "application/json"},
	} {
		config := testConfig("https://server.example")
		config.ContentType, config.AcceptContentTypes = tc.contentType, tc.accept
		var got http.Header
		config.Transport = roundTripper(func(req *http.Request) (*http.Response, error) { got = req.Header; return answer(200, "", ""), nil })
		client := testClient(t, config)
		if _, err := client.Post().UseProtobufAsDefaultIfPreferred(true).Body(&corev1.Pod{}).DoRaw(background); err != nil {
			t.Fatal(err)
		}
		if got.Get("Accept") != tc.wantAccept || got.Get("Content-Type") != tc.wantContentType {
			t.Errorf("%v: sent %v", tc, got)
		}
		if _, err := client.Post().UseProtobufAsDefaultIfPreferred(false).Body(&corev1.Pod{}).DoRaw(background); err != nil || got.Get("Content-Type") != "application/json" {
			t.Errorf("%v: sent %v, error %v", tc, got, err)
		}
	}
}
