package testing

import (
	"io"
	"net/http"
	"net/url"
	"reflect"
	"sync"
)

// TestInterface is what checks report to. A *testing.T is one.
type TestInterface interface {
	Errorf(format string, args ...interface{})
	Logf(format string, args ...interface{})
}

// LogInterface is what a handler logs to. A *testing.T is one.
type LogInterface interface {
	Logf(format string, args ...interface{})
}

// FakeHandler answers every request with the same response, and keeps the last
// request for checks. Once it has been checked it must get no more requests, and
// panics if it does.
//
// It serves requests one at a time, but its fields are to be looked at only when
// no request is under way.
type FakeHandler struct {
	RequestReceived *http.Request
	RequestBody     string
	StatusCode      int
	ResponseBody    string
	// T, if there is one, gets the bodies of requests.
	T LogInterface

	// SkipRequestFn, if there is one, picks the requests that are answered
	// but not kept or counted.
	SkipRequestFn func(verb string, url url.URL) bool

	mu      sync.Mutex
	count   int
	checked bool
}

// SetResponseBody sets the body of the responses from now on.
func (f *FakeHandler) SetResponseBody(responseBody string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ResponseBody = responseBody
}

// ServeHTTP answers with the status code and the body of the fields.
func (f *FakeHandler) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.SkipRequestFn == nil || !f.SkipRequestFn(request.Method, *request.URL) {
		f.keep(request)
	}
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(f.StatusCode)
	if _, err := io.WriteString(response, f.ResponseBody); err != nil {
		f.logf("response to %s %s: %v", request.Method, request.URL, err)
	}
}

func (f *FakeHandler) keep(request *http.Request) {
	if f.checked {
		panic("got request after having been validated")
	}
	f.count++
	f.RequestReceived = request
	body, err := io.ReadAll(request.Body)
	if err != nil {
		f.logf("received read error: %v", err)
	}
	f.RequestBody = string(body)
	f.logf("request body: %s", f.RequestBody)
}

func (f *FakeHandler) logf(format string, args ...any) {
	if f.T != nil {
		f.T.Logf(format, args...)
	}
}

// ValidateRequestCount reports to t if there were not as many requests as count,
// and returns whether there were.
func (f *FakeHandler) ValidateRequestCount(t TestInterface, count int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checked = true
	if f.count != count {
		t.Errorf("Expected %d call, but got %d. Only the last call is recorded and checked.", count, f.count)
	}
	return f.count == count
}

// ValidateRequest reports to t how the last request is not as expected: in its
// path, in its query, which is a part of expectedPath, in its method, and in its
// body if that is not nil.
func (f *FakeHandler) ValidateRequest(t TestInterface, expectedPath, expectedMethod string, body *string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checked = true
	if f.count != 1 {
		t.Logf("Expected 1 call, but got %v. Only the last call is recorded and checked.", f.count)
	}
	expected, err := url.Parse(expectedPath)
	if err != nil {
		t.Errorf("Couldn't parse %v as a URL.", expectedPath)
		return
	}
	got := f.RequestReceived
	if got == nil {
		t.Errorf("Unexpected nil request received for %s", expectedPath)
		return
	}
	if got.URL.Path != expected.Path {
		t.Errorf("Unexpected request path %q, expected: %q", got.URL.Path, expected.Path)
	}
	if wanted, query := expected.Query(), got.URL.Query(); !reflect.DeepEqual(wanted, query) {
		t.Errorf("Unexpected query %q, expected: %q", query, wanted)
	}
	if got.Method != expectedMethod {
		t.Errorf("Unexpected method: %q, expected: %q", got.Method, expectedMethod)
	}
	if body != nil && *body != f.RequestBody {
		t.Errorf("Received body:\n%s\n Doesn't match expected body:\n%s", f.RequestBody, *body)
	}
}
