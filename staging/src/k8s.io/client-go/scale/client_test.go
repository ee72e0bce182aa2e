package scale

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	autoscalingapi "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// server answers every request alike, and keeps the last one.
type server struct {
	status int // 0 stands for 200
	answer string

	mu   sync.Mutex
	last string // method, path, query and body
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.last = strings.TrimSpace(fmt.Sprint(r.Method, " ", r.URL, " ", string(body)))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.status != 0 {
		w.WriteHeader(s.status)
	}
	io.WriteString(w, s.answer)
}

func (s *server) takeLast() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	s.last = ""
	return last
}

// inV1 prefers version v1 of all resources but one.
type inV1 struct{}

var errUnknown = errors.New("unknown resource")

func (inV1) ResourceFor(r schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	if r.Resource == "unknown" {
		return r, errUnknown
	}
	r.Version = "v1"
	return r, nil
}

// forms has the form of scale of some resources.
type forms map[string]schema.GroupVersion

func (f forms) ScaleForResource(r schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	form, ok := f[r.Resource]
	if !ok {
		return schema.GroupVersionKind{}, errUnknown
	}
	return form.WithKind("Scale"), nil
}

var known = forms{
	"deployments": {Group: "autoscaling", Version: "v1"},
	"first":       {Group: "extensions", Version: "v1beta1"},
	"second":      {Group: "apps", Version: "v1beta1"},
	"third":       {Group: "apps", Version: "v1beta2"},
	"odd":         {Group: "example.com", Version: "v1"},
}

func serve(t *testing.T, s *server) ScalesGetter {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	c, err := NewForConfig(&rest.Config{Host: h.URL, QPS: -1}, inV1{}, dynamic.LegacyAPIPathResolverFunc, known)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func apps(resource string) schema.GroupResource {
	return schema.GroupResource{Group: "apps", Resource: resource}
}

const aScale = `{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web"},"spec":{"replicas":3},"status":{"replicas":2,"selector":"a=b"}}`

func TestGetUnderstandsAllForms(t *testing.T) {
	for answer, selector := range map[string]string{
		aScale: "a=b",
		`{"kind":"Scale","apiVersion":"extensions/v1beta1","metadata":{"name":"web"},"spec":{"replicas":3},"status":{"replicas":2}}`:                                              "",
		`{"kind":"Scale","apiVersion":"apps/v1beta1","metadata":{"name":"web"},"spec":{"replicas":3},"status":{"replicas":2,"selector":{"a":"b"}}}`:                               "a=b",
		`{"kind":"Scale","apiVersion":"apps/v1beta2","metadata":{"name":"web"},"spec":{"replicas":3},"status":{"replicas":2,"selector":{"a":"b"},"targetSelector":"a in (c,d)"}}`: "a in (c,d)",
	} {
		s := &server{answer: answer}
		got, err := serve(t, s).Scales("ns").Get(t.Context(), apps("deployments"), "web", metav1.GetOptions{ResourceVersion: "1"})
		if err != nil {
			t.Errorf("%s: %v", answer, err)
			continue
		}
		if got.Name != "web" || got.Spec.Replicas != 3 || got.Status.Replicas != 2 || got.Status.Selector != selector || got.APIVersion != "autoscaling/v1" || got.Kind != "Scale" {
			t.Errorf("%s: got %+v", answer, got)
		}
		if sent := s.takeLast(); sent != "GET /apis/apps/v1/namespaces/ns/deployments/web/scale?resourceVersion=1" {
			t.Errorf("sent %s", sent)
		}
	}
}

func TestUpdateSendsTheFormThatTheResourceTakes(t *testing.T) {
	for resource, want := range map[string]string{
		"deployments": `{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web"},"spec":{"replicas":5},"status":{"replicas":1,"selector":"a=b"}}`,
		"first":       `{"kind":"Scale","apiVersion":"extensions/v1beta1","metadata":{"name":"web"},"spec":{"replicas":5},"status":{"replicas":1,"selector":{"a":"b"},"targetSelector":"a=b"}}`,
		"second":      `{"kind":"Scale","apiVersion":"apps/v1beta1","metadata":{"name":"web"},"spec":{"replicas":5},"status":{"replicas":1,"selector":{"a":"b"},"targetSelector":"a=b"}}`,
		"third":       `{"kind":"Scale","apiVersion":"apps/v1beta2","metadata":{"name":"web"},"spec":{"replicas":5},"status":{"replicas":1,"selector":{"a":"b"},"targetSelector":"a=b"}}`,
	} {
		s := &server{answer: aScale}
		scale := &autoscalingapi.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: autoscalingapi.ScaleSpec{Replicas: 5},
			Status: autoscalingapi.ScaleStatus{Replicas: 1, Selector: "a=b"},
		}
		got, err := serve(t, s).Scales("").Update(t.Context(), apps(resource), scale, metav1.UpdateOptions{FieldManager: "me"})
		if err != nil || got.Spec.Replicas != 3 {
			t.Errorf("%s: got %v, %v", resource, got, err)
		}
		if sent, want := s.takeLast(), "PUT /apis/apps/v1/"+resource+"/web/scale?fieldManager=me "+want; sent != want {
			t.Errorf("sent\n%s, want\n%s", sent, want)
		}
		if scale.Kind != "" {
			t.Errorf("%s: the argument became %v", resource, scale)
		}
	}
}

func TestPatchIsSentAsItIs(t *testing.T) {
	s := &server{answer: aScale}
	rcs := schema.GroupVersionResource{Version: "v1", Resource: "replicationcontrollers"}
	got, err := serve(t, s).Scales("ns").Patch(t.Context(), rcs, "web", types.MergePatchType, []byte(`{"spec":{"replicas":4}}`), metav1.PatchOptions{FieldManager: "me"})
	if err != nil || got.Spec.Replicas != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	if sent := s.takeLast(); sent != `PATCH /api/v1/namespaces/ns/replicationcontrollers/web/scale?fieldManager=me {"spec":{"replicas":4}}` {
		t.Errorf("sent %s", sent)
	}
}

func TestErrors(t *testing.T) {
	s := &server{answer: aScale}
	c := serve(t, s).Scales("ns")
	ctx := t.Context()
	scale := &autoscalingapi.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	bad := scale.DeepCopy()
	bad.Status.Selector = "(("
	only := func(_ any, err error) error { return err }
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"get without name", only(c.Get(ctx, apps("deployments"), "", metav1.GetOptions{})), "name may not be empty"},
		{"get what is unknown", only(c.Get(ctx, apps("unknown"), "web", metav1.GetOptions{})), "unable to get client for unknown.apps"},
		{"update what is unknown", only(c.Update(ctx, apps("unknown"), scale, metav1.UpdateOptions{})), "unable to get client for unknown.apps"},
		{"update what has no scale", only(c.Update(ctx, apps("rigid"), scale, metav1.UpdateOptions{})), "could not find proper group-version for scale subresource"},
		{"update an odd form", only(c.Update(ctx, apps("odd"), scale, metav1.UpdateOptions{})), "could not convert scale update"},
		{"update a bad selector", only(c.Update(ctx, apps("first"), bad, metav1.UpdateOptions{})), `invalid label selector "(("`},
		{"update nil", only(c.Update(ctx, apps("deployments"), nil, metav1.UpdateOptions{})), "nil"},
		{"patch without name", only(c.Patch(ctx, apps("deployments").WithVersion("v1"), "", types.MergePatchType, nil, metav1.PatchOptions{})), "name may not be empty"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, tc.err, tc.want)
		}
		if sent := s.takeLast(); sent != "" {
			t.Errorf("%s: sent %s", tc.name, sent)
		}
	}
	if _, err := c.Get(ctx, apps("unknown"), "web", metav1.GetOptions{}); !errors.Is(err, errUnknown) {
		t.Errorf("%v does not wrap the mapper's error", err)
	}
}

func TestAnswersThatAreNoScaleAreErrors(t *testing.T) {
	for answer, want := range map[string]string{
		`{"kind":"Deployment","apiVersion":"apps/v1beta1"}`:                                     "not convertible",
		`{"kind":"Scale","apiVersion":"apps/v1beta1","status":{"targetSelector":"(("}}`:         "not convertible",
		`{"kind":"Foo","apiVersion":"example.com/v1"}`:                                          "no kind \"Foo\"",
		`{"kind":"Status","apiVersion":"v1","status":"Success"}`:                                "not convertible",
		`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"Gone"}`: "no",
		`x`: "json",
		``:  "'Kind' is missing",
	} {
		got, err := serve(t, &server{answer: answer}).Scales("ns").Get(t.Context(), apps("deployments"), "web", metav1.GetOptions{})
		if got != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want an error with %q", answer, got, err, want)
		}
	}
	_, err := serve(t, &server{status: http.StatusNotFound, answer: "{}"}).Scales("ns").Get(t.Context(), apps("deployments"), "web", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want not found", err)
	}
}

func TestAConfigurationThatCannotWorkIsAnError(t *testing.T) {
	if c, err := NewForConfig(&rest.Config{Host: ":::"}, inV1{}, dynamic.LegacyAPIPathResolverFunc, known); c != nil || err == nil {
		t.Errorf("got %v, %v", c, err)
	}
}
