package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// key names a row where others refer to it.
type key string

const (
	revList     key = "rev-list"
	filterRepo  key = "filter-repo"
	splitsh     key = "splitsh-lite"
	subtree     key = "subtree"
	planOne     key = "plan one"
	syncOne     key = "sync one"
	fromNothing key = "from nothing"
	nothingNew  key = "nothing new"
	tenNew      key = "ten new"
	remotes     key = "remotes"
	verify      key = "verify"

	smallRevList    key = "small rev-list"
	smallNothingNew key = "small nothing new"
	smallTenNew     key = "small ten new"
)

// row is one line of the table: a command, and the state it starts from.
type row struct {
	key     key
	title   string
	runs    int
	timeout time.Duration
	// prepare puts the starting state into a fresh place, unmeasured.
	prepare func(ctx context.Context, p place) error
	args    func(p place) []string
}

// place is the directory in which a run happens. It has the same path in
// every run, should a command keep paths in its state.
type place string

func (p place) source() string  { return filepath.Join(string(p), "source.git") }
func (p place) mirrors() string { return filepath.Join(string(p), "mirrors") }
func (p place) remotes() string { return filepath.Join(string(p), "remotes") }

// env gives commands a cache of their own that is part of the state.
func (p place) env() []string {
	return []string{"XDG_CACHE_HOME=" + filepath.Join(string(p), "cache")}
}

// tool is a peer that may not be installed.
type tool struct {
	key     key
	name    string
	present func() bool
	install string
}

var tools = []tool{
	{filterRepo, "git-filter-repo", func() bool { return onPath("git-filter-repo") }, "apt-get install git-filter-repo"},
	{subtree, "git subtree", func() bool {
		out, err := exec.Command("git", "--exec-path").Output()
		return err == nil && onPath(filepath.Join(strings.TrimSpace(string(out)), "git-subtree"))
	}, "apt-get install git, which has it on Debian; elsewhere git-subtree"},
	{splitsh, "splitsh-lite", func() bool { return onPath("splitsh-lite") },
		"no package: build github.com/splitsh/lite with the libgit2 that it asks for (apt-get install libgit2-dev)"},
}

func onPath(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// peerRows are the tools that others split directories with.
func peerRows(s subject, runs int) []row {
	ref := "refs/heads/" + s.branch
	bareClone := func(ctx context.Context, p place) error {
		return runQuietly(ctx, "git", "clone", "-q", "--bare", "--local", s.source, p.source())
	}
	rows := []row{
		{
			key: revList, title: "`git rev-list --parents`, one directory", runs: runs,
			args: func(place) []string {
				return []string{"git", "-C", s.source, "rev-list", "--parents", ref, "--", s.dir}
			},
		},
		{
			key: filterRepo, title: "`git-filter-repo`, one directory", runs: runs,
			prepare: bareClone,
			args: func(p place) []string {
				return []string{"git", "-C", p.source(), "filter-repo", "--quiet", "--force", "--subdirectory-filter", s.dir, "--refs", ref}
			},
		},
		{
			key: splitsh, title: "`splitsh-lite`, one directory", runs: runs,
			prepare: bareClone,
			args: func(p place) []string {
				return []string{"splitsh-lite", "--path=" + p.source(), "--prefix=" + s.dir, "--origin=" + ref, "--scratch", "--quiet"}
			},
		},
		{
			key: subtree, title: "`git subtree split`, one directory", runs: 1, timeout: 10 * time.Minute,
			prepare: func(ctx context.Context, p place) error {
				return runQuietly(ctx, "git", "clone", "-q", "--local", "--branch", s.branch, s.source, p.source())
			},
			args: func(p place) []string {
				return []string{"git", "-C", p.source(), "subtree", "split", "-q", "-P", s.dir, s.branch}
			},
		},
	}
	return slices.DeleteFunc(rows, func(r row) bool {
		missing := slices.ContainsFunc(tools, func(t tool) bool { return t.key == r.key && !t.present() })
		return missing || r.key == subtree && !s.subtree
	})
}

// ours makes the publisher's command lines.
type ours struct{ binary string }

func (o ours) run(verb, rules string, p place, more ...string) []string {
	args := []string{o.binary, verb, "--rules", rules, "--source", p.source(), "--mirrors", p.mirrors()}
	if verb == "sync" {
		args = append(args, "--consumers", "none") // None of the peers builds anything.
	}
	return append(args, more...)
}

// empty starts from a source and no mirror.
func empty(s subject) func(context.Context, place) error {
	return func(ctx context.Context, p place) error {
		if err := os.MkdirAll(p.mirrors(), 0o755); err != nil {
			return err
		}
		return s.link(ctx, p.source())
	}
}

// synced starts from mirrors that have everything, as saved.
func synced(s subject, saved string) func(context.Context, place) error {
	return func(ctx context.Context, p place) error {
		if err := runQuietly(ctx, "cp", "-a", saved+"/.", string(p)); err != nil {
			return err
		}
		return s.link(ctx, p.source())
	}
}

// pushed adds remotes that have everything, too.
func pushed(s subject, saved string) func(context.Context, place) error {
	return func(ctx context.Context, p place) error {
		if err := synced(s, saved)(ctx, p); err != nil {
			return err
		}
		return runQuietly(ctx, "cp", "-a", p.mirrors(), p.remotes())
	}
}

// syncedWithNews adds what is new.
func syncedWithNews(s subject, saved string) func(context.Context, place) error {
	return func(ctx context.Context, p place) error {
		if err := synced(s, saved)(ctx, p); err != nil {
			return err
		}
		return s.addNews(ctx, p.source())
	}
}

func (o ours) rows(s subject, saved string, runs int) []row {
	return []row{
		{
			key: planOne, title: "publisher plan, one directory", runs: runs, prepare: empty(s),
			args: func(p place) []string { return o.run("plan", s.rulesOne, p, "-o", "json") },
		},
		{
			key: syncOne, title: "publisher sync, one directory", runs: runs, prepare: empty(s),
			args: func(p place) []string { return o.run("sync", s.rulesOne, p) },
		},
		{
			key: fromNothing, title: "publisher sync, everything from nothing", runs: runs, prepare: empty(s),
			args: func(p place) []string { return o.run("sync", s.rules, p) },
		},
		{
			key: nothingNew, title: "publisher sync, nothing new", runs: runs, prepare: synced(s, saved),
			args: func(p place) []string { return o.run("sync", s.rules, p) },
		},
		{
			key: remotes, title: "publisher sync --push, nothing new, a remote for each mirror", runs: runs, prepare: pushed(s, saved),
			args: func(p place) []string {
				return o.run("sync", s.rules, p, "--push", "--remote", "file://"+p.remotes()+"/{{.Destination}}/mirror.git")
			},
		},
		{
			key: tenNew, title: "publisher sync, ten new commits", runs: runs, prepare: syncedWithNews(s, saved),
			args: func(p place) []string { return o.run("sync", s.rules, p) },
		},
		{
			key: verify, title: "publisher verify, everything", runs: min(runs, 3), prepare: synced(s, saved),
			args: func(p place) []string { return o.run("verify", s.rules, p) },
		},
	}
}

// smallRows are for how cost grows with history.
func smallRows(s subject, runs int) []row {
	r := peerRows(s, runs)[0]
	r.key, r.title = smallRevList, r.title+", a quarter of the source"
	return []row{r}
}

func (o ours) smallRows(s subject, saved string, runs int) (rows []row) {
	for _, r := range o.rows(s, saved, runs) {
		switch r.key {
		case nothingNew:
			r.key = smallNothingNew
		case tenNew:
			r.key = smallTenNew
		default:
			continue
		}
		r.title += ", a quarter of the source"
		rows = append(rows, r)
	}
	return rows
}
