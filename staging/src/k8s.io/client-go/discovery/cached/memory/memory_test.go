package memory_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	restclient "k8s.io/client-go/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server serves a document for each path, aggregated ones as such.
type server struct {
	*httptest.Server
	mu        sync.Mutex
	documents map[string]string
	codes     map[string]int
	requests  []string
}

const (
	aggregatedCore  = `{"kind":"APIGroupDiscoveryList","items":[{"versions":[{"version":"v1","resources":[{"resource":"pods","responseKind":{"version":"v1","kind":"Pod"},"scope":"Namespaced","verbs":["get"]}]}]}]}`
	aggregatedNamed = `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[{"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","verbs":["get"]}]}]},{"metadata":{"name":"sick"},"versions":[{"version":"v1","freshness":"Stale"}]}]}`
)

func aggregated() map[string]string {
	return map[string]string{
		"/api":        aggregatedCore,
		"/apis":       aggregatedNamed,
		"/openapi/v3": `{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=1"}}}`,
	}
}

func older() map[string]string {
	return map[string]string{
		"/api":          `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis":         `{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]}]}`,
		"/api/v1":       `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","kind":"Pod","namespaced":true}]}`,
		"/apis/apps/v1": `{"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"deployments","kind":"Deployment","namespaced":true}]}`,
	}
}

func newServer(t *testing.T, documents map[string]string) *server {
	s := &server{documents: documents, codes: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.URL.Path)
	body := s.documents[r.URL.Path]
	w.Header().Set("Content-Type", "application/json")
	if strings.Contains(body, "APIGroupDiscoveryList") {
		w.Header().Set("Content-Type", discovery.AcceptV2)
	}
	if code := s.codes[r.URL.Path]; code != 0 {
		w.WriteHeader(code)
	} else if body == "" {
		w.WriteHeader(http.StatusNotFound)
	}
	io.WriteString(w, body)
}

func (s *server) fail(path string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[path] = code
}

// asked returns, sorted, what was requested since the last call.
func (s *server) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.requests)
	line := strings.Join(s.requests, " ")
	s.requests = nil
	return line
}

func (s *server) cache(t *testing.T) discovery.CachedDiscoveryInterface {
	client, err := discovery.NewDiscoveryClientForConfig(&restclient.Config{Host: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return memory.NewMemCacheClient(client)
}

func wantAsked(t *testing.T, s *server, when, want string) {
	t.Helper()
	if got := s.asked(); got != want {
		t.Errorf("%s: asked for %q, want %q", when, got, want)
	}
}

func TestServerIsAskedOnce(t *testing.T) {
	s := newServer(t, aggregated())
	cache := s.cache(t)
	if cache.Fresh() {
		t.Error("fresh before anything was asked")
	}
	for range 2 {
		if groups, err := cache.ServerGroups(); err != nil || len(groups.Groups) != 3 {
			t.Errorf("got %v, %v", groups, err)
		}
		if list, err := cache.ServerResourcesForGroupVersion("apps/v1"); err != nil || list.APIResources[0].Name != "deployments" {
			t.Errorf("got %v, %v", list, err)
		}
		if _, lists, err := cache.ServerGroupsAndResources(); !discovery.IsGroupDiscoveryFailedError(err) || len(lists) != 2 {
			t.Errorf("got %v, %v", lists, err)
		}
		if lists, err := cache.ServerPreferredResources(); !discovery.IsGroupDiscoveryFailedError(err) || len(lists) != 2 {
			t.Errorf("got %v, %v", lists, err)
		}
		if lists, err := cache.ServerPreferredNamespacedResources(); !discovery.IsGroupDiscoveryFailedError(err) || len(lists) != 2 {
			t.Errorf("got %v, %v", lists, err)
		}
	}
	wantAsked(t, s, "all calls twice", "/api /apis")
	if !cache.Fresh() {
		t.Error("not fresh after it asked")
	}
	cache.Invalidate()
	if cache.Fresh() {
		t.Error("fresh after it was invalidated")
	}
	cache.ServerGroups()
	wantAsked(t, s, "after Invalidate", "/api /apis")
}

func TestOlderFormIsFetchedWhenItIsWanted(t *testing.T) {
	s := newServer(t, older())
	cache := s.cache(t)
	for range 2 {
		if _, err := cache.ServerResourcesForGroupVersion("apps/v1"); err != nil {
			t.Error(err)
		}
	}
	wantAsked(t, s, "one version", "/api /apis /apis/apps/v1")
	for range 2 {
		if _, lists, err := cache.ServerGroupsAndResources(); err != nil || len(lists) != 2 {
			t.Errorf("got %v, %v", lists, err)
		}
	}
	wantAsked(t, s, "the rest", "/api/v1")
	groups, resources, failed, err := cache.(discovery.AggregatedDiscoveryInterface).GroupsAndMaybeResources()
	if err != nil || len(groups.Groups) != 2 || resources != nil || len(failed) != 0 {
		t.Errorf("got %v, %v, %v, %v", groups, resources, failed, err)
	}
}

func TestVersionThatIsNotThereIsNotAskedFor(t *testing.T) {
	s := newServer(t, older())
	cache := s.cache(t)
	for _, gv := range []string{"nobodys/v1", "apps/v7", "v2", "", "a/b/c"} {
		if _, err := cache.ServerResourcesForGroupVersion(gv); !errors.Is(err, memory.ErrCacheNotFound) {
			t.Errorf("%q: got %v", gv, err)
		}
	}
	wantAsked(t, s, "versions that are not there", "/api /apis")
}

func TestErrorsOfAVersionAreKeptUnlessTheyPass(t *testing.T) {
	for code, again := range map[int]bool{
		http.StatusForbidden:           false,
		http.StatusTooManyRequests:     true,
		http.StatusInternalServerError: true,
		http.StatusServiceUnavailable:  true,
	} {
		s := newServer(t, older())
		s.fail("/apis/apps/v1", code)
		cache := s.cache(t)
		for range 2 {
			var status apierrors.APIStatus
			if _, err := cache.ServerResourcesForGroupVersion("apps/v1"); !errors.As(err, &status) || status.Status().Code != int32(code) {
				t.Errorf("%d: got %v", code, err)
			}
		}
		want := "/api /apis /apis/apps/v1"
		if again {
			want += " /apis/apps/v1"
		}
		wantAsked(t, s, http.StatusText(code), want)

		s.fail("/apis/apps/v1", 0)
		if _, err := cache.ServerResourcesForGroupVersion("apps/v1"); (err == nil) != again {
			t.Errorf("%d: after it healed got %v", code, err)
		}
		cache.Invalidate()
		if _, err := cache.ServerResourcesForGroupVersion("apps/v1"); err != nil {
			t.Errorf("%d: after Invalidate got %v", code, err)
		}
	}
}

func TestStaleVersionIsAnErrorOfItsOwn(t *testing.T) {
	s := newServer(t, aggregated())
	_, err := s.cache(t).ServerResourcesForGroupVersion("sick/v1")
	if _, stale := err.(discovery.StaleGroupVersionError); !stale {
		t.Errorf("got %#v", err)
	}
}

func TestFailureToListGroupsIsNotRemembered(t *testing.T) {
	s := newServer(t, aggregated())
	s.fail("/apis", http.StatusInternalServerError)
	cache := s.cache(t)
	if groups, err := cache.ServerGroups(); err == nil || cache.Fresh() {
		t.Errorf("got %v, fresh %v", groups, cache.Fresh())
	}
	s.fail("/apis", 0)
	if _, err := cache.ServerGroups(); err != nil {
		t.Error(err)
	}
}

func TestOpenAPIV3IsCachedUntilInvalidate(t *testing.T) {
	s := newServer(t, aggregated())
	cache := s.cache(t)
	for range 2 {
		if paths, err := cache.OpenAPIV3().Paths(); err != nil || len(paths) != 1 {
			t.Errorf("got %v, %v", paths, err)
		}
	}
	wantAsked(t, s, "twice", "/openapi/v3")
	cache.Invalidate()
	cache.OpenAPIV3().Paths()
	wantAsked(t, s, "after Invalidate", "/openapi/v3")
}

func TestRestGoesToTheDelegate(t *testing.T) {
	s := newServer(t, aggregated())
	cache := s.cache(t)
	cache.ServerVersion()
	cache.OpenAPISchema()
	wantAsked(t, s, "version and schema", "/openapi/v2 /version")
	if cache.RESTClient() == nil || cache.WithLegacy() != discovery.DiscoveryInterface(cache) {
		t.Error("another client")
	}
}

func TestCacheOfACacheInvalidatesBoth(t *testing.T) {
	s := newServer(t, aggregated())
	below := s.cache(t)
	above := memory.NewMemCacheClient(below)
	above.ServerGroups()
	above.Invalidate()
	if below.Fresh() {
		t.Error("the one below keeps what it has")
	}
	above.ServerGroups()
	wantAsked(t, s, "twice", "/api /api /apis /apis")
}

func TestManyCallersShareOneFetch(t *testing.T) {
	for name, test := range map[string]struct {
		documents map[string]string
		want      string
	}{
		"aggregated": {aggregated(), "/api /apis"},
		"older":      {older(), "/api /apis /apis/apps/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, test.documents)
			cache := s.cache(t)
			var callers sync.WaitGroup
			for range 20 {
				callers.Go(func() {
					if _, err := cache.ServerResourcesForGroupVersion("apps/v1"); err != nil {
						t.Error(err)
					}
					cache.Fresh()
				})
			}
			callers.Wait()
			wantAsked(t, s, "20 callers", test.want)
		})
	}
}

func TestInvalidateDoesNotWaitForTheServer(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	documents := aggregated()
	var held atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if held.CompareAndSwap(false, true) {
			close(arrived)
			<-release
		}
		w.Header().Set("Content-Type", discovery.AcceptV2)
		io.WriteString(w, documents[r.URL.Path])
	}))
	defer s.Close()
	client, err := discovery.NewDiscoveryClientForConfig(&restclient.Config{Host: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	cache := memory.NewMemCacheClient(client)
	var caller sync.WaitGroup
	caller.Go(func() {
		if _, err := cache.ServerGroups(); err != nil {
			t.Error(err)
		}
	})
	<-arrived
	cache.Invalidate()
	if _, err := cache.ServerGroups(); err != nil {
		t.Error(err)
	}
	close(release)
	caller.Wait()
}

func TestCallersMayChangeTheMapsTheyGet(t *testing.T) {
	cache := newServer(t, aggregated()).cache(t).(discovery.AggregatedDiscoveryInterface)
	_, resources, failed, err := cache.GroupsAndMaybeResources()
	if err != nil {
		t.Fatal(err)
	}
	had := len(resources)
	clear(resources)
	clear(failed)
	if _, resources, failed, _ = cache.GroupsAndMaybeResources(); len(resources) != had || len(failed) != 1 {
		t.Errorf("got %v, %v", resources, failed)
	}
}
