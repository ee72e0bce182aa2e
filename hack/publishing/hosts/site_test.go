package hosts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"k8s.io/publisher/checksumdb"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/publishtest"
)

const siteRules = `rules:
- destination: api
  branches:
  - {name: master, source: {branch: main, dir: staging/api}}
- destination: group/Client
  branches:
  - name: master
    source: {branch: main, dir: staging/client}
    dependencies: [{repository: api, branch: master}]
`

const baseURL = "https://example.org"

// site is what publisher site has written.
type site struct {
	*publishtest.World
	publisher string // the binary
	dir, key  string
}

// newSite publishes two modules, one of which requires the other, and writes their site.
// Its checksum database has had other versions before, so that it has a tile that is full.
func newSite(t *testing.T) *site {
	t.Helper()
	root := t.TempDir()
	s := &site{World: publishtest.New(t, siteRules), publisher: filepath.Join(root, "publisher"), dir: filepath.Join(root, "site")}
	build := exec.Command("go", "build", "-o", s.publisher, "./publisher")
	build.Dir, build.Env = "../../..", append(os.Environ(), "GOWORK=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d, err := checksumdb.Open(filepath.Join(s.dir, "sumdb"), checksumdb.Options{Name: "example.org", KeyFile: s.dir + ".key"})
	s.Must(err)
	var before []checksumdb.Record
	for i := range 256 {
		hash := "h1:" + strings.Repeat("A", 43) + "="
		before = append(before, checksumdb.Record{Module: module.Version{Path: "example.com/before", Version: fmt.Sprintf("v0.0.%d", i)}, Zip: hash, GoMod: hash})
	}
	s.Must(d.Add(t.Context(), before))
	s.key = d.VerifierKey()
	s.Must(d.Close())

	for i := range 12 {
		s.release(i)
	}
	s.Publish()
	// One object of a mirror is in a file of its own.
	gittest.Git(t, s.Mirror("api"), "a loose object\n", "hash-object", "-w", "--stdin")
	s.write()
	// What a run leaves that was killed.
	for _, name := range []string{".new/1", "sumdb/.new/1", "mod/example.com/api/@v/.v0.20.0.zip123", "git/api.git/.config"} {
		s.file(name, "hidden\n")
	}
	return s
}

// release makes a source commit, and tags it.
func (s *site) release(patch int) {
	s.Helper()
	name, before := fmt.Sprint("commit ", patch), []string(nil)
	if patch > 0 {
		before = []string{fmt.Sprint("commit ", patch-1)}
	}
	s.Source.Add(name, before, func(files gittest.Files) {
		for path, file := range gittest.Archive(fmt.Sprintf(`
-- staging/api/go.mod --
module example.com/api

go 1.24
-- staging/api/api.go --
package api

const Name = %q
-- staging/api/text --
%s
-- staging/client/go.mod --
module example.com/group/Client

go 1.24

require example.com/api v0.0.0

replace example.com/api => ../api
-- staging/client/client.go --
package client

import "example.com/api"

const Name = api.Name
`, name, strings.Repeat("This is said more than once. ", 100))) {
			files[path] = file
		}
	})
	s.Source.Tag(fmt.Sprint("v1.20.", patch), s.Source.Commits[name])
	s.Source.Branch("main", s.Source.Commits[name])
}

// write runs publisher site.
func (s *site) write() {
	s.Helper()
	rules := filepath.Join(filepath.Dir(s.dir), "rules.yaml")
	s.Must(os.WriteFile(rules, []byte(siteRules), 0o666))
	out, err := exec.Command(s.publisher, "site", "--rules", rules, "--mirrors", s.Mirrors, "--out", s.dir, "--base-url", baseURL, "--docs", "../../../docs").CombinedOutput()
	if err != nil {
		s.Fatalf("publisher site: %v: %s", err, out)
	}
}

func (s *site) file(name, content string) {
	s.Helper()
	name = filepath.Join(s.dir, filepath.FromSlash(name))
	s.Must(os.MkdirAll(filepath.Dir(name), 0o777))
	s.Must(os.WriteFile(name, []byte(content), 0o666))
}

func (s *site) read(name string) string {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(name)))
	s.Must(err)
	return string(data)
}

// files are the names of all files, by what they are asked for, and those that are hidden.
func (s *site) files() (files, hidden []string) {
	s.Helper()
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := os.ReadDir(filepath.Join(s.dir, dir))
		s.Must(err)
		for _, e := range entries {
			name := filepath.ToSlash(filepath.Join(dir, e.Name()))
			info, err := os.Stat(filepath.Join(s.dir, name)) // Links are followed.
			s.Must(err)
			switch {
			case info.IsDir():
				walk(name)
			case strings.HasPrefix(name, ".") || strings.Contains(name, "/."):
				hidden = append(hidden, name)
			default:
				files = append(files, name)
			}
		}
	}
	walk(".")
	return files, hidden
}

// some are the files that each row of the table is shown by: not hundreds of the same.
func some(files []string) []string {
	seen := 0
	return slices.DeleteFunc(slices.Clone(files), func(name string) bool {
		if strings.Contains(name, "lookup/example.com/before@") {
			seen++
			return seen > 3
		}
		return false
	})
}

// mirrored is what a clone of the mirror has.
func (s *site) mirrored(destination string) string {
	s.Helper()
	return s.Git(destination, "for-each-ref", "--format=%(objectname) %(refname:lstrip=-1)", "refs/tags")
}
