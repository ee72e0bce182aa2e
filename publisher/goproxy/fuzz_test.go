package goproxy_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"k8s.io/publisher/goproxy"
)

// asked is an upstream that has nothing, and makes sure that it is asked for what there can be.
type asked struct{ testing.TB }

func (a asked) File(_ context.Context, path, version, ext string) (string, error) {
	if _, err := module.EscapePath(path); err != nil {
		a.Errorf("the upstream is asked for the module %q: %v", path, err)
	}
	if _, err := module.EscapeVersion(version); ext != "" && err != nil || !slices.Contains([]string{"", ".info", ".mod", ".zip"}, ext) ||
		ext == "" && version != "list" && version != "@latest" {
		a.Errorf("the upstream is asked for %q of %q", ext, version)
	}
	return "", &goproxy.UnknownError{Path: path, Version: version, Err: os.ErrNotExist}
}

// Whatever path is asked for, what comes out is a file of a module below the folder, that
// has this name, or nothing.
func FuzzServedPath(f *testing.F) {
	root := f.TempDir()
	dir := filepath.Join(root, "proxy")
	for _, name := range []string{"../secret", "../other/@v/list", "secret", "example.com/!group/m/@v/list", "example.com/!group/m/@v/v1.0.0.info", "example.com/!group/m/@latest", "example.com/m/@v/master.info"} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(name), 0o666); err != nil {
			f.Fatal(err)
		}
	}
	for _, path := range []string{"/example.com/!group/m/@v/list", "/example.com/!group/m/@latest", "/example.com/!group/m/@v/v1.0.0.info", "/example.com/Group/m/@v/list", "/example.com/m/@v/master.info",
		"/../other/@v/list", "/example.com/../../other/@v/list", "/secret", "/example.com/m/@v/../../../secret.info", "/example.com/m/@v/%2e%2e.info", "/example.com/none/@v/v1.0.0.zip", "/@v/list", "/a.b/@v/list/", "/\\/@latest"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !strings.HasPrefix(path, "/") {
			return // There is no such request.
		}
		s := &goproxy.Server{Dir: dir, Upstream: asked{t}}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200:
			// Each file says where it is.
			is, err := filepath.Rel(dir, w.Body.String())
			if err != nil || "/"+filepath.ToSlash(is) != path || !strings.Contains(path, "/@") {
				t.Errorf("%q is answered with %q", path, w.Body)
			}
		case 301, 400, 404:
			if strings.Contains(w.Body.String(), root) {
				t.Errorf("%q tells where the files are: %q", path, w.Body)
			}
		default:
			t.Errorf("%q: %d: %s", path, w.Code, w.Body)
		}
	})
}
