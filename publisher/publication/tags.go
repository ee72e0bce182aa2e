package publication

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"golang.org/x/mod/module"
	modsemver "golang.org/x/mod/semver"

	"k8s.io/publisher/object"
	"k8s.io/publisher/pathspec"
	"k8s.io/publisher/projection"
)

// Tag is what a source tag yields in a destination: one or more tags on one
// commit.
type Tag struct {
	// Source is the name of the source tag, Object its tag object and Commit
	// the commit that it names.
	Source         string
	Object, Commit object.ID
	// Names and Objects are the mirror's tags, in the order of the tag rules.
	Names   []string
	Objects []object.ID
	// Target is the mirror commit that they name, and Tree its tree. Where
	// pinning by tag changes go.mod or go.sum, it is a commit of its own on
	// top of Parent; else it is Parent.
	Target, Tree object.ID
	Parent       object.ID

	line    *line
	version *version // as a module, once someone asked
}

// TagRecord is the part of a Tag that a Memory keeps.
type TagRecord struct {
	Objects              []object.ID
	Target, Tree, Parent object.ID
}

// sourceTag is a tag of the source that some rule gives a name to.
type sourceTag struct {
	name    string
	id      object.ID
	tag     *object.Tag
	commit  object.ID
	names   []string
	skipped string
}

// tags computes the tags of all destinations.
func (p *Publication) tags(remove *pathspec.Set) error {
	if p.config.Rules.SkipTags {
		return nil
	}
	w := p.config.worker()
	tags, err := p.sourceTags(w)
	if err != nil {
		return err
	}
	for _, d := range p.Destinations {
		if d.Err != nil {
			continue
		}
		if err := p.tagDestination(w, d, tags, remove); errors.Is(err, ErrStale) {
			return err
		} else if err != nil {
			d.Err = err
		}
	}
	return nil
}

// sourceTags reads the source's tags that the tag rules name.
func (p *Publication) sourceTags(w *worker) ([]*sourceTag, error) {
	var tags []*sourceTag
	for _, ref := range p.config.Source.Tags() {
		number, ok := strings.CutPrefix(ref.Name, "v")
		if !ok {
			continue
		}
		v, err := semver.StrictNewVersion(number)
		if err != nil {
			continue
		}
		t := &sourceTag{name: ref.Name, id: ref.ID}
		for _, rule := range p.config.Rules.Tags {
			name, ok, err := rule.Name(v)
			if err != nil {
				return nil, fmt.Errorf("source tag %s: %w", ref.Name, err)
			}
			if ok {
				t.names = append(t.names, name)
			}
		}
		if len(t.names) == 0 {
			continue
		}
		if err := t.read(w); err != nil {
			return nil, fmt.Errorf("source tag %s: %w", ref.Name, err)
		}
		tags = append(tags, t)
	}
	return tags, nil
}

// read finds the commit behind a tag.
func (t *sourceTag) read(w *worker) error {
	for id := t.id; ; {
		kind, data, err := w.objects.source.ReadAny(id)
		if err != nil {
			return err
		}
		switch kind {
		case object.TagType:
			tag, err := object.ParseTag(data)
			if err != nil {
				return err
			}
			if t.tag == nil {
				t.tag = tag
			}
			id = tag.Target
		case object.CommitType:
			t.commit = id
			if t.tag == nil {
				t.skipped = "it is a lightweight tag; only annotated tags are published"
			}
			return nil
		default:
			t.skipped = fmt.Sprintf("it names a %s, not a commit", kind)
			return nil
		}
	}
}

func (p *Publication) tagDestination(w *worker, d *Destination, tags []*sourceTag, remove *pathspec.Set) error {
	taken := make(map[string]string)
	for _, t := range tags {
		skip := func(reason string) { d.SkippedTags = append(d.SkippedTags, Skipped{t.name, reason}) }
		if t.skipped != "" {
			skip(t.skipped)
			continue
		}
		b, i, reason := p.tagged(d, t)
		if reason != "" {
			skip(reason)
			continue
		}
		for _, name := range t.names {
			if other, ok := taken[name]; ok {
				return fmt.Errorf("source tags %s and %s both yield the tag %s; the tag rules must tell them apart", other, t.name, name)
			}
			taken[name] = t.name
		}
		tag, err := p.makeTag(w, d, b, i, t, remove)
		if err != nil {
			return fmt.Errorf("source tag %s: %w", t.name, err)
		}
		d.Tags = append(d.Tags, tag)
	}
	return nil
}

// tagged finds the branch on whose mainline the tag is, and the projected
// commit there, or why there is none.
func (p *Publication) tagged(d *Destination, t *sourceTag) (b *Branch, commit int32, reason string) {
	onMainline := false
	for _, candidate := range d.Branches {
		if candidate.Projection == nil || !p.onMainline(candidate, t.commit) {
			continue
		}
		onMainline = true
		i, present, ok := p.Lookup(candidate.Projection, t.commit)
		if !ok || !present || i == projection.None {
			continue
		}
		if b == nil {
			b, commit = candidate, i
			continue
		}
		mine, err1 := b.Projection.Commit(commit)
		other, err2 := candidate.Projection.Commit(i)
		if err1 == nil && err2 == nil && mine.ID != other.ID {
			return nil, 0, fmt.Sprintf("branches %s and %s publish its commit from different directories", b.Name, candidate.Name)
		}
	}
	switch {
	case !onMainline:
		return nil, 0, "its commit is on no published branch's mainline"
	case b == nil:
		return nil, 0, "the directory is absent in its commit"
	}
	return b, commit, ""
}

func (p *Publication) makeTag(w *worker, d *Destination, b *Branch, i int32, t *sourceTag, remove *pathspec.Set) (*Tag, error) {
	l := p.lines[p.specs.of[branchRef{d.Name, b.Name}]]
	base, err := l.projection.Commit(i)
	if err != nil {
		return nil, err
	}
	tag := &Tag{Source: t.name, Object: t.id, Commit: t.commit, Names: t.names, Parent: base.ID, Target: base.ID, Tree: base.Tree, line: l}
	if record, ok := p.recordedTag(d, t); ok {
		tag.Objects, tag.Target, tag.Tree, tag.Parent = record.Objects, record.Target, record.Tree, record.Parent
		return tag, nil
	}
	stamp, err := t.stamp(w)
	if err != nil {
		return nil, err
	}
	committer := p.config.Rules.Committer
	ident := append([]byte(committer.Name+" <"+committer.Email+"> "), stamp...)
	if err := p.pinByTag(w, d, b, l, tag, t, ident, remove); err != nil {
		return nil, err
	}
	for _, name := range t.names {
		mirrored := object.Tag{Target: tag.Target, TargetType: object.CommitType, Name: name, Tagger: ident, Message: withoutSignature(t.tag.Message)}
		id, err := p.config.Scratch.Put(object.TagType, mirrored.Encode(), nil)
		if err != nil {
			return nil, err
		}
		tag.Objects = append(tag.Objects, id)
	}
	return tag, nil
}

// recordedTag returns what an earlier run made of a tag, if the mirror has it.
func (p *Publication) recordedTag(d *Destination, t *sourceTag) (TagRecord, bool) {
	if p.memory == nil || p.config.HasTag == nil {
		return TagRecord{}, false
	}
	record, ok := p.memory.Tag(d.Name, t.name, t.id)
	if !ok || len(record.Objects) != len(t.names) {
		return TagRecord{}, false
	}
	for k, name := range t.names {
		if !p.config.HasTag(d.Name, name, record.Objects[k]) {
			return TagRecord{}, false
		}
	}
	return record, true
}

// stamp is the date of the source tag, or of its commit where the tag has none,
// or the earliest that there is where the commit has none either.
func (t *sourceTag) stamp(w *worker) ([]byte, error) {
	if t.tag.Tagger != nil {
		if stamp, err := object.IdentStamp(t.tag.Tagger); err == nil {
			return stamp, nil
		}
	}
	data, err := w.objects.Commit(t.commit)
	if err != nil {
		return nil, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return nil, err
	}
	if stamp, err := object.IdentStamp(c.Committer); err == nil {
		return stamp, nil
	}
	return []byte("0 +0000"), nil
}

// withoutSignature cuts off a signature at the end of a tag's message.
func withoutSignature(message []byte) []byte {
	for _, begin := range []string{"-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----", "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SIGNED MESSAGE-----"} {
		if bytes.HasPrefix(message, []byte(begin)) {
			return []byte{}
		}
		if i := bytes.Index(message, []byte("\n"+begin)); i >= 0 {
			message = message[:i+1]
		}
	}
	return message
}

// pinByTag puts the tag on a commit of its own where siblings' tags, in the
// place of their branches' versions, change go.mod or go.sum.
func (p *Publication) pinByTag(w *worker, d *Destination, b *Branch, l *line, tag *Tag, t *sourceTag, ident []byte, remove *pathspec.Set) error {
	if !l.pinned || len(l.deps) == 0 {
		return nil
	}
	at := func(dep *line) (int32, error) {
		i, present, ok := p.Lookup(dep.projection, t.commit)
		if !ok || !present {
			return projection.None, nil
		}
		return i, nil
	}
	paths, err := w.siblings(l, at)
	if err != nil || len(paths) == 0 {
		return err
	}
	raw, err := p.directoryAt(w, l, t.commit, remove)
	if err != nil {
		return err
	}
	byTag := false
	tree, err := w.pinTree(l, t.commit, raw, paths, func(dep *line) (*version, error) {
		for _, name := range d.DependsOn {
			if !slices.Contains(p.specs.owned[name], dep.spec) {
				continue
			}
			if v, err := p.tagVersion(w, p.Destination(name), t); v != nil || err != nil {
				byTag = true
				return v, err
			}
		}
		i, err := at(dep)
		if err != nil {
			return nil, err
		}
		return w.branchVersion(dep, i)
	})
	if err != nil || !byTag || tree == tag.Tree {
		return err
	}
	commit := object.Commit{
		Tree: tree, Parents: []object.ID{tag.Parent}, Author: ident, Committer: ident,
		Message: object.AppendTrailer([]byte("Require the versions published with "+t.name+"\n"), p.config.Rules.Trailer, t.commit.String()),
	}
	tag.Tree = tree
	tag.Target, err = p.config.Scratch.Put(object.CommitType, commit.Encode(), nil)
	return err
}

// directoryAt returns the tree of a line's directory in a commit, unpinned.
func (p *Publication) directoryAt(w *worker, l *line, commit object.ID, remove *pathspec.Set) (object.ID, error) {
	data, err := w.objects.Commit(commit)
	if err != nil {
		return object.ID{}, err
	}
	root, _, err := object.ParseLinks(data)
	if err != nil {
		return object.ID{}, err
	}
	trees := make([]object.ID, len(l.dirs))
	for i, dir := range l.dirs {
		if trees[i], err = Subtree(w.objects, root, dir); err != nil {
			return object.ID{}, err
		}
	}
	put := func(t object.Type, data []byte) (object.ID, error) { return p.config.Scratch.Put(t, data, nil) }
	return projection.NewDirectory(l.dirs, remove, w.objects, put).Tree(trees)
}

// Subtree returns the tree of a directory below root; zero where it is absent.
func Subtree(objects projection.Objects, root object.ID, dir string) (object.ID, error) {
	if dir == "" {
		return root, nil
	}
	for name := range strings.SplitSeq(dir, "/") {
		data, err := objects.Tree(root)
		if err != nil {
			return object.ID{}, err
		}
		mode, id, ok, err := object.FindEntry(data, name)
		if err != nil || !ok || !mode.IsDir() {
			return object.ID{}, err
		}
		root = id
	}
	return root, nil
}

// tagVersion returns a destination's module at the version that a source tag
// gives it; nil where it gives none that the go command knows as one.
func (p *Publication) tagVersion(w *worker, d *Destination, t *sourceTag) (*version, error) {
	if d == nil {
		return nil, nil
	}
	i := slices.IndexFunc(d.Tags, func(tag *Tag) bool { return tag.Source == t.name })
	if i < 0 {
		return nil, nil
	}
	tag := d.Tags[i]
	if tag.version != nil {
		return tag.version, nil
	}
	m, err := w.manifest(tag.line, tag.Tree)
	if err != nil || m.path == "" {
		return nil, err
	}
	path := m.path
	for _, name := range tag.Names {
		if IsModuleVersion(path, name) {
			tag.version, err = w.moduleAt(tag.line, t.commit, tag.Tree, module.Version{Path: path, Version: name})
			return tag.version, err
		}
	}
	return nil, nil
}

// IsModuleVersion reports whether the go command takes a tag for a version of
// the module with this path.
func IsModuleVersion(path, tag string) bool {
	_, major, ok := module.SplitPathVersion(path)
	return ok && modsemver.Canonical(tag) == tag && !module.IsPseudoVersion(tag) && module.CheckPathMajor(tag, major) == nil
}
