package testing

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/kube-openapi/pkg/handler3"
	"k8s.io/kube-openapi/pkg/spec3"
)

// FakeOpenAPIServer serves documents as the API server serves its schemas:
// /openapi/v3 lists them, and /openapi/v3/apis/apps/v1 is one.
type FakeOpenAPIServer struct {
	HttpServer *httptest.Server
	// ServedDocuments are the documents by their paths below /openapi/v3.
	ServedDocuments map[string]*spec3.OpenAPI
	// RequestCounters has the number of requests by path. It is to be read
	// when no request is under way.
	RequestCounters map[string]int
}

// NewFakeOpenAPIV3Server serves the documents in the JSON files below a
// directory, each under the path of its file without .json: specsPath +
// "/apis/apps/v1.json" is /openapi/v3/apis/apps/v1. Where there is none, the
// answer is empty. The caller closes the HttpServer.
func NewFakeOpenAPIV3Server(specsPath string) (*FakeOpenAPIServer, error) {
	documents, err := readDocuments(os.DirFS(specsPath))
	if err != nil {
		return nil, fmt.Errorf("OpenAPI documents in %s: %w", specsPath, err)
	}
	handler := &countingMux{counts: map[string]int{}, exact: map[string]http.Handler{}}
	service := handler3.NewOpenAPIService()
	for path, document := range documents {
		service.UpdateGroupVersion(path, document)
	}
	if err := service.RegisterOpenAPIV3VersionedService("/openapi/v3", handler); err != nil {
		return nil, err
	}
	return &FakeOpenAPIServer{
		HttpServer:      httptest.NewServer(handler),
		ServedDocuments: documents,
		RequestCounters: handler.counts,
	}, nil
}

func readDocuments(dir fs.FS) (map[string]*spec3.OpenAPI, error) {
	documents := map[string]*spec3.OpenAPI{}
	err := fs.WalkDir(dir, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := fs.ReadFile(dir, path)
		if err != nil {
			return err
		}
		document := &spec3.OpenAPI{}
		if err := json.Unmarshal(text, document); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		documents[strings.TrimSuffix(path, ".json")] = document
		return nil
	})
	return documents, err
}

// A countingMux counts the requests by path. Handlers are for one path, or for
// all that start with a prefix.
type countingMux struct {
	mu     sync.Mutex
	counts map[string]int
	exact  map[string]http.Handler
	prefix []prefixHandler
}

type prefixHandler struct {
	prefix  string
	handler http.Handler
}

// Handle has handler serve a path.
func (m *countingMux) Handle(path string, handler http.Handler) {
	m.exact[path] = handler
}

// HandlePrefix has handler serve the paths that start with path.
func (m *countingMux) HandlePrefix(path string, handler http.Handler) {
	m.prefix = append(m.prefix, prefixHandler{path, handler})
}

func (m *countingMux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.counts[r.URL.Path]++
	m.mu.Unlock()
	if handler, ok := m.exact[r.URL.Path]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	for _, p := range m.prefix {
		if strings.HasPrefix(r.URL.Path, p.prefix) {
			p.handler.ServeHTTP(w, r)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}
