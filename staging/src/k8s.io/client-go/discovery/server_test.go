package discovery_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"k8s.io/client-go/discovery"
	restclient "k8s.io/client-go/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An answer is what the server says at a path. Without a code it is a 200.
type answer struct {
	code        int
	contentType string
	body        string
}

// A server serves discovery documents. Where it has an aggregated document at
// a path, it is for those who accept one.
type server struct {
	*httptest.Server
	mu         sync.Mutex
	plain      map[string]answer
	aggregated map[string]answer
	asked      []string // path and Accept header
}

func newServer(t testing.TB, plain, aggregated map[string]answer) *server {
	s := &server{plain: plain, aggregated: aggregated}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	accept := r.Header.Get("Accept")
	s.asked = append(s.asked, r.URL.Path+" "+accept)
	a, ok := s.plain[r.URL.Path]
	if strings.Contains(accept, "as=APIGroupDiscoveryList") {
		if b, has := s.aggregated[r.URL.Path]; has {
			a, ok = b, true
		}
	}
	if !ok {
		a = failure(http.StatusNotFound, "NotFound", "there is nothing here")
	}
	if a.contentType == "" {
		a.contentType = "application/json"
	}
	w.Header().Set("Content-Type", a.contentType)
	if a.code != 0 {
		w.WriteHeader(a.code)
	}
	io.WriteString(w, a.body)
}

func (s *server) set(path string, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plain[path] = a
}

// requests returns, sorted, the paths that were asked for since the last call.
func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for _, line := range s.asked {
		path, _, _ := strings.Cut(line, " ")
		paths = append(paths, path)
	}
	s.asked = nil
	slices.Sort(paths)
	return paths
}

func (s *server) client(t testing.TB) *discovery.DiscoveryClient {
	client, err := discovery.NewDiscoveryClientForConfig(&restclient.Config{Host: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func failure(code int, reason, message string) answer {
	return answer{code: code, body: fmt.Sprintf(
		`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":%q,"reason":%q,"code":%d}`, message, reason, code)}
}

const (
	v2      = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
	v2beta1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"

	coreAggregated = `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
		{"metadata":{"creationTimestamp":null},"versions":[{"version":"v1","resources":[
			{"resource":"pods","responseKind":{"group":"","version":"v1","kind":"Pod"},"scope":"Namespaced","singularResource":"pod",
			 "verbs":["create","get","list"],"shortNames":["po"],"categories":["all"],"subresources":[
				{"subresource":"eviction","responseKind":{"group":"policy","version":"v1","kind":"Eviction"},"verbs":["create"]},
				{"subresource":"attach","responseKind":null,"verbs":["create"]}]},
			{"resource":"nodes","responseKind":{"group":"","version":"v1","kind":"Node"},"scope":"Cluster","singularResource":"node","verbs":["get"]},
			{"resource":"bare","responseKind":{"group":"","version":"","kind":""},"scope":"Cluster","singularResource":"","verbs":[],"subresources":[
				{"subresource":"scale","acceptedTypes":[{"group":"","version":"v1","kind":"X"}],"responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"},"verbs":["get"]}]}
		],"freshness":"Current"}]}]}`
	namedAggregated = `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
		{"metadata":{"name":"apps"},"versions":[
			{"version":"v1","resources":[{"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","singularResource":"deployment","verbs":["get"]}],"freshness":"Current"},
			{"version":"v1beta1","resources":[
				{"resource":"deployments","responseKind":{"group":"apps","version":"v1beta1","kind":"Deployment"},"scope":"Namespaced","singularResource":"deployment","verbs":["get"]},
				{"resource":"relics","responseKind":{"group":"apps","version":"v1beta1","kind":"Relic"},"scope":"Cluster","singularResource":"relic","verbs":["get"]}],"freshness":"Current"}]},
		{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]}]}`

	coreVersions = `{"kind":"APIVersions","versions":["v1"]}`
	namedGroups  = `{"kind":"APIGroupList","apiVersion":"v1","groups":[
		{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"},{"groupVersion":"apps/v1beta1","version":"v1beta1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]}`
	coreV1 = `{"kind":"APIResourceList","groupVersion":"v1","resources":[
		{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["create","get","list"],"shortNames":["po"],"categories":["all"]},
		{"name":"pods/eviction","singularName":"","namespaced":true,"group":"policy","version":"v1","kind":"Eviction","verbs":["create"]},
		{"name":"nodes","singularName":"node","namespaced":false,"kind":"Node","verbs":["get"]}]}`
	appsV1      = `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[{"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["get"]}]}`
	appsV1beta1 = `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1beta1","resources":[
		{"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["get"]},
		{"name":"relics","singularName":"relic","namespaced":false,"kind":"Relic","verbs":["get"]}]}`
)

func older() map[string]answer {
	return map[string]answer{
		"/api":               {body: coreVersions},
		"/apis":              {body: namedGroups},
		"/api/v1":            {body: coreV1},
		"/apis/apps/v1":      {body: appsV1},
		"/apis/apps/v1beta1": {body: appsV1beta1},
	}
}

func newer(contentType string) map[string]answer {
	return map[string]answer{
		"/api":  {contentType: contentType, body: coreAggregated},
		"/apis": {contentType: contentType, body: namedAggregated},
	}
}
