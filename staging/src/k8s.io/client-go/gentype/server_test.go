package gentype_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/gentype"
	"k8s.io/client-go/rest"
)

// server answers every request alike, and keeps the last one.
type server struct {
	status int
	answer string

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
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(s.status)
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

var scheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	if err := corev1.AddToScheme(s); err != nil {
		panic(err)
	}
	return s
}()

// podApply is an apply configuration, as far as clients care.
type podApply struct {
	Name *string `json:"name,omitempty"`
	Spec any     `json:"spec,omitempty"`
}

func (p *podApply) GetName() *string { return p.Name }

type podClient = gentype.ClientWithListAndApply[*corev1.Pod, *corev1.PodList, *podApply]

// restClient returns a client for core/v1 of a new server.
func restClient(t testing.TB, h http.Handler) *rest.RESTClient {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	gv := corev1.SchemeGroupVersion
	c, err := rest.RESTClientFor(&rest.Config{
		Host: s.URL, APIPath: "/api", QPS: -1,
		ContentConfig: rest.ContentConfig{GroupVersion: &gv, NegotiatedSerializer: serializer.NewCodecFactory(scheme).WithoutConversion()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newPod() *corev1.Pod { return new(corev1.Pod) }

func newPodList() *corev1.PodList { return new(corev1.PodList) }

func pods(t testing.TB, h http.Handler, namespace string, options ...gentype.Option[*corev1.Pod]) *podClient {
	return gentype.NewClientWithListAndApply[*corev1.Pod, *corev1.PodList, *podApply](
		"pods", restClient(t, h), runtime.NewParameterCodec(scheme), namespace, newPod, newPodList, options...)
}

func named(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func ptr[T any](v T) *T { return &v }
