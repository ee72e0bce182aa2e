package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/rules"
)

// published is a commit that a branch or tags of a mirror name.
type published struct {
	destination, branch string
	tags                []string
	id                  object.ID
	commit              *object.Commit
	source              string // the source commit, by its trailer
	objects             string // the mirror's object directory
}

// readMirrors returns what the mirrors' branches and tags name, in the order of
// the rules. It asks nothing but the mirrors, as anyone could who clones them.
func readMirrors(r *rules.Rules, dir string) ([]*published, error) {
	var all []*published
	for _, rule := range r.Rules {
		m, err := mirror.Open(mirror.Path(dir, rule.Destination))
		if err != nil {
			return nil, err
		}
		if !m.Exists {
			continue
		}
		store, err := odb.Open(m.ObjectsDir())
		if err != nil {
			return nil, fmt.Errorf("read mirror %s: %w", m.Dir, err)
		}
		found, err := readRefs(m, store.Reader(), r.Trailer)
		store.Close()
		if err != nil {
			return nil, fmt.Errorf("read mirror %s: %w", m.Dir, err)
		}
		for _, p := range found {
			p.destination, p.objects = rule.Destination, m.ObjectsDir()
		}
		all = append(all, found...)
	}
	return all, nil
}

func readRefs(m *mirror.Mirror, reader *odb.Reader, trailer string) ([]*published, error) {
	commits := make(map[object.ID]*published)
	for name, ref := range m.Refs() {
		branch, isBranch := strings.CutPrefix(name, "refs/heads/")
		tag, isTag := strings.CutPrefix(name, "refs/tags/")
		if !isBranch && !isTag {
			continue
		}
		id := ref.ID
		if !ref.Peeled.IsZero() {
			id = ref.Peeled
		}
		p := commits[id]
		if p == nil {
			data, err := reader.Commit(id)
			if err != nil {
				return nil, err
			}
			commit, err := object.ParseCommit(data)
			if err != nil {
				return nil, err
			}
			p = &published{id: id, commit: commit}
			p.source, _ = object.LastTrailer(commit.Message, trailer)
			commits[id] = p
		}
		if isTag {
			p.tags = append(p.tags, tag)
		} else {
			p.branch = branch
		}
	}
	for _, p := range commits {
		slices.Sort(p.tags)
	}
	// The branch first, then what grew from it.
	return slices.SortedFunc(maps.Values(commits), func(a, b *published) int {
		return cmp.Or(-cmp.Compare(a.branch, b.branch), slices.Compare(a.tags, b.tags))
	}), nil
}

// writeProxy serves every tag that is a version of its module. It returns the
// go.sum lines that come with them.
func writeProxy(all []*published, dir string) (goSum string, err error) {
	var sums strings.Builder
	for _, p := range all {
		if err := p.serve(dir, &sums); err != nil {
			return "", fmt.Errorf("serve %s at %s: %w", p.destination, p.id, err)
		}
	}
	return sums.String(), nil
}

func (p *published) serve(dir string, goSum io.Writer) error {
	store, err := odb.Open(p.objects)
	if err != nil {
		return err
	}
	defer store.Close()
	reader := store.Reader()
	tree, err := reader.Tree(p.commit.Tree)
	if err != nil {
		return err
	}
	read := func(name string) ([]byte, error) {
		_, id, ok, err := object.FindEntry(tree, name)
		if err != nil || !ok {
			return nil, err
		}
		return reader.Blob(id)
	}
	goMod, err := read("go.mod")
	if err != nil {
		return err
	}
	date, err := p.commit.CommitTime()
	if err != nil {
		return err
	}
	path := modfile.ModulePath(goMod)
	writer := &goproxy.Writer{Dir: dir, Objects: reader}
	for _, tag := range p.tags {
		if module.Check(path, tag) != nil {
			continue // kubernetes-1.x.y is a tag for people.
		}
		if err := writer.Add(module.Version{Path: path, Version: tag}, date, p.id, p.commit.Tree); err != nil {
			return err
		}
		sums, err := read("go.sum")
		if err != nil {
			return err
		}
		if _, err := goSum.Write(sums); err != nil {
			return err
		}
	}
	return nil
}

// printTable shows what the mirrors have.
func printTable(to io.Writer, all []*published) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DESTINATION\tBRANCH\tCOMMIT\tTAGS\tSOURCE COMMIT")
	for _, p := range all {
		fmt.Fprintf(w, "%s\t%s\t%.12s\t%s\t%.12s\n", p.destination, cmp.Or(p.branch, "-"), p.id, cmp.Or(strings.Join(p.tags, " "), "-"), p.source)
	}
	return w.Flush()
}

func writeFile(name, content string) error { return os.WriteFile(name, []byte(content), 0o666) }
