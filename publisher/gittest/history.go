package gittest

import (
	"fmt"
	"maps"
	"strings"

	"k8s.io/publisher/object"
)

// History makes commits from lines such as
//
//	A: dir/file=1 other=2
//	B A: dir/file=3
//	M A B: -dir
//
// Each names a commit, its parents, and what is different from the first
// parent's tree:
//
//	path=text    a file
//	path*=text   an executable file
//	path->text   a symbolic link
//	path@text    a submodule
//	-path        no file or directory there
//	^C           the whole tree of commit C
//
// The message of a commit is its name. A line that starts with the word branch
// or tag, a name and a commit makes a ref; tags are annotated. Blank lines and
// those that begin with # mean nothing. Later calls go on from earlier ones.
func (r *Repo) History(text string) {
	r.Helper()
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0][0] == '#':
		case fields[0] == "branch" && len(fields) == 3:
			r.Branch(fields[1], r.commit(fields[2]))
		case fields[0] == "tag" && len(fields) == 3:
			r.Tag(fields[1], r.commit(fields[2]))
		default:
			head, edits, ok := strings.Cut(line, ":")
			if !ok {
				r.Fatalf("history: %q has no colon", line)
			}
			names := strings.Fields(head)
			r.Add(names[0], names[1:], func(files Files) { r.edit(files, strings.Fields(edits)) })
		}
	}
}

func (r *Repo) commit(name string) object.ID {
	r.Helper()
	id, ok := r.Commits[name]
	if !ok {
		r.Fatalf("history: there is no commit %s yet", name)
	}
	return id
}

// Add makes a commit like a line of [Repo.History] does, with an edit by code.
func (r *Repo) Add(name string, parents []string, edit func(Files)) object.ID {
	r.Helper()
	r.clock++
	c := &object.Commit{
		Author:    fmt.Appendf(nil, "A U Thor <author@example.com> %d -0730", 1500000000+r.clock),
		Committer: fmt.Appendf(nil, "C O Mitter <committer@example.com> %d +0545", 1500000100+r.clock),
		Message:   []byte(name + "\n"),
	}
	files := make(Files)
	if len(parents) > 0 {
		maps.Copy(files, r.files[parents[0]])
	}
	edit(files)
	for _, parent := range parents {
		c.Parents = append(c.Parents, r.commit(parent))
	}
	c.Tree = r.Tree(files)
	r.files[name] = files
	r.Commits[name] = r.Commit(c)
	return r.Commits[name]
}

func (r *Repo) edit(files Files, edits []string) {
	r.Helper()
	for _, edit := range edits {
		if path, ok := strings.CutPrefix(edit, "-"); ok {
			files.Remove(path)
			continue
		}
		if commit, ok := strings.CutPrefix(edit, "^"); ok {
			clear(files)
			maps.Copy(files, r.files[commit])
			continue
		}
		done := false
		for _, kind := range []struct {
			sign string
			mode object.Mode
		}{{"->", object.ModeSymlink}, {"*=", object.ModeExecutable}, {"=", object.ModeRegular}, {"@", object.ModeSubmodule}} {
			if path, text, ok := strings.Cut(edit, kind.sign); ok {
				files.Set(path, File{kind.mode, text})
				done = true
				break
			}
		}
		if !done {
			r.Fatalf("history: %q is no edit", edit)
		}
	}
}

// Files returns the content of a commit of [Repo.History] or [Repo.Add].
func (r *Repo) Files(name string) Files {
	r.Helper()
	r.commit(name)
	return r.files[name]
}
