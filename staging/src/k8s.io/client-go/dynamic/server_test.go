package dynamic

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// takeLast returns the last request, or none if there was none since.
func (s *server) takeLast() request {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	s.last = request{}
	return last
}

// serve starts a server and returns a client of it.
func serve(t testing.TB, h http.Handler) *DynamicClient {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	client, err := NewForConfig(&rest.Config{Host: s.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	pods        = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

func pod(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": name},
	}}
}

const (
	aPod     = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","generation":7},"weight":1.5}`
	podJSON  = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}`
	jsonType = "application/json"
)

func ptr[T any](v T) *T { return &v }
