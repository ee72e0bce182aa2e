package e2e

import (
	"net/http"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// recorder notes the requests of one client.
type recorder struct {
	mu   sync.Mutex
	last *http.Request
	resp *http.Response
	n    int
}

// recordRequests makes config note its requests.
func recordRequests(config *rest.Config) *recorder {
	r := &recorder{}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.last, r.resp = req, resp
			r.n++
			return resp, err
		})
	})
	return r
}

// sent is the last request.
func (r *recorder) sent() *http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// got is the answer to it.
func (r *recorder) got() *http.Response {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resp
}

// count is the number of requests so far.
func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// mustBe fails the test unless the last request had this method and path.
func (r *recorder) mustBe(t *testing.T, method, path string) {
	t.Helper()
	req := r.sent()
	if req == nil {
		t.Fatalf("nothing was sent, want %s %s", method, path)
	}
	if req.Method != method || req.URL.Path != path {
		t.Errorf("sent %s %s, want %s %s", req.Method, req.URL.Path, method, path)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
