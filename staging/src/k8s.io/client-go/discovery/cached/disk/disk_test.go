package disk

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/openapi/documents"
	restclient "k8s.io/client-go/rest"
	utiltesting "k8s.io/client-go/util/testing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	core  = `{"kind":"APIGroupDiscoveryList","items":[{"versions":[{"version":"v1","resources":[{"resource":"pods","responseKind":{"version":"v1","kind":"Pod"},"scope":"Namespaced","verbs":["get"]}]}]}]}`
	named = `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1","resources":[{"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","verbs":["get"]}]},{"version":"v0","resources":[]}]}]}`
)

// A server answers in the aggregated form, with an ETag.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		condition := r.Header.Get("If-None-Match")
		s.mu.Lock()
		s.requests = append(s.requests, strings.TrimSpace(r.URL.Path+" "+condition))
		s.mu.Unlock()
		body, ok := map[string]string{"/api": core, "/apis": named}[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", discovery.AcceptV2)
		w.Header().Set("Cache-Control", "public")
		w.Header().Set("Vary", "Accept")
		w.Header().Set("ETag", `"1"`)
		if condition == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.requests)
	line := strings.Join(s.requests, ", ")
	s.requests = nil
	return line
}

func (s *server) client(t *testing.T, dir, httpDir string, ttl time.Duration) *CachedDiscoveryClient {
	t.Helper()
	client, err := NewCachedDiscoveryClientForConfig(&restclient.Config{Host: s.URL}, dir, httpDir, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// use calls what the cache serves, and fails the test if the answer is wrong.
func use(t *testing.T, client *CachedDiscoveryClient) {
	t.Helper()
	groups, err := client.ServerGroups()
	if err != nil || len(groups.Groups) != 2 {
		t.Errorf("got groups %v, %v", groups, err)
	}
	list, err := client.ServerResourcesForGroupVersion("apps/v1")
	if err != nil || len(list.APIResources) != 1 || list.APIResources[0].Name != "deployments" {
		t.Errorf("got resources %v, %v", list, err)
	}
}

func wantAsked(t *testing.T, s *server, when, want string) {
	t.Helper()
	if got := s.asked(); got != want {
		t.Errorf("%s: asked for %q, want %q", when, got, want)
	}
}

func TestNextProcessNeedNotAsk(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	first := s.client(t, dir, "", time.Hour)
	use(t, first)
	use(t, first)
	wantAsked(t, s, "first process", "/api, /apis")
	if !first.Fresh() {
		t.Error("the first is not fresh, though all files are its own")
	}

	second := s.client(t, dir, "", time.Hour)
	if !second.Fresh() {
		t.Error("not fresh before anything was read")
	}
	use(t, second)
	wantAsked(t, s, "second process", "")
	if second.Fresh() {
		t.Error("fresh, though it read somebody else's files")
	}
}

func TestInvalidateRefusesFilesOfOthers(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	use(t, s.client(t, dir, "", time.Hour))
	s.asked()

	client := s.client(t, dir, "", time.Hour)
	use(t, client)
	client.Invalidate()
	if !client.Fresh() {
		t.Error("not fresh after Invalidate")
	}
	use(t, client)
	wantAsked(t, s, "after Invalidate", "/api, /apis")
	if !client.Fresh() {
		t.Error("not fresh, though all it read since is its own")
	}
	use(t, client)
	wantAsked(t, s, "once more", "")
	client.Invalidate()
	use(t, client)
	wantAsked(t, s, "after the second Invalidate", "/api, /apis")
}

func TestOldFilesAreFetchedAnew(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	use(t, s.client(t, dir, "", time.Hour))
	old := time.Now().Add(-2 * time.Hour)
	files(t, dir, func(path string, _ fs.FileInfo) {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	})
	s.asked()
	use(t, s.client(t, dir, "", time.Hour))
	wantAsked(t, s, "files of two hours", "/api, /apis")
}

func TestWhatIsRememberedIsNoOlderThanFilesMayBe(t *testing.T) {
	s := newServer(t)
	client := s.client(t, t.TempDir(), "", time.Second)
	use(t, client)
	use(t, client)
	wantAsked(t, s, "at first", "/api, /apis")
	time.Sleep(1100 * time.Millisecond)
	use(t, client)
	wantAsked(t, s, "after the time to live", "/api, /apis")
}

func TestOneCallAsksOnceEvenIfNothingLives(t *testing.T) {
	s := newServer(t)
	client := s.client(t, t.TempDir(), "", 0)
	for what, call := range map[string]func() error{
		"groups":                 func() error { _, err := client.ServerGroups(); return err },
		"resources of a version": func() error { _, err := client.ServerResourcesForGroupVersion("apps/v1"); return err },
		"groups and resources":   func() error { _, _, err := client.ServerGroupsAndResources(); return err },
		"preferred":              func() error { _, err := client.ServerPreferredResources(); return err },
		"preferred, namespaced":  func() error { _, err := client.ServerPreferredNamespacedResources(); return err },
	} {
		for range 2 {
			if err := call(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			wantAsked(t, s, what, "/api, /apis")
		}
	}
}

// A list that says nothing of its version is in the place of the version that was
// asked for, for which somebody's own client has put it there.
func TestListWithoutVersionIsRead(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	use(t, s.client(t, dir, "", time.Hour))
	s.asked()
	file := filepath.Join(dir, "apps", "v1", "serverresources.json")
	if err := os.WriteFile(file, []byte(`{"kind":"APIResourceList","resources":[{"name":"deployments"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	use(t, s.client(t, dir, "", time.Hour))
	wantAsked(t, s, "with such a list", "")
}

func TestOpenAPIDocumentsAreNotAskedForUntilTheirHashChanges(t *testing.T) {
	s, err := utiltesting.NewFakeOpenAPIV3Server("../../../openapi/openapitest/testdata")
	if err != nil {
		t.Fatal(err)
	}
	defer s.HttpServer.Close()
	dir, httpDir := t.TempDir(), t.TempDir()
	const document = "apis__apps__v1_openapi"
	for range 2 { // as two processes
		client, err := NewCachedDiscoveryClientForConfig(&restclient.Config{Host: s.HttpServer.URL}, dir, httpDir, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			paths, err := client.OpenAPIV3().Paths()
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{"application/json", documents.ContentTypeOpenAPIV3PB} {
				if body, err := paths[document].Schema(form); err != nil || len(body) == 0 {
					t.Fatal(len(body), err)
				}
			}
			client.Invalidate()
		}
	}
	if n := s.RequestCounters["/openapi/v3/"+document]; n != 2 {
		t.Errorf("asked for a document %d times in two forms", n)
	}
}

func TestBadFilesAreIgnoredAndRewritten(t *testing.T) {
	for name, damage := range map[string]string{
		"empty":             "",
		"half":              `{"kind":"APIGro`,
		"of another kind":   `{"kind":"Status","apiVersion":"v1"}`,
		"of another thing":  `{"kind":"APIResourceList","groupVersion":"batch/v1","resources":[{"name":"jobs"}]}`,
		"of another format": "kind: APIGroupList\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newServer(t), t.TempDir()
			use(t, s.client(t, dir, "", time.Hour))
			files(t, dir, func(path string, _ fs.FileInfo) {
				if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
					t.Fatal(err)
				}
			})
			s.asked()
			client := s.client(t, dir, "", time.Hour)
			use(t, client)
			wantAsked(t, s, "damaged", "/api, /apis")
			use(t, s.client(t, dir, "", time.Hour))
			wantAsked(t, s, "repaired", "")
		})
	}
}

// files calls f for each file below dir.
func files(t *testing.T, dir string, f func(path string, info fs.FileInfo)) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info fs.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			f(path, info)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreForTheUserAlone(t *testing.T) {
	s, top := newServer(t), t.TempDir()
	use(t, s.client(t, filepath.Join(top, "discovery"), filepath.Join(top, "http"), time.Hour))
	var found []string
	err := filepath.Walk(top, func(path string, info fs.FileInfo, err error) error {
		if err != nil || path == top {
			return err
		}
		rel, _ := filepath.Rel(top, path)
		if !strings.HasPrefix(rel, "http/") {
			found = append(found, filepath.ToSlash(rel))
		}
		want := fs.FileMode(0o600)
		if info.IsDir() {
			want = 0o750
		}
		if got := info.Mode().Perm(); got&^want != 0 {
			t.Errorf("%s has mode %v, want %v", rel, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"discovery", "discovery/apps", "discovery/apps/v1", "discovery/apps/v1/serverresources.json", "discovery/servergroups.json", "http"}
	if !slices.Equal(found, want) {
		t.Errorf("got %q\nwant %q", found, want)
	}
}

func TestFilesSayWhatTheyAre(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	use(t, s.client(t, dir, "", time.Hour))
	data, err := os.ReadFile(filepath.Join(dir, "apps", "v1", "serverresources.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(data, &list); err != nil || list.Kind != "APIResourceList" || list.APIVersion != "v1" {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestEmptyListsAreNotKept(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	list, err := s.client(t, dir, "", time.Hour).ServerResourcesForGroupVersion("apps/v0")
	if err != nil || len(list.APIResources) != 0 {
		t.Fatalf("got %v, %v", list, err)
	}
	files(t, dir, func(path string, _ fs.FileInfo) { t.Errorf("%s is there", path) })
}

func TestVersionCannotLeadOutOfTheDirectory(t *testing.T) {
	s, top := newServer(t), t.TempDir()
	outside := filepath.Join(top, "v1")
	if err := os.MkdirAll(outside, 0o750); err != nil {
		t.Fatal(err)
	}
	planted := `{"kind":"APIResourceList","groupVersion":"../v1","resources":[{"name":"planted"}]}`
	if err := os.WriteFile(filepath.Join(outside, "serverresources.json"), []byte(planted), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := s.client(t, filepath.Join(top, "cache"), "", time.Hour).ServerResourcesForGroupVersion("../v1")
	if !errors.Is(err, memory.ErrCacheNotFound) {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestCacheThatCannotBeWrittenDoesNoHarm(t *testing.T) {
	s, top := newServer(t), t.TempDir()
	inTheWay := filepath.Join(top, "file")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	client := s.client(t, inTheWay, inTheWay, time.Hour)
	use(t, client)
	if !client.Fresh() {
		t.Error("not fresh")
	}
}

func TestListsGoThroughTheCache(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	client := s.client(t, dir, "", time.Hour)
	if _, lists, err := client.ServerGroupsAndResources(); err != nil || len(lists) != 3 {
		t.Errorf("got %v, %v", lists, err)
	}
	if lists, err := client.ServerPreferredResources(); err != nil || len(lists) != 3 {
		t.Errorf("got %v, %v", lists, err)
	}
	if lists, err := client.ServerPreferredNamespacedResources(); err != nil || len(lists) != 2 {
		t.Errorf("got %v, %v", lists, err)
	}
	wantAsked(t, s, "three lists", "/api, /apis")
	client.ServerVersion()
	client.OpenAPISchema()
	client.OpenAPIV3().Paths()
	wantAsked(t, s, "the rest", "/openapi/v2, /openapi/v3, /version")
	if client.RESTClient() == nil || client.WithLegacy() != discovery.DiscoveryInterface(client) {
		t.Error("another client")
	}
}

func TestConfigStaysAsItIs(t *testing.T) {
	config := &restclient.Config{Host: "https://server.invalid"}
	if _, err := NewCachedDiscoveryClientForConfig(config, t.TempDir(), t.TempDir(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if config.WrapTransport != nil || config.Timeout != 0 {
		t.Errorf("got %+v", config)
	}
	if _, err := NewCachedDiscoveryClientForConfig(&restclient.Config{Host: "http://[::1"}, "", "", time.Hour); err == nil {
		t.Error("no error for a bad host")
	}
}

func TestManyProcessesWriteTheSameFiles(t *testing.T) {
	s, dir, httpDir := newServer(t), t.TempDir(), t.TempDir()
	var processes sync.WaitGroup
	for range 8 {
		client := s.client(t, dir, httpDir, time.Hour)
		processes.Go(func() {
			for range 5 {
				use(t, client)
				client.Invalidate()
			}
		})
	}
	processes.Wait()
	for _, d := range []string{dir, httpDir} {
		files(t, d, func(path string, _ fs.FileInfo) {
			if name := filepath.Base(path); d == dir && !strings.HasSuffix(name, ".json") || d == httpDir && len(name) != 64 {
				t.Errorf("%s was left behind", path)
			}
		})
	}
}
