package monorepo

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"time"
)

// mark names an object within one fast-import stream.
type mark int

// stream writes the input of git fast-import (git-fast-import(1), "Input
// Format"). The first write error is kept by the buffer and seen at Flush.
type stream struct {
	w      *bufio.Writer
	layout *layout
	last   mark
	blobs  map[string]mark // by path and content key
}

func newStream(w io.Writer, l *layout) *stream {
	return &stream{w: bufio.NewWriterSize(w, 1<<20), layout: l, blobs: map[string]mark{}}
}

// person is an author, with the zone of their clock.
type person struct{ name, email, zone string }

func (p person) at(t time.Time) string {
	return fmt.Sprintf("%s <%s> %d %s", p.name, p.email, t.Unix(), p.zone)
}

// commit is what is written of one commit besides its tree.
type commit struct {
	ref                 string
	parents             []mark
	author, committer   person
	authored, committed time.Time
	message             string
}

// change is one line of a commit's tree edit; no blob means deletion.
type change struct {
	path string
	blob mark
}

func (s *stream) blob(key string, content func() string) mark {
	if m, ok := s.blobs[key]; ok {
		return m
	}
	s.last++
	s.blobs[key] = s.last
	fmt.Fprintf(s.w, "blob\nmark :%d\n", s.last)
	s.data(content())
	return s.last
}

func (s *stream) data(text string) {
	fmt.Fprintf(s.w, "data %d\n%s\n", len(text), text)
}

// commit writes c with the tree that to describes, from being the tree of
// its first parent.
func (s *stream) commit(c commit, from, to state) mark {
	changes := s.changes(from, to)
	s.last++
	fmt.Fprintf(s.w, "commit %s\nmark :%d\nauthor %s\ncommitter %s\n", c.ref, s.last,
		c.author.at(c.authored), c.committer.at(c.committed))
	s.data(c.message)
	for i, p := range c.parents {
		command := "merge"
		if i == 0 {
			command = "from"
		}
		fmt.Fprintf(s.w, "%s :%d\n", command, p)
	}
	for _, ch := range changes {
		if ch.blob == 0 {
			fmt.Fprintf(s.w, "D %s\n", ch.path)
		} else {
			fmt.Fprintf(s.w, "M 100644 :%d %s\n", ch.blob, ch.path)
		}
	}
	s.w.WriteString("\n")
	return s.last
}

func (s *stream) tag(name string, target mark, tagger person, at time.Time, message string) {
	fmt.Fprintf(s.w, "tag %s\nfrom :%d\ntagger %s\n", name, target, tagger.at(at))
	s.data(message)
}

func (s *stream) changes(from, to state) (all []change) {
	for i, version := range to.versions {
		var before uint16
		if from.versions != nil {
			before = from.versions[i]
		}
		switch {
		case version == before:
		case version == 0:
			all = append(all, change{path: s.layout.files[i].path})
		default:
			blob := s.blob(fmt.Sprintf("%d@%d", i, version), func() string { return s.layout.render(i, version) })
			all = append(all, change{s.layout.files[i].path, blob})
		}
	}
	if from.versions != nil && from.edges == to.edges && from.bumps == to.bumps {
		return all
	}
	for m := range s.layout.shape.modules {
		for _, derived := range []struct {
			name   string
			render func(int, state) string
		}{{"go.mod", s.layout.renderMod}, {"go.sum", s.layout.renderSum}, {"imports.go", s.layout.renderImports}} {
			text := derived.render(m, to)
			if from.versions != nil && derived.render(m, from) == text {
				continue
			}
			file := path.Join(ModuleDir(m), derived.name)
			all = append(all, change{file, s.blob(file+"\n"+text, func() string { return text })})
		}
	}
	return all
}
