package metadata

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// server answers every request alike, and keeps the last one.
type server struct {
	status int // 0 stands for 200
	answer string
	format string // the content type of the answer, JSON if empty

	mu   sync.Mutex
	last request
}

type request struct {
	line   string // method, path and query
	body   string
	format string // the content type of the body
	accept string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.last = request{fmt.Sprint(r.Method, " ", r.URL), string(body), r.Header.Get("Content-Type"), r.Header.Get("Accept")}
	s.mu.Unlock()
	format := "application/json"
	if s.format != "" {
		format = s.format
	}
	w.Header().Set("Content-Type", format)
	if s.status != 0 {
		w.WriteHeader(s.status)
	}
	io.WriteString(w, s.answer)
}

func (s *server) takeLast() request {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	s.last = request{}
	return last
}

var (
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

func serve(t *testing.T, s *server) Interface {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	client, err := NewForConfig(&rest.Config{Host: h.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

const (
	partial     = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"web"}}`
	partialList = `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"web"}}]}`
	fullPod     = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"},"spec":{"nodeName":"n"}}`
	fullList    = `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"web"},"spec":{}}]}`
)

func TestEachVerbSendsItsRequest(t *testing.T) {
	const (
		object  = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
		list    = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
		none    = "application/vnd.kubernetes.protobuf,application/json"
		options = `{"kind":"DeleteOptions","apiVersion":"v1"`
	)
	ctx := t.Context()
	grace := int64(3)
	only := func(_ any, err error) error { return err }
	for _, tc := range []struct {
		name   string
		answer string
		call   func(c Getter) error
		want   request
	}{
		{"get", partial, func(c Getter) error { return only(c.Namespace("ns").Get(ctx, "web", metav1.GetOptions{})) },
			request{line: "GET /apis/apps/v1/namespaces/ns/deployments/web", accept: object}},
		{"get a subresource", partial, func(c Getter) error {
			return only(c.Get(ctx, "web", metav1.GetOptions{ResourceVersion: "1"}, "a", "b"))
		},
			request{line: "GET /apis/apps/v1/deployments/web/a/b?resourceVersion=1", accept: object}},
		{"list", partialList, func(c Getter) error { return only(c.List(ctx, metav1.ListOptions{})) },
			request{line: "GET /apis/apps/v1/deployments", accept: list}},
		{"list with options", partialList, func(c Getter) error {
			return only(c.Namespace("ns").List(ctx, metav1.ListOptions{LabelSelector: "a=b", TimeoutSeconds: &grace}))
		}, request{line: "GET /apis/apps/v1/namespaces/ns/deployments?labelSelector=a%3Db&timeoutSeconds=3", accept: list}},
		{"patch", partial, func(c Getter) error {
			return only(c.Namespace("ns").Patch(ctx, "web", types.MergePatchType, []byte("{}"), metav1.PatchOptions{FieldManager: "me"}, "status"))
		}, request{line: "PATCH /apis/apps/v1/namespaces/ns/deployments/web/status?fieldManager=me", body: "{}", format: "application/merge-patch+json", accept: object}},
		{"delete", "{}", func(c Getter) error { return c.Namespace("ns").Delete(ctx, "web", metav1.DeleteOptions{}) },
			request{line: "DELETE /apis/apps/v1/namespaces/ns/deployments/web", body: options + "}", format: "application/json", accept: none}},
		{"delete a subresource", "{}", func(c Getter) error {
			return c.Delete(ctx, "web", metav1.DeleteOptions{GracePeriodSeconds: &grace}, "x")
		}, request{line: "DELETE /apis/apps/v1/deployments/web/x", body: options + `,"gracePeriodSeconds":3}`, format: "application/json", accept: none}},
		{"delete a collection", "{}", func(c Getter) error {
			return c.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "a"})
		}, request{line: "DELETE /apis/apps/v1/deployments?labelSelector=a", body: options + "}", format: "application/json", accept: none}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &server{answer: tc.answer}
			if err := tc.call(serve(t, s).Resource(deployments)); err != nil {
				t.Fatal(err)
			}
			if got := s.takeLast(); got != tc.want {
				t.Errorf("sent\n%+v, want\n%+v", got, tc.want)
			}
		})
	}
}

func TestMetadataIsTakenFromPartialAndFullObjects(t *testing.T) {
	for _, answer := range []string{partial, fullPod, strings.Replace(partial, "io/v1", "io/v1beta1", 1),
		`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","uid":"u"}}`} {
		got, err := serve(t, &server{answer: answer}).Resource(pods).Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil || got.Name != "web" || got.TypeMeta != (metav1.TypeMeta{}) {
			t.Errorf("%s: got %v, %v", answer, got, err)
		}
	}
	for _, answer := range []string{partialList, fullList} {
		got, err := serve(t, &server{answer: answer}).Resource(pods).List(t.Context(), metav1.ListOptions{})
		if err != nil || got.ResourceVersion != "5" || len(got.Items) != 1 || got.Items[0].Name != "web" || got.TypeMeta != (metav1.TypeMeta{}) {
			t.Errorf("%s: got %v, %v", answer, got, err)
		}
	}
}

func TestProtobufIsUnderstood(t *testing.T) {
	want := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"a": "b"}}}
	info, ok := runtime.SerializerInfoForMediaType(codecs().SupportedMediaTypes(), "application/vnd.kubernetes.protobuf")
	if !ok {
		t.Fatal("no protobuf")
	}
	var out bytes.Buffer
	encoder := codecs().EncoderForVersion(info.Serializer, metav1.SchemeGroupVersion)
	if err := encoder.Encode(want, &out); err != nil {
		t.Fatal(err)
	}
	got, err := serve(t, &server{answer: out.String(), format: info.MediaType}).Resource(pods).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestAnswersThatAreNoMetadataAreErrors(t *testing.T) {
	for _, tc := range []struct{ answer, object, list string }{
		{partialList, "expected PartialObjectMetadata but got *v1.PartialObjectMetadataList", ""},
		{partial, "", "expected PartialObjectMetadataList but got *v1.PartialObjectMetadata"},
		{fullList, "does not appear to match the ObjectMeta schema", ""},
		{fullPod, "", "no list"},
		{`{"kind":"Status","apiVersion":"v1","status":"Success"}`, "got *v1.Status", "got *v1.Status"},
		{`{"kind":"Pod","apiVersion":"v1","metadata":3}`, "unable to decode", "unable to decode"},
		{`{"kind":"Pod","apiVersion":"v1"}`, "does not appear to match", "no list"},
		{`{}`, "'Kind' is missing", "'Kind' is missing"},
		{`x`, "invalid character", "invalid character"},
	} {
		c := serve(t, &server{answer: tc.answer}).Resource(pods)
		if tc.object != "" {
			if got, err := c.Get(t.Context(), "web", metav1.GetOptions{}); got != nil || err == nil || !strings.Contains(err.Error(), tc.object) {
				t.Errorf("get %s: %v, %v; want an error with %q", tc.answer, got, err, tc.object)
			}
		}
		if tc.list != "" {
			if got, err := c.List(t.Context(), metav1.ListOptions{}); got != nil || err == nil || !strings.Contains(err.Error(), tc.list) {
				t.Errorf("list %s: %v, %v; want an error with %q", tc.answer, got, err, tc.list)
			}
		}
	}
}

func TestWatchDeliversMetadata(t *testing.T) {
	s := &server{answer: `{"type":"ADDED","object":` + partial + `}` + "\n" +
		`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":410,"reason":"Expired"}}`}
	w, err := serve(t, s).Resource(pods).Watch(t.Context(), metav1.ListOptions{ResourceVersion: "3"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if got := s.takeLast(); got.line != "GET /api/v1/pods?resourceVersion=3&watch=true" || got.accept != acceptObject {
		t.Errorf("sent %+v", got)
	}
	if e := <-w.ResultChan(); e.Type != watch.Added || e.Object.(*metav1.PartialObjectMetadata).Name != "web" {
		t.Errorf("got %v", e)
	}
	if e := <-w.ResultChan(); e.Type != watch.Error || !apierrors.IsResourceExpired(apierrors.FromObject(e.Object)) {
		t.Errorf("got %v", e)
	}
}

func TestErrorsOfTheServerAreTyped(t *testing.T) {
	c := serve(t, &server{status: http.StatusNotFound, answer: `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`}).Resource(pods)
	ctx := t.Context()
	_, get := c.Get(ctx, "web", metav1.GetOptions{})
	_, list := c.List(ctx, metav1.ListOptions{})
	_, watched := c.Watch(ctx, metav1.ListOptions{})
	_, patch := c.Patch(ctx, "web", types.MergePatchType, nil, metav1.PatchOptions{})
	for verb, err := range map[string]error{"get": get, "list": list, "watch": watched, "patch": patch, "delete": c.Delete(ctx, "web", metav1.DeleteOptions{})} {
		if !apierrors.IsNotFound(err) {
			t.Errorf("%s: %v, want not found", verb, err)
		}
	}
}

func TestUnusableNamesAreNotSent(t *testing.T) {
	s := &server{answer: partial}
	client := serve(t, s)
	c, elsewhere := client.Resource(pods).Namespace("ns"), client.Resource(pods).Namespace("a/b")
	ctx := t.Context()
	only := func(_ any, err error) error { return err }
	for i, err := range []error{
		only(c.Get(ctx, "", metav1.GetOptions{})), only(c.Get(ctx, "..", metav1.GetOptions{})), only(elsewhere.Get(ctx, "web", metav1.GetOptions{})),
		only(c.Patch(ctx, "", types.MergePatchType, nil, metav1.PatchOptions{})),
		only(elsewhere.List(ctx, metav1.ListOptions{})), only(elsewhere.Watch(ctx, metav1.ListOptions{})),
		c.Delete(ctx, "", metav1.DeleteOptions{}), c.Delete(ctx, "a/b", metav1.DeleteOptions{}),
		elsewhere.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}),
	} {
		if err == nil {
			t.Errorf("call %d: no error", i)
		}
	}
	if last := s.takeLast(); last != (request{}) {
		t.Errorf("sent %+v", last)
	}
}

func TestConfigurations(t *testing.T) {
	in := &rest.Config{Host: "h", ContentConfig: rest.ContentConfig{ContentType: "application/x"}}
	out := ConfigFor(in)
	if in.ContentType != "application/x" || in.NegotiatedSerializer != nil {
		t.Errorf("the argument became %v", in)
	}
	if out.ContentType != "application/vnd.kubernetes.protobuf" || out.AcceptContentTypes != "application/vnd.kubernetes.protobuf,application/json" || out.UserAgent == "" {
		t.Errorf("got %v", out)
	}
	bad := &rest.Config{Host: ":::"}
	if c, err := NewForConfig(bad); c != nil || err == nil {
		t.Errorf("got %v, %v", c, err)
	}
	if c, err := NewForConfigAndClient(bad, http.DefaultClient); c != nil || err == nil {
		t.Errorf("got %v, %v", c, err)
	}
	if c, err := NewForConfig(&rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: "/does/not/exist"}}); c != nil || err == nil {
		t.Errorf("got %v, %v", c, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("NewForConfigOrDie did not panic")
		}
	}()
	NewForConfigOrDie(bad)
}
