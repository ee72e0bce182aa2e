package checksumdb_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/checksumdb"
	"k8s.io/publisher/modhash"
)

// consumer is a machine with a go command, a module proxy and GOSUMDB.
type consumer struct {
	testing.TB
	env []string
	dir string // of a module
}

func newConsumer(t testing.TB, proxy, db string) *consumer {
	c := &consumer{TB: t, dir: t.TempDir()}
	gopath := t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "GOROOT=") {
			c.env = append(c.env, v)
		}
	}
	c.env = append(c.env, "GOPATH="+gopath, "GOMODCACHE="+filepath.Join(gopath, "mod"), "GOFLAGS=-modcacherw", "GOWORK=off", "GOENV=off", "GOTOOLCHAIN=local",
		"GOPROXY="+proxy, "GOSUMDB="+db, "GOVCS=*:off")
	c.forget()
	return c
}

// forget removes what is not kept by the go command itself: the module, and so its go.sum.
func (c *consumer) forget() {
	c.Helper()
	os.Remove(filepath.Join(c.dir, "go.sum"))
	if err := os.WriteFile(filepath.Join(c.dir, "go.mod"), []byte("module example.com/consumer\n\ngo 1.24\n"), 0o666); err != nil {
		c.Fatal(err)
	}
}

func (c *consumer) run(args ...string) (string, error) {
	cmd := exec.CommandContext(c.Context(), "go", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// publish puts a version into a module proxy, and returns what the log is to say of it.
func publish(t testing.TB, proxy string, m module.Version, source string) checksumdb.Record {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	files := t.TempDir()
	goMod := fmt.Sprintf("module %s\n\ngo 1.24\n", m.Path)
	check(os.WriteFile(filepath.Join(files, "go.mod"), []byte(goMod), 0o666))
	check(os.WriteFile(filepath.Join(files, "code.go"), []byte(source), 0o666))
	path, err := module.EscapePath(m.Path)
	check(err)
	base := filepath.Join(proxy, path, "@v", m.Version)
	check(os.MkdirAll(filepath.Dir(base), 0o777))
	info, err := json.Marshal(map[string]string{"Version": m.Version})
	check(err)
	check(os.WriteFile(base+".info", info, 0o666))
	check(os.WriteFile(base+".mod", []byte(goMod), 0o666))
	f, err := os.Create(base + ".zip")
	check(err)
	defer f.Close()
	check(zip.CreateFromDir(f, m, files))
	r := checksumdb.Record{Module: m}
	r.Zip, err = dirhash.HashZip(base+".zip", dirhash.Hash1)
	check(err)
	r.GoMod = modhash.GoMod([]byte(goMod))
	return r
}

// The go command verifies what it downloads by the database: at its own URL, and through a
// module proxy.
func TestTheGoCommandVerifies(t *testing.T) {
	w := newWorld(t)
	site := filepath.Dir(w.dir)
	proxy := filepath.Join(site, "mod")
	var first, later []checksumdb.Record
	for i := range 3 {
		m := module.Version{Path: "example.com/Group/m", Version: fmt.Sprintf("v1.0.%d", i)}
		first = append(first, publish(t, proxy, m, fmt.Sprintf("package m\n\nconst N = %d\n", i)))
	}
	for i := range 3 {
		m := module.Version{Path: "example.com/Group/m/v2", Version: fmt.Sprintf("v2.0.%d", i)}
		later = append(later, publish(t, proxy, m, fmt.Sprintf("package m\n\nconst N = %d\n", i)))
	}
	key := w.add(append(records(0, 254), first...)...)
	d := w.open()
	if err := d.LinkInto(proxy); err != nil {
		t.Fatal(err)
	}
	w.close(d)
	server := httptest.NewServer(http.FileServerFS(os.DirFS(site)))
	defer server.Close()

	consumers := map[string]*consumer{
		"its own URL":     newConsumer(t, server.URL+"/mod", key+" "+server.URL+"/sumdb"),
		"a module proxy":  newConsumer(t, server.URL+"/mod", key),
		"a folder's link": newConsumer(t, "file://"+filepath.ToSlash(proxy), key+" file://"+filepath.ToSlash(filepath.Join(proxy, "sumdb", dbName))),
	}
	download := func(versions ...checksumdb.Record) {
		t.Helper()
		for name, c := range consumers {
			for _, r := range versions {
				c.forget()
				out, err := c.run("get", r.Module.Path+"@"+r.Module.Version)
				if err != nil {
					t.Fatalf("through %s: %v\n%s", name, err, out)
				}
				sum, err := os.ReadFile(filepath.Join(c.dir, "go.sum"))
				if err != nil || string(sum) != text(r) {
					t.Errorf("through %s, go.sum is %q: %v", name, sum, err)
				}
			}
		}
	}
	download(first[0])
	w.add(later...)
	consumers["a new machine"] = newConsumer(t, server.URL+"/mod", key)
	download(first[1], later[0])

	// Now one byte of a zip, in whose place there is another zip.
	forged := later[1].Module
	publish(t, proxy, forged, "package m\n\nconst N = 7\n")
	tampered := map[string]checksumdb.Record{"checksum mismatch": later[1]}
	// A version that the log does not have.
	unknown := publish(t, proxy, module.Version{Path: "example.com/Group/m", Version: "v1.1.0"}, "package m\n")
	tampered["404 Not Found"] = unknown
	for want, r := range tampered {
		for _, name := range []string{"its own URL", "a module proxy", "a new machine"} {
			c := consumers[name]
			c.forget()
			out, err := c.run("get", r.Module.Path+"@"+r.Module.Version)
			if err == nil || !strings.Contains(out, want) {
				t.Errorf("of %v, through %s, the go command says %v\n%s", r.Module, name, err, out)
			}
		}
	}

	// In two steps, each module is verified by the database that has it: this one, and then
	// another one, which must not be asked.
	c := newConsumer(t, server.URL+"/mod", key)
	for _, r := range []checksumdb.Record{later[1], first[2]} {
		out, err := c.run("mod", "download", r.Module.Path+"@"+r.Module.Version)
		if failed := err != nil; failed != (r == later[1]) {
			t.Errorf("go mod download %v: %v\n%s", r.Module, err, out)
		}
	}
	c.env = append(c.env, "GOSUMDB=other.example.org+0c1f2a5b+AQ "+server.URL+"/none", "GONOSUMDB="+first[2].Module.Path)
	if out, err := c.run("get", first[2].Module.Path+"@"+first[2].Module.Version); err != nil {
		t.Errorf("with another database: %v\n%s", err, out)
	}

	// A tile, a lookup, and the head in it.
	fresh := func() string {
		out, err := newConsumer(t, server.URL+"/mod", key).run("get", later[2].Module.Path+"@"+later[2].Module.Version)
		if err == nil {
			return "nothing"
		}
		return out
	}
	name, err := checksumdb.LookupPath(later[2].Module)
	if err != nil {
		t.Fatal(err)
	}
	lookup := string(w.read(name))
	last := strings.LastIndexByte(strings.TrimRight(lookup, "=\n"), '\n') + len("— "+dbName+" ") + 20
	for what, damage := range map[string]struct {
		file string
		at   int
	}{
		"tile": {"tile/8/0/001.p/4", 5}, "lookup": {name, strings.Index(lookup, "h1:") + 5}, "head": {name, last},
	} {
		content := w.read(damage.file)
		damaged := []byte(string(content))
		damaged[damage.at] ^= 1
		write := func(data []byte) {
			if err := os.WriteFile(filepath.Join(w.dir, damage.file), data, fs.FileMode(0o666)); err != nil {
				t.Fatal(err)
			}
		}
		write(damaged)
		if said := fresh(); !strings.Contains(said, "verifying") {
			t.Errorf("of a byte that was changed in a %s, a new machine says %s", what, said)
		}
		write(content)
	}
	if said := fresh(); said != "nothing" {
		t.Errorf("with nothing changed, a new machine says %s", said)
	}
}
