package dynamic

import (
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

func TestConfigForLeavesItsArgumentAlone(t *testing.T) {
	in := &rest.Config{Host: "h", ContentConfig: rest.ContentConfig{ContentType: "application/x"}}
	out := ConfigFor(in)
	if in.ContentType != "application/x" || in.UserAgent != "" || in.NegotiatedSerializer != nil {
		t.Errorf("the argument became %v", in)
	}
	if out.ContentType != jsonType || out.AcceptContentTypes != jsonType || out.UserAgent == "" || out.NegotiatedSerializer == nil {
		t.Errorf("got %v", out)
	}
	if got := ConfigFor(&rest.Config{UserAgent: "mine"}).UserAgent; got != "mine" {
		t.Errorf("the user agent became %q", got)
	}
}

func TestAConfigurationThatCannotWorkIsAnError(t *testing.T) {
	bad := &rest.Config{Host: ":::"}
	if c, err := NewForConfig(bad); err == nil {
		t.Errorf("got %v", c)
	}
	if c, err := NewForConfigAndClient(bad, http.DefaultClient); err == nil {
		t.Errorf("got %v", c)
	}
	tls := &rest.Config{Host: "https://h", TLSClientConfig: rest.TLSClientConfig{CAFile: "/does/not/exist"}}
	if c, err := NewForConfig(tls); err == nil {
		t.Errorf("got %v", c)
	}
	defer func() {
		if recover() == nil {
			t.Error("NewForConfigOrDie did not panic")
		}
	}()
	NewForConfigOrDie(bad)
}

func TestClientsCanShareAnHTTPClient(t *testing.T) {
	s := &server{answer: aPod}
	var seen int
	shared := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		seen++
		return http.DefaultTransport.RoundTrip(r)
	})}
	// The address is taken from a client that knows it.
	var host string
	probe := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		s.ServeHTTP(w, r)
	}))
	if _, err := probe.Resource(pods).Get(t.Context(), "web", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	c, err := NewForConfigAndClient(&rest.Config{Host: host}, shared)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resource(pods).Get(t.Context(), "web", metav1.GetOptions{}); err != nil || seen != 1 {
		t.Errorf("%v, %d requests through the shared client", err, seen)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNamespaceDoesNotChangeTheClientItNarrows(t *testing.T) {
	s := &server{answer: aPod}
	all := serve(t, s).Resource(pods)
	all.Namespace("ns")
	if _, err := all.Get(t.Context(), "web", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := s.takeLast().line; got != "GET /api/v1/pods/web" {
		t.Errorf("sent %s", got)
	}
}

func TestLegacyAPIPathResolverFunc(t *testing.T) {
	for group, want := range map[string]string{"": "/api", "apps": "/apis"} {
		if got := LegacyAPIPathResolverFunc(schema.GroupVersionKind{Group: group}); got != want {
			t.Errorf("%q: %s, want %s", group, got, want)
		}
	}
}
