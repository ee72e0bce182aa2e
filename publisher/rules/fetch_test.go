package rules_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/rules"
)

func TestRulesAtAURLAreThoseInAFile(t *testing.T) {
	const text = "rules:\n- destination: a\n  branches:\n  - name: master\n    source: {branch: main, dir: a}\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/rules.yaml":
			w.Write([]byte(text))
		case "/moved":
			http.Redirect(w, r, "/rules.yaml", http.StatusFound)
		case "/invalid":
			w.Write([]byte("rules: x"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{file, server.URL + "/rules.yaml", server.URL + "/moved"} {
		r, err := rules.LoadOrFetch(t.Context(), place)
		if err != nil || r.Rule("a") == nil {
			t.Errorf("%s: %v, %v", place, r, err)
		}
	}
	withPassword := strings.Replace(server.URL, "http://", "http://user:sesame@", 1)
	for place, want := range map[string]string{
		withPassword + "/nothing":          "the server answers 404",
		withPassword + "/invalid":          "/invalid:1",
		"http://user:sesame@127.0.0.1:1/x": "connection refused",
		"http://user:sesame@%zz":           "malformed",
		file + "/nothing":                  "not a directory",
	} {
		_, err := rules.LoadOrFetch(t.Context(), place)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v, want %s", place, err, want)
		}
	}
}
