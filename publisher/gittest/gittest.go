// Package gittest builds Git repositories for tests, object by object, so that
// a test decides about every byte: dates, oddities and all. Git itself is there
// to be asked about the result. Nothing depends on the machine's or the user's
// configuration, and equal calls give equal repositories.
package gittest

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"k8s.io/publisher/object"
)

// Repo is a bare repository. What is put into it is there for others to see once
// a ref was set or git was run.
type Repo struct {
	testing.TB
	Dir string

	// Commits are those of [Repo.History], by name.
	Commits map[string]object.ID
	// Objects is all that was put into the repository.
	Objects map[object.ID]Object

	pending []object.ID // of Objects, those that are not written yet
	files   map[string]Files
	clock   int64
}

// Object is the type and content of an object.
type Object struct {
	Type object.Type
	Data []byte
}

// New makes an empty repository in a folder of the test.
func New(t testing.TB) *Repo {
	t.Helper()
	return At(t, filepath.Join(t.TempDir(), "repo.git"))
}

// At makes an empty repository at dir, which must not exist.
func At(t testing.TB, dir string) *Repo {
	t.Helper()
	r := &Repo{TB: t, Dir: dir, Commits: make(map[string]object.ID), files: make(map[string]Files), Objects: make(map[object.ID]Object)}
	for _, sub := range []string{"objects/pack", "objects/info", "refs/heads", "refs/tags"} {
		r.check(os.MkdirAll(filepath.Join(dir, sub), 0o777))
	}
	r.write("HEAD", "ref: refs/heads/main\n")
	r.write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tfsync = none\n")
	return r
}

func (r *Repo) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *Repo) write(name, text string) {
	r.Helper()
	name = filepath.Join(r.Dir, name)
	r.check(os.MkdirAll(filepath.Dir(name), 0o777))
	r.check(os.WriteFile(name, []byte(text), 0o666))
}

// Git runs git in the repository and returns what it prints.
func (r *Repo) Git(args ...string) string {
	r.Helper()
	return r.GitInput("", args...)
}

// GitInput is [Repo.Git] with something on git's standard input.
func (r *Repo) GitInput(input string, args ...string) string {
	r.Helper()
	r.flush()
	return string(Git(r.TB, r.Dir, input, args...))
}

// Git runs git in a folder.
func Git(t testing.TB, dir, input string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=author@example.com", "GIT_AUTHOR_DATE=1112911993 -0730",
		"GIT_COMMITTER_NAME=C O Mitter", "GIT_COMMITTER_EMAIL=committer@example.com", "GIT_COMMITTER_DATE=1112912053 +1345",
	}
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

// Unpack makes loose objects of all that is packed in the repository at dir.
func Unpack(t testing.TB, dir string) {
	t.Helper()
	away := filepath.Join(t.TempDir(), "packs")
	if err := os.Rename(filepath.Join(dir, "objects", "pack"), away); err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(away, "*.pack"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pack := range packs {
		data, err := os.ReadFile(pack)
		if err != nil {
			t.Fatal(err)
		}
		Git(t, dir, string(data), "unpack-objects", "-q")
	}
}

// Put stores an object of any content.
func (r *Repo) Put(t object.Type, data []byte) object.ID {
	r.Helper()
	id := object.Hash(t, data)
	if _, ok := r.Objects[id]; ok {
		return id
	}
	r.Objects[id] = Object{t, data}
	r.pending = append(r.pending, id)
	return id
}

// flush has git write what was put, as a pack.
func (r *Repo) flush() {
	r.Helper()
	if len(r.pending) == 0 {
		return
	}
	var pack bytes.Buffer
	pack.Write(binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(r.pending))))
	for _, id := range r.pending {
		o := r.Objects[id]
		head, size := byte(o.Type)<<4|byte(len(o.Data)&15), len(o.Data)>>4
		for ; size > 0; size >>= 7 {
			pack.WriteByte(head | 0x80)
			head = byte(size & 0x7f)
		}
		pack.WriteByte(head)
		z := zlib.NewWriter(&pack)
		_, err := z.Write(o.Data)
		r.check(err)
		r.check(z.Close())
	}
	sum := sha1.Sum(pack.Bytes())
	pack.Write(sum[:])
	r.pending = nil
	Git(r.TB, r.Dir, pack.String(), "index-pack", "--stdin")
}

// SetRef makes a ref, given by its full name, name an object.
func (r *Repo) SetRef(name string, id object.ID) {
	r.Helper()
	r.flush()
	r.write(name, id.String()+"\n")
}

// Branch makes a branch name a commit.
func (r *Repo) Branch(name string, id object.ID) {
	r.Helper()
	r.SetRef("refs/heads/"+name, id)
}

// Tag makes an annotated tag, dated in a fixed order of the calls.
func (r *Repo) Tag(name string, target object.ID) object.ID {
	r.Helper()
	r.clock++
	t := object.Tag{
		Target: target, TargetType: object.CommitType, Name: name,
		Tagger: fmt.Appendf(nil, "T Agger <tagger@example.com> %d +0200", 1600000000+r.clock), Message: []byte("Release " + name + "\n"),
	}
	id := r.Put(object.TagType, t.Encode())
	r.SetRef("refs/tags/"+name, id)
	return id
}

// File is what a path holds: a file, a link whose target is Text, or a
// submodule whose commit is made up from Text.
type File struct {
	Mode object.Mode
	Text string
}

// Files is the content of a tree, by whole path.
type Files map[string]File

// Text returns a regular file.
func Text(text string) File { return File{object.ModeRegular, text} }

// Archive reads files from txtar text.
func Archive(text string) Files {
	files := make(Files)
	for _, f := range txtar.Parse([]byte(text)).Files {
		files[f.Name] = Text(string(f.Data))
	}
	return files
}

// Set puts a file at a path, in the place of whatever is in its way.
func (f Files) Set(path string, file File) {
	f.Remove(path)
	for i, c := range path {
		if c == '/' {
			delete(f, path[:i])
		}
	}
	f[path] = file
}

// Remove removes a file or a whole directory.
func (f Files) Remove(path string) {
	delete(f, path)
	for other := range f {
		if strings.HasPrefix(other, path+"/") {
			delete(f, other)
		}
	}
}

// Tree stores a tree.
func (r *Repo) Tree(files Files) object.ID {
	r.Helper()
	var entries []object.Entry
	dirs := make(map[string]Files)
	for path, file := range files {
		if dir, rest, ok := strings.Cut(path, "/"); ok {
			if dirs[dir] == nil {
				dirs[dir] = make(Files)
			}
			dirs[dir][rest] = file
			continue
		}
		e := object.Entry{Mode: file.Mode, Name: path}
		if file.Mode == object.ModeSubmodule {
			e.ID = object.Hash(object.CommitType, []byte(file.Text))
		} else {
			e.ID = r.Put(object.BlobType, []byte(file.Text))
		}
		entries = append(entries, e)
	}
	for name, sub := range dirs {
		entries = append(entries, object.Entry{Mode: object.ModeDir, Name: name, ID: r.Tree(sub)})
	}
	return r.Put(object.TreeType, object.EncodeTree(entries))
}

// Commit stores a commit as it is.
func (r *Repo) Commit(c *object.Commit) object.ID {
	r.Helper()
	return r.Put(object.CommitType, c.Encode())
}

// Names returns the commits' names in the order of their names.
func (r *Repo) Names() []string {
	var names []string
	for name := range r.Commits {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
