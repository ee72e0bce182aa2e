package testing_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	utiltesting "k8s.io/client-go/util/testing"
)

// A report keeps what checks report.
type report struct{ errors, logs []string }

func (r *report) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *report) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func post(t *testing.T, handler http.Handler, path, body string) (int, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	response, err := http.Post(server.URL+path, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestHandlerReportsWhatIsNotAsExpected(t *testing.T) {
	body, other := "hello", "goodbye"
	for name, c := range map[string]struct {
		path, method string
		body         *string
		want         string // in the only error, "" for none
	}{
		"as expected":   {path: "/a/b?x=y", method: "POST", body: &body},
		"any body":      {path: "/a/b?x=y", method: "POST"},
		"another path":  {path: "/a?x=y", method: "POST", want: `path "/a/b", expected: "/a"`},
		"another query": {path: "/a/b", method: "POST", want: "Unexpected query"},
		"no URL":        {path: "%%", method: "POST", want: "Couldn't parse"},
		"method":        {path: "/a/b?x=y", method: "GET", want: `"POST", expected: "GET"`},
		"body":          {path: "/a/b?x=y", method: "POST", body: &other, want: "goodbye"},
	} {
		t.Run(name, func(t *testing.T) {
			handler := &utiltesting.FakeHandler{StatusCode: 201, ResponseBody: "welcome", T: t}
			if status, text := post(t, handler, "/a/b?x=y", body); status != 201 || text != "welcome" {
				t.Errorf("the answer was %d %q", status, text)
			}
			var got report
			handler.ValidateRequest(&got, c.path, c.method, c.body)
			handler.ValidateRequestCount(t, 1)
			if len(got.logs) > 0 {
				t.Errorf("logged %q", got.logs)
			}
			if c.want == "" && len(got.errors) == 0 {
				return
			}
			if len(got.errors) != 1 || c.want == "" || !strings.Contains(got.errors[0], c.want) {
				t.Errorf("reported %q, want %q", got.errors, c.want)
			}
		})
	}
}

func TestHandlerCountsWhatIsNotSkipped(t *testing.T) {
	handler := &utiltesting.FakeHandler{StatusCode: 200, SkipRequestFn: func(verb string, url url.URL) bool {
		return verb == "POST" && url.Path == "/skipped"
	}}
	post(t, handler, "/skipped", "")
	var got report
	post(t, handler, "/counted", "")
	handler.SetResponseBody("new")
	if _, text := post(t, handler, "/counted", ""); text != "new" {
		t.Errorf("the answer was %q", text)
	}
	if handler.ValidateRequestCount(&got, 1) || len(got.errors) != 1 {
		t.Errorf("two requests pass for one: %q", got.errors)
	}
	if !handler.ValidateRequestCount(&got, 2) {
		t.Error("two requests do not pass for two")
	}
	handler.ValidateRequest(&got, "/counted", "POST", nil)
	if len(got.logs) != 1 {
		t.Errorf("logged %q, want a note that only the last request was checked", got.logs)
	}
}

func TestHandlerWithoutARequestSaysSo(t *testing.T) {
	var got report
	new(utiltesting.FakeHandler).ValidateRequest(&got, "/a", "GET", nil)
	if len(got.errors) != 1 || !strings.Contains(got.errors[0], "nil request") {
		t.Errorf("reported %q", got.errors)
	}
}

func TestOpenAPIServerServesTheFilesByTheirPaths(t *testing.T) {
	dir := t.TempDir()
	for path, title := range map[string]string{"api/v1.json": "core", "apis/apps/v1.json": "apps", "apis/README": "none"} {
		file := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"openapi":"3.0.0","info":{"title":%q,"version":"v1"},"paths":{}}`, title)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	server, err := utiltesting.NewFakeOpenAPIV3Server(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer server.HttpServer.Close()
	if len(server.ServedDocuments) != 2 || server.ServedDocuments["apis/apps/v1"].Info.Title != "apps" {
		t.Errorf("documents %v", server.ServedDocuments)
	}
	for path, want := range map[string]string{
		"/openapi/v3":              `"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1?hash=`,
		"/openapi/v3/apis/apps/v1": `"title":"apps"`,
	} {
		response, err := http.Get(server.HttpServer.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is %s, want it to have %s", path, text, want)
		}
		if server.RequestCounters[path] != 1 {
			t.Errorf("%s was counted %d times", path, server.RequestCounters[path])
		}
	}
}

func TestOpenAPIServerWithoutItsFilesIsAnError(t *testing.T) {
	_, err := utiltesting.NewFakeOpenAPIV3Server(filepath.Join(t.TempDir(), "nowhere"))
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got error %v", err)
	}
}

func TestTemporaryFilesAreRemoved(t *testing.T) {
	dir := utiltesting.MkTmpdirOrDie("utiltesting")
	defer os.RemoveAll(dir)
	if !strings.HasPrefix(filepath.Base(dir), "utiltesting") {
		t.Errorf("directory %s", dir)
	}
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	utiltesting.CloseAndRemove(t, file)
	left, err := os.ReadDir(dir)
	if err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() == "file" }) {
		t.Errorf("left are %v, %v", left, err)
	}
}
