package site_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/site"
)

// verify proves the site, and returns the files with which something is wrong.
func (w *world) verify(o site.VerifyOptions) (*site.Proof, []string) {
	w.Helper()
	o.Options = w.options()
	proof, err := site.Verify(w.Context(), o)
	w.Must(err)
	var bad []string
	for _, p := range proof.Problems {
		w.Log(p)
		bad = append(bad, p.File)
	}
	return proof, bad
}

func TestWrittenSiteIsProven(t *testing.T) {
	w := newWorld(t)
	head := []byte(w.read("sumdb/latest"))
	key := strings.TrimSpace(w.read("sumdb/key"))
	proof, bad := w.verify(site.VerifyOptions{})
	if len(bad) > 0 || proof.Versions != 7 || proof.Records != 7 || proof.Heads != 1 || len(proof.Behind) > 0 {
		t.Errorf("%+v", proof)
	}
	w.commit("D", 3, "C")
	w.Source.Branch("main", w.Source.Commits["D"])
	w.Source.Tag("v1.21.0", w.Source.Commits["D"])
	w.Publish()
	if proof, bad := w.verify(site.VerifyOptions{}); len(bad) > 0 || !slices.Equal(proof.Behind, []string{"api", "group/Client"}) {
		t.Errorf("%+v", proof)
	}
	w.write()
	if proof, bad = w.verify(site.VerifyOptions{Key: key, Heads: [][]byte{head}}); len(bad) > 0 || proof.Heads != 2 {
		t.Errorf("%+v", proof)
	}
	other := newWorld(t)
	if _, bad := other.verify(site.VerifyOptions{Key: key}); !slices.Contains(bad, "sumdb") {
		t.Errorf("with the key of another database: %q", bad)
	}
	if _, bad := w.verify(site.VerifyOptions{Heads: [][]byte{[]byte(other.read("sumdb/latest"))}}); !slices.Contains(bad, "sumdb") {
		t.Errorf("with the head of another database: %q", bad)
	}
}

func TestEachChangeOfTheSiteIsFound(t *testing.T) {
	w := newWorld(t)
	const api = "mod/example.com/api/"
	replace := func(old, new string) func(string) string {
		return func(text string) string { return strings.ReplaceAll(text, old, new) }
	}
	for _, test := range []struct {
		file   string
		change func(string) string // "" removes it
		bad    string              // the file that is named, if it is another one
	}{
		{file: api + "@v/v0.20.0.zip", change: replace("api.go", "ap1.go")},
		{file: api + "@v/v0.20.0.zip", change: replace("PK", "PX")},
		{file: api + "@v/v0.20.0.mod", change: replace("1.24", "1.23")},
		{file: api + "@v/v0.20.0.mod", change: replace("module", "\nmodule")},
		{file: api + "@v/v0.20.0.info", change: replace("refs/tags/v0.20.0", "refs/tags/v0.20.1")},
		{file: api + "@v/v0.20.0.info", change: replace(`"Hash":"`, `"Hash":"0`)},
		{file: api + "@v/v0.20.0.info", change: replace("{", "")},
		{file: api + "@v/v0.20.0.info", change: func(string) string { return "" }},
		{file: api + "@v/v0.20.0.zip", change: func(string) string { return "" }},
		{file: api + "@v/master.info", change: replace("refs/heads/master", "refs/heads/main")},
		{file: api + "@v/kubernetes-1.20.0.info", change: replace("v0.20.0", "v0.20.1")},
		{file: api + "@v/list", change: replace("v0.20.0\n", "")},
		{file: api + "@latest", change: replace("v0.20.1", "v0.20.0")},
		{file: "git/api.git/info/refs", change: replace("v0.20.0", "v0.20.3")},
		{file: "git/api.git/HEAD", change: replace("master", "main")},
		{file: "git/api.git/objects/info/packs", change: replace("P ", "")},
		{file: "sumdb/latest", change: replace("\n", " "), bad: "sumdb"},
		{file: "sumdb/lookup/example.com/api@v0.20.0", change: replace("h1:", "h2:"), bad: "sumdb"},
	} {
		name := filepath.Join(w.dir, filepath.FromSlash(test.file))
		was := w.read(test.file)
		now := test.change(was)
		if now == was {
			t.Errorf("%s: nothing is changed", test.file)
		}
		w.Must(os.Remove(name)) // It may be a link.
		if now != "" {
			w.Must(os.WriteFile(name, []byte(now), 0o666))
		}
		if test.bad == "" {
			test.bad = test.file
		}
		if _, bad := w.verify(site.VerifyOptions{}); !slices.Contains(bad, test.bad) {
			t.Errorf("%s was changed, and found was %q", test.file, bad)
		}
		w.Must(os.WriteFile(name, []byte(was), 0o666))
	}
	// What is too much.
	for _, file := range []string{api + "@v/v0.20.5.info", api + "@v/v0.0.0-20200101000000-0123456789ab.info", api + "@v/old.info", "mod/example.com/other/@v/list"} {
		name := filepath.Join(w.dir, filepath.FromSlash(file))
		w.Must(os.MkdirAll(filepath.Dir(name), 0o777))
		w.Must(os.WriteFile(name, []byte(w.read(api+"@v/v0.20.1.info")), 0o666))
		if _, bad := w.verify(site.VerifyOptions{}); len(bad) != 1 || !strings.HasPrefix(file, bad[0]) {
			t.Errorf("there was %s, and found was %q", file, bad)
		}
		w.Must(os.Remove(name))
		_ = os.Remove(filepath.Dir(name)) // where it is empty
	}
	if _, bad := w.verify(site.VerifyOptions{}); len(bad) > 0 {
		t.Errorf("what was mended: %q", bad)
	}
}
