package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// repository is a mirror as its files have it. Git shows whoever clones it more
// than objects and refs: settings hide refs, a graft gives a commit other
// parents, HEAD decides what is checked out. So a mirror may have only such
// files and settings as cannot do that, or as are checked.
type repository struct {
	dir string
	// view is a repository of our own with the mirror's objects, and refs to all
	// that the mirror's refs name. What git is asked, it is asked there, where
	// nothing in the mirror directs it.
	view string
	// head is what HEAD says.
	head string
	refs map[string]object.ID
	// peeled has the IDs of packed-refs' lines for tags, zero where a ref that
	// packed-refs vouches for has no such line.
	peeled map[string]object.ID
	// problems are what is wrong whatever the mirror should have.
	problems []Mismatch
}

// openRepository reads a mirror. view does not exist yet. The error is this
// machine's.
func openRepository(ctx context.Context, dir, view string) (*repository, error) {
	r := &repository{dir: dir, view: view, refs: make(map[string]object.ID), peeled: make(map[string]object.ID)}
	for _, step := range []func() error{r.list, func() error { return r.settings(ctx) }, r.hooks, r.readHead, r.readLoose, r.readPacked} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := git.Init(view, r.objectsDir()); err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	for i, ref := range slices.Sorted(maps.Keys(r.refs)) {
		// Names are ours: the mirror's may be such as git refuses.
		fmt.Fprintf(&packed, "%s refs/mirror/%d\n", r.refs[ref], i)
	}
	return r, os.WriteFile(filepath.Join(view, "packed-refs"), packed.Bytes(), 0o666)
}

func (r *repository) objectsDir() string { return filepath.Join(r.dir, "objects") }

func (r *repository) problem(format string, args ...any) {
	r.problems = append(r.problems, Mismatch{Kind: Unsound, Detail: fmt.Sprintf(format, args...)})
}

// read returns the content of a file of the mirror; nil where there is none.
func (r *repository) read(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// ordinary are the files that git and the publisher keep in a bare repository,
// by folder. Those without a folder here hold nothing, or are read elsewhere.
var ordinary = []struct {
	dir   string
	names []string
}{
	{"", []string{
		"HEAD", "config", "packed-refs", "refs", "objects", "info", "description", "hooks", "branches", "logs",
		"packed-refs.new", "FETCH_HEAD", "ORIG_HEAD", "gc.log", "gc.pid", "git-daemon-export-ok", "*.lock",
	}},
	{"info", []string{"exclude", "refs", "refs_*"}},
	{"branches", nil},
	{"objects", []string{"[0-9a-f][0-9a-f]", "info", "pack", "*.lock", "tmp_objdir-*", "incoming-*"}},
	{"objects/info", []string{"packs", "packs_*", "commit-graph", "commit-graphs", "*.lock", "tmp_*"}},
	{"objects/info/commit-graphs", []string{"commit-graph-chain", "graph-*.graph", "*.lock", "tmp_*"}},
	{"objects/pack", []string{
		"pack-*.pack", "pack-*.idx", "pack-*.rev", "pack-*.bitmap", "pack-*.keep", "pack-*.mtimes",
		"multi-pack-index", "multi-pack-index-*", "*.lock", "tmp_*", ".tmp-*",
	}},
}

// reasons say what is bad about some of the others.
var reasons = map[string]string{
	"shallow":                      "it cuts history off",
	"info/grafts":                  "it gives commits other parents",
	"info/attributes":              "it changes what git archives",
	"objects/info/alternates":      "the objects are another repository's, which can take them away; run git repack -ad first",
	"objects/info/http-alternates": "it sends clients elsewhere for objects",
	"commondir":                    "git takes refs, objects and settings from elsewhere",
}

// list looks for files that an ordinary mirror does not have.
func (r *repository) list() error {
	for _, folder := range ordinary {
		entries, err := os.ReadDir(filepath.Join(r.dir, filepath.FromSlash(folder.dir)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := path.Join(folder.dir, e.Name())
			switch {
			case !slices.ContainsFunc(folder.names, func(pattern string) bool { ok, _ := path.Match(pattern, e.Name()); return ok }):
				why := "no ordinary mirror has it"
				if reason := reasons[name]; reason != "" {
					why = reason
				} else if strings.HasSuffix(name, ".promisor") {
					why = "git misses no object where it stands"
				}
				r.problem("%s: %s; remove it", name, why)
			case !e.IsDir() && !e.Type().IsRegular():
				r.problem("%s is no file or folder of the mirror's own, but %s", name, e.Type())
			}
		}
	}
	return nil
}

// harmless are the settings that change nothing about what is served: forms of
// storage, who may push, where to push on.
var harmless = regexp.MustCompile(`^(core\.(repositoryformatversion|bare|filemode|ignorecase|symlinks|precomposeunicode|hidedotfiles|` +
	`logallrefupdates|sharedrepository|compression|loosecompression|bigfilethreshold|fsync|fsyncmethod|fsyncobjectfiles|commitgraph|` +
	`multipackindex|packedgitlimit|packedgitwindowsize|deltabasecachelimit)` +
	`|(gc|pack|repack|maintenance|gitweb|user|commitgraph)\.[^.]*` +
	`|(?s:remote\..*)\.(url|pushurl|fetch|push|mirror|tagopt|prune|prunetags|skipdefaultupdate|skipfetchall)` +
	`|(?s:branch\..*)\.(remote|pushremote|merge|rebase|description)` +
	`|receive\.(denynonfastforwards|denydeletes|denycurrentbranch|fsckobjects|autogc|unpacklimit|maxinputsize)` +
	`|(transfer|fetch)\.(fsckobjects|unpacklimit)` +
	`|uploadpack\.(allowfilter|allowtipsha1inwant|allowreachablesha1inwant|allowanysha1inwant|keepalive)|http\.receivepack)$`)

// settings looks for settings that make git show, or run, something else.
func (r *repository) settings(ctx context.Context) error {
	file := filepath.Join(r.dir, "config")
	out, err := git.Command{}.Output(ctx, "config", "--file", file, "--list", "--null", "--no-includes")
	if failed, ok := errors.AsType[*git.Error](err); ok && failed.Refused() {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		r.problem("config: %s", failed.Stderr)
		return nil
	}
	if err != nil {
		return err
	}
	for setting := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		key, value, _ := strings.Cut(setting, "\n")
		switch {
		case key == "core.bare" && !slices.Contains([]string{"true", "yes", "on", "1"}, strings.ToLower(value)),
			key == "core.repositoryformatversion" && value != "0" && value != "1",
			strings.HasSuffix(key, "hook"), // It names a program.
			!harmless.MatchString(key):
			r.problem("config: %s = %s is no setting of an ordinary mirror: git could show or run something else; unset it", key, value)
		}
	}
	return nil
}

// hooks looks for programs that git would run on behalf of who pushes.
func (r *repository) hooks() error {
	dir := filepath.Join(r.dir, "hooks")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(e.Name(), ".sample") {
			continue
		}
		if err != nil {
			return err
		}
		if !info.IsDir() && info.Mode()&0o111 != 0 {
			r.problem("hooks/%s: git would run it; remove it", e.Name())
		}
	}
	return nil
}

func (r *repository) readHead() error {
	data, err := r.read("HEAD")
	r.head = strings.TrimSpace(string(data))
	return err
}

// add notes a ref, unless it is what a remote repository had.
func (r *repository) add(ref string, id object.ID) {
	if !strings.HasPrefix(ref, "refs/remotes/") {
		r.refs[ref] = id
	}
}

// readLoose reads the refs that are files. They go before packed ones, and are
// read before them: so git finds a ref that is packed meanwhile, too.
func (r *repository) readLoose() error {
	return filepath.WalkDir(filepath.Join(r.dir, "refs"), func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // It was packed.
		}
		if err != nil || d.IsDir() {
			return err
		}
		ref, err := filepath.Rel(r.dir, file)
		if err != nil {
			return err
		}
		if ref = filepath.ToSlash(ref); strings.HasPrefix(ref, "refs/remotes/") || strings.HasSuffix(ref, ".lock") {
			return nil
		}
		text := "ref:" // So is a link.
		if d.Type().IsRegular() {
			data, err := r.read(ref)
			if err != nil || data == nil {
				return err
			}
			text = strings.TrimSpace(string(data))
		}
		id, err := object.ParseID([]byte(text))
		switch {
		case strings.HasPrefix(text, "ref:"):
			r.problems = append(r.problems, Mismatch{Kind: StrayRef, Ref: ref, Detail: "it is a symbolic ref, which a mirror has no use for; remove it"})
		case err != nil:
			r.problem("%s: %v", ref, err)
		default:
			r.add(ref, id)
		}
		return nil
	})
}

// readPacked reads packed-refs, of which git believes what its first line says:
// that it is sorted, and that what tags name stands below them.
func (r *repository) readPacked() error {
	data, err := r.read("packed-refs")
	if err != nil {
		return err
	}
	traits, last, lastID := "", "", object.ID{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		malformed := func(what string) { r.problem("packed-refs:%d: %s; run git pack-refs --all", number, what) }
		if rest, ok := strings.CutPrefix(line, "# pack-refs with:"); ok && number == 1 {
			traits = rest + " "
			continue
		}
		if hex, ok := strings.CutPrefix(line, "^"); ok && last != "" {
			id, err := object.ParseID([]byte(hex))
			if err != nil {
				malformed(err.Error())
			}
			if r.refs[last] == lastID {
				r.peeled[last] = id
			}
			continue
		}
		hex, ref, _ := strings.Cut(line, " ")
		id, err := object.ParseID([]byte(hex))
		switch {
		case err != nil || !strings.HasPrefix(ref, "refs/"):
			malformed("it is no ref")
			continue
		case ref == last || ref < last && strings.Contains(traits, " sorted "):
			malformed(fmt.Sprintf("%s stands below %s, where git does not look for it", ref, last))
		}
		last, lastID = ref, id
		if _, loose := r.refs[ref]; loose {
			continue
		}
		r.add(ref, id)
		if strings.Contains(traits, " fully-peeled ") || isTag(ref) && strings.Contains(traits, " peeled ") {
			r.peeled[ref] = object.ID{}
		}
	}
	return nil
}

// advertised checks what clients are told of the refs that were read: which
// branch is the default one, what tags peel to, and what those see that fetch
// files over HTTP.
func (c *checker) advertised() error {
	r := c.h.repository
	problem := func(format string, args ...any) {
		c.mismatch(Mismatch{Kind: Unsound, Detail: fmt.Sprintf(format, args...)})
	}
	if want := c.defaultBranch(); want != "" && r.head != "ref: refs/heads/"+want {
		if c.run.in.Fetched {
			have, _ := strings.CutPrefix(r.head, "ref: refs/heads/")
			problem("the default branch of the remote is %q and should be %q: clones check out another branch, or none; set it on the server", have, want)
		} else {
			problem("HEAD is %q and should be \"ref: refs/heads/%s\"; run git symbolic-ref HEAD refs/heads/%[2]s", r.head, want)
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(r.peeled)) {
		want := object.ID{}
		if at := c.h.targets[ref]; at.t == object.TagType {
			want = at.peeled
		}
		if have := r.peeled[ref]; have != want {
			problem("packed-refs says that %s peels to %s, and it is %s; run git pack-refs --all", ref, have, want)
		}
	}
	data, err := r.read("info/refs")
	if err != nil || data == nil {
		return err
	}
	var lines []string
	for _, ref := range c.h.refs {
		lines = append(lines, fmt.Sprintf("%s\t%s", r.refs[ref], ref))
		if at := c.h.targets[ref]; at.t == object.TagType {
			lines = append(lines, fmt.Sprintf("%s\t%s^{}", at.peeled, ref))
		}
	}
	extra, missing := lineDifference(string(data), strings.Join(lines, "\n"))
	extra = slices.DeleteFunc(extra, func(line string) bool { return strings.Contains(line, "\trefs/remotes/") })
	if differ := list("info/refs", extra, missing); len(differ) > 0 {
		problem("%s; run git update-server-info, or remove the file", atMost(differ))
	}
	return nil
}

// defaultBranch is the branch that HEAD is to name: main or master, or else the
// first that there is.
func (c *checker) defaultBranch() string {
	first := ""
	for _, b := range c.d.Branches {
		if _, ok := c.h.targets["refs/heads/"+b.Name]; !ok || b.Skipped != "" {
			continue
		}
		if b.Name == "main" || b.Name == "master" {
			return b.Name
		}
		if first == "" {
			first = b.Name
		}
	}
	return first
}
