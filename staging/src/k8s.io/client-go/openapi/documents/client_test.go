package documents_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi/documents"
	restclient "k8s.io/client-go/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newClient returns a client of a server whose paths are below prefix.
func newClient(t *testing.T, prefix string, served map[string]string) (documents.Client, *[]string) {
	asked := new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		query.Del("timeout")
		*asked = append(*asked, r.URL.Path+"?"+query.Encode()+" "+r.Header.Get("Accept"))
		body, ok := served[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	client, err := discovery.NewDiscoveryClientForConfig(&restclient.Config{Host: s.URL + prefix})
	if err != nil {
		t.Fatal(err)
	}
	return client.OpenAPIV3(), asked
}

const root = `{"paths":{
	"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=1%2F2"},
	"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1"},
	"elsewhere":{"serverRelativeURL":"/other/place?hash=3"},
	"proxied":{"serverRelativeURL":"/proxy/cluster/openapi/v3/proxied"}}}`

func TestDocumentsAreFetchedFromWhereTheRootSays(t *testing.T) {
	for _, prefix := range []string{"", "/proxy/cluster"} {
		client, asked := newClient(t, prefix, map[string]string{
			prefix + "/openapi/v3":              root,
			prefix + "/openapi/v3/api/v1":       "core",
			prefix + "/openapi/v3/apis/apps/v1": "apps",
			prefix + "/other/place":             "other",
			"/proxy/cluster/openapi/v3/proxied": "proxied",
		})
		paths, err := client.Paths()
		if err != nil || len(paths) != 4 {
			t.Fatalf("got %v, %v", paths, err)
		}
		for path, want := range map[string]struct{ url, body, request string }{
			"api/v1":       {"/openapi/v3/api/v1?hash=1%2F2", "core", prefix + "/openapi/v3/api/v1?hash=1%2F2 application/json"},
			"apis/apps/v1": {"/openapi/v3/apis/apps/v1", "apps", prefix + "/openapi/v3/apis/apps/v1? application/json"},
			"elsewhere":    {"/other/place?hash=3", "other", prefix + "/other/place?hash=3 application/json"},
			"proxied":      {"/proxy/cluster/openapi/v3/proxied", "proxied", "/proxy/cluster/openapi/v3/proxied? application/json"},
		} {
			*asked = nil
			body, err := paths[path].Schema("application/json")
			if err != nil || string(body) != want.body || paths[path].ServerRelativeURL() != want.url {
				t.Errorf("%s: got %q, %v from %s", path, body, err, paths[path].ServerRelativeURL())
			}
			if len(*asked) != 1 || (*asked)[0] != want.request {
				t.Errorf("%s: asked for %q, want %q", path, *asked, want.request)
			}
		}
	}
}

func TestFormOfADocumentIsTheOneThatIsAskedFor(t *testing.T) {
	client, asked := newClient(t, "", map[string]string{"/openapi/v3": root, "/openapi/v3/api/v1": "core"})
	paths, err := client.Paths()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := paths["api/v1"].Schema(documents.ContentTypeOpenAPIV3PB); err != nil {
		t.Error(err)
	}
	if last := (*asked)[len(*asked)-1]; !strings.HasSuffix(last, " "+documents.ContentTypeOpenAPIV3PB) {
		t.Errorf("asked for %q", last)
	}
}

func TestServerWithoutOpenAPIV3(t *testing.T) {
	client, _ := newClient(t, "", nil)
	if paths, err := client.Paths(); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, %v", paths, err)
	}
}

func TestMalformedRootIsAnError(t *testing.T) {
	client, _ := newClient(t, "", map[string]string{"/openapi/v3": `{"paths":`})
	if paths, err := client.Paths(); err == nil || !strings.Contains(err.Error(), "/openapi/v3") {
		t.Errorf("got %v, %v", paths, err)
	}
	client, _ = newClient(t, "", map[string]string{"/openapi/v3": `{"paths":{"x":{"serverRelativeURL":"/openapi/v3/%zz"}}}`})
	paths, err := client.Paths()
	if err != nil {
		t.Fatal(err)
	}
	if body, err := paths["x"].Schema("application/json"); err == nil {
		t.Errorf("got %q", body)
	}
}
