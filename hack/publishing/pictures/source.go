package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// rulesFile is what is published of the source: three modules, of which each needs those
// before it.
const rulesFile = `rules:
- destination: api
  branches:
  - {name: master, source: {branch: main, dir: staging/api}}
  - {name: release-1.35, source: {branch: release-1.35, dir: staging/api}}
- destination: client
  branches:
  - name: master
    source: {branch: main, dir: staging/client}
    dependencies: [{repository: api, branch: master}]
  - name: release-1.35
    source: {branch: release-1.35, dir: staging/client}
    dependencies: [{repository: api, branch: release-1.35}]
- destination: controller
  branches:
  - name: master
    source: {branch: main, dir: staging/controller}
    dependencies: [{repository: api, branch: master}, {repository: client, branch: master}]
  - name: release-1.35
    source: {branch: release-1.35, dir: staging/controller}
    dependencies: [{repository: api, branch: release-1.35}, {repository: client, branch: release-1.35}]
`

// step is a commit of the source.
type step struct {
	branch, author, subject string
	// files are those that it writes, in the folder with the modules.
	files map[string]string
	// merge is a branch that it merges.
	merge string
	// tag is the release that it is.
	tag string
	// fork is a branch that begins here: with this commit where it is the branch of the
	// commit itself, and otherwise behind it.
	fork string
}

const ada, bo, chen = "Ada Example", "Bo Beispiel", "Chen Li"

// history is that of the source, the oldest commit first.
var history = []step{
	{branch: "main", author: ada, subject: "api: pools and their nodes", files: map[string]string{
		"api/go.mod":  goMod("api"),
		"api/pool.go": pool("Nodes []string"),
	}},
	{branch: "main", author: ada, subject: "client: reads and writes pools", files: map[string]string{
		"client/go.mod":    goMod("client", "api"),
		"client/client.go": client(list),
	}},
	{branch: "main", author: bo, subject: "docs: how to start", files: map[string]string{"../README.md": "# Example\n"}},
	{branch: "topic", author: chen, subject: "controller: finds pools without nodes", files: map[string]string{
		"controller/go.mod":        goMod("controller", "api", "client"),
		"controller/controller.go": controller("len(p.Nodes) == 0"),
	}, fork: "topic"},
	{branch: "main", author: ada, subject: "Merge pull request #12 from chen/controller", merge: "topic", tag: "v1.35.0", fork: "release-1.35"},
	{branch: "main", author: chen, subject: "api: a pool has a size", files: map[string]string{"api/pool.go": pool("Nodes []string", "Size  int")}},
	{branch: "release-1.35", author: bo, subject: "client: pools can be counted", files: map[string]string{"client/client.go": client(list, count)}, tag: "v1.35.1"},
	{branch: "main", author: bo, subject: "client: pools can be counted", files: map[string]string{"client/client.go": client(list, count)}},
	{branch: "main", author: chen, subject: "controller: finds pools that are too small", files: map[string]string{"controller/controller.go": controller("len(p.Nodes) < p.Size")}, tag: "v1.36.0"},
	{branch: "main", author: ada, subject: "api: a pool has an owner", files: map[string]string{"api/pool.go": pool("Nodes []string", "Size  int", "Owner string")}},
	{branch: "main", author: chen, subject: "controller: finds pools that are too large", files: map[string]string{"controller/controller.go": controller("len(p.Nodes) != p.Size")}, tag: "v1.36.1"},
	{branch: "main", author: bo, subject: "client: says which pool is missing", files: map[string]string{"client/client.go": client(list, count, missing)}},
}

// began is when the first commit was made. Each took a day.
var began = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func when(step int) time.Time { return began.AddDate(0, 0, step) }

// published is how much of the history is there when the session begins.
const published = 9

// makeSource makes the source, with its rules, and publishes the beginning of it.
func (w *world) makeSource(ctx context.Context) error {
	if err := os.Mkdir(w.dir, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(w.dir, "rules.yaml"), []byte(rulesFile), 0o666); err != nil {
		return err
	}
	const earlier = "../earlier"
	if err := w.importHistory(ctx, earlier, history[:published]); err != nil {
		return err
	}
	if _, err := w.run(w.command(ctx, w.publisher, "sync", "--source", earlier)); err != nil {
		return err
	}
	return w.importHistory(ctx, ".", history)
}

// importHistory makes a repository with a history.
func (w *world) importHistory(ctx context.Context, dir string, history []step) error {
	if _, err := w.run(w.command(ctx, "git", "init", "--quiet", "--initial-branch=main", dir)); err != nil {
		return err
	}
	imported := w.command(ctx, "git", "-C", dir, "fast-import", "--quiet")
	imported.Stdin = strings.NewReader(stream(history))
	_, err := w.run(imported)
	return err
}

// stream is the input of git fast-import that makes a history.
func stream(history []step) string {
	var out strings.Builder
	data := func(text string) { fmt.Fprintf(&out, "data %d\n%s\n", len(text), text) }
	for i, s := range history {
		who := fmt.Sprintf("%s <%s@example.org> %d +0000", s.author, strings.ToLower(strings.Fields(s.author)[0]), when(i).Unix())
		if s.branch == s.fork {
			fmt.Fprintf(&out, "reset refs/heads/%s\nfrom refs/heads/main\n\n", s.fork)
		}
		fmt.Fprintf(&out, "commit refs/heads/%s\nmark :%d\nauthor %s\ncommitter %s\n", s.branch, i+1, who, who)
		data(s.subject + "\n")
		if s.merge != "" {
			// The files of the branch that is merged are those that it wrote.
			fmt.Fprintf(&out, "merge refs/heads/%s\n", s.merge)
			for _, other := range history[:i] {
				if other.branch == s.merge {
					s.files = other.files
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.files)) {
			fmt.Fprintf(&out, "M 100644 inline %s\n", path.Join("staging", name))
			data(s.files[name])
		}
		if s.tag != "" {
			fmt.Fprintf(&out, "tag %s\nfrom :%d\ntagger %s\n", s.tag, i+1, who)
			data("Release " + s.tag + "\n")
		}
		if s.fork != "" && s.fork != s.branch {
			fmt.Fprintf(&out, "reset refs/heads/%s\nfrom :%d\n\n", s.fork, i+1)
		}
	}
	return out.String()
}

// goMod is the go.mod of a module that needs others, as a monorepo has it.
func goMod(module string, needs ...string) string {
	text := "module example.org/" + module + "\n\ngo 1.25\n"
	for _, n := range needs {
		text += fmt.Sprintf("\nrequire example.org/%s v0.0.0\n\nreplace example.org/%[1]s => ../%[1]s\n", n)
	}
	return text
}

func pool(fields ...string) string {
	return "// Package api has the types of the API.\npackage api\n\n// Pool is a number of nodes.\ntype Pool struct {\n\tName string\n\t" +
		strings.Join(fields, "\n\t") + "\n}\n"
}

func client(more ...string) string {
	return `// Package client reads and writes pools.
package client

import "example.org/api"

// Client keeps pools.
type Client struct{ pools map[string]*api.Pool }

// Get returns a pool; nil where there is none.
func (c *Client) Get(name string) *api.Pool { return c.pools[name] }
` + strings.Join(more, "")
}

const (
	list = `
// List returns all pools.
func (c *Client) List() (all []*api.Pool) {
	for _, p := range c.pools {
		all = append(all, p)
	}
	return all
}
`
	count = `
// Len is how many pools there are.
func (c *Client) Len() int { return len(c.pools) }
`
	missing = `
// MissingError says that there is no pool of a name.
type MissingError struct{ Name string }

func (e *MissingError) Error() string { return "there is no pool " + e.Name }
`
)

func controller(condition string) string {
	return `// Package controller keeps pools at their size.
package controller

import (
	"example.org/api"
	"example.org/client"
)

// due tells whether a pool is not as large as it should be.
func due(p *api.Pool) bool { return ` + condition + ` }

// Due returns the names of pools that are not as large as they should be.
func Due(c *client.Client) (names []string) {
	for _, p := range c.List() {
		if due(p) {
			names = append(names, p.Name)
		}
	}
	return names
}
`
}
