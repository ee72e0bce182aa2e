package site_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/publishtest"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/site"
)

// twoModules are an api and a client that requires it.
const twoModules = `rules:
- destination: api
  branches:
  - {name: master, source: {branch: main, dir: staging/api}}
- destination: group/Client
  branches:
  - name: master
    source: {branch: main, dir: staging/client}
    dependencies: [{repository: api, branch: master}]
`

// world is a site that is served by a file server which knows nothing of it.
type world struct {
	*publishtest.World
	dir    string
	server *httptest.Server
}

// newWorld makes a source with two releases and a commit after them, publishes it, and
// writes the site.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: publishtest.New(t, twoModules), dir: filepath.Join(t.TempDir(), "site")}
	w.commit("A", 0)
	w.Source.Tag("v1.20.0", w.Source.Commits["A"])
	w.commit("B", 1, "A")
	w.Source.Tag("v1.20.1", w.Source.Commits["B"])
	w.commit("C", 2, "B")
	w.Source.Branch("main", w.Source.Commits["C"])
	w.Publish()
	w.server = httptest.NewServer(http.FileServer(http.Dir(w.dir)))
	t.Cleanup(w.server.Close)
	w.write()
	return w
}

// commit makes a source commit in which both modules say a number.
func (w *world) commit(name string, number int, parents ...string) {
	w.Helper()
	w.Source.Add(name, parents, func(files gittest.Files) {
		for path, file := range gittest.Archive(fmt.Sprintf(`
-- staging/api/go.mod --
module example.com/api

go 1.24
-- staging/api/api.go --
package api

const Number = %d
-- staging/api/unicode-é.txt --
é
-- staging/api/empty --
-- staging/client/go.mod --
module example.com/group/Client

go 1.24

require example.com/api v0.0.0

replace example.com/api => ../api
-- staging/client/client.go --
package client

import "example.com/api"

const Number = api.Number
`, number)) {
			files[path] = file
		}
	})
}

func (w *world) options() site.Options {
	w.Helper()
	set, err := rules.Parse("rules.yaml", []byte(w.Rules))
	w.Must(err)
	return site.Options{Dir: w.dir, KeyFile: w.dir + ".key", Mirrors: w.Mirrors, Rules: set, BaseURL: w.server.URL}
}

// write brings the site up to date.
func (w *world) write() *site.Report {
	w.Helper()
	r, err := site.Write(w.Context(), w.options())
	w.Must(err)
	return r
}

// consumer is a go command that knows the site, and nothing else.
func (w *world) consumer(env ...string) *publishtest.GoCommand {
	w.Helper()
	key := strings.TrimSpace(w.read("sumdb/key"))
	g := publishtest.NewGo(w, append([]string{"GOPROXY=" + w.server.URL + "/mod", "GOSUMDB=" + key + " " + w.server.URL + "/sumdb"}, env...)...)
	g.Write("go.mod", "module consumer\n\ngo 1.24\n")
	g.Write("main.go", "package main\n\nimport \"example.com/group/Client\"\n\nfunc main() { println(client.Number) }\n")
	return g
}

func (w *world) read(name string) string {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(name)))
	w.Must(err)
	return string(data)
}

// files are all files of the site by name, with what they hold.
func (w *world) files() map[string]string {
	w.Helper()
	files := make(map[string]string)
	w.Must(filepath.WalkDir(w.dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(w.dir, name)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	}))
	return files
}
