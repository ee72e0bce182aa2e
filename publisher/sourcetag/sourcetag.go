// Package sourcetag reads the tags of the monorepo that are versions, v1.2.3 and the
// like, and makes the mirrors' tags of them.
package sourcetag

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
)

// Tag is a tag of the source whose name is a version.
type Tag struct {
	Name    string
	Version *semver.Version
	// Object is what the ref names, and Commit the commit behind it.
	Object, Commit object.ID
	// Refused is why it yields nothing anywhere; empty where it may.
	Refused string

	tag *object.Tag
}

// Read returns the source's tags, by name, of which wanted holds.
func Read(repo *source.Repository, wanted func(*semver.Version) bool) ([]*Tag, error) {
	reader := repo.Store.Reader()
	var tags []*Tag
	for _, ref := range repo.Tags() {
		number, ok := strings.CutPrefix(ref.Name, "v")
		if !ok {
			continue
		}
		v, err := semver.StrictNewVersion(number)
		if err != nil || !wanted(v) {
			continue
		}
		t := &Tag{Name: ref.Name, Version: v, Object: ref.ID}
		var kind object.Type
		if kind, t.Commit, t.tag, err = reader.Peel(ref.ID); err != nil {
			return nil, fmt.Errorf("source tag %s: %w", ref.Name, err)
		}
		switch {
		case kind != object.CommitType:
			t.Refused = fmt.Sprintf("it names a %s, not a commit", kind)
		case t.tag == nil:
			t.Refused = "it is a lightweight tag; only annotated tags are published"
		}
		tags = append(tags, t)
	}
	return tags, nil
}

// Namer names a mirror's tags. It remembers the names, as many mirrors have the
// same rules. It is not safe for concurrent use.
type Namer struct {
	rules []rules.TagRule
	known map[string]named
}

type named struct {
	names []string
	err   error
}

// NewNamer returns a Namer that goes by these rules.
func NewNamer(all []rules.TagRule) *Namer { return &Namer{all, make(map[string]named)} }

// Names returns the names that a version's tag has in a mirror, in the order of
// the rules.
func (n *Namer) Names(v *semver.Version) ([]string, error) {
	is, known := n.known[v.Original()]
	if !known {
		is.names, is.err = n.names(v)
		n.known[v.Original()] = is
	}
	return is.names, is.err
}

func (n *Namer) names(v *semver.Version) (names []string, err error) {
	for _, rule := range n.rules {
		name, ok, err := rule.Name(v)
		if err != nil {
			return nil, err
		}
		if ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// Stamp is the date of the tag as an identity line has it, or that of its commit
// where the tag has none, or the earliest that there is where the commit has none
// either.
func (t *Tag) Stamp(objects *odb.Layers) ([]byte, error) {
	if t.tag.Tagger != nil {
		if stamp, err := object.IdentStamp(t.tag.Tagger); err == nil {
			return stamp, nil
		}
	}
	data, err := objects.Commit(t.Commit)
	if err != nil {
		return nil, err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", t.Commit, err)
	}
	if stamp, err := object.IdentStamp(c.Committer); err == nil {
		return stamp, nil
	}
	return []byte("0 +0000"), nil
}

// Mirrored returns the content of a mirror's tag on a commit: the source's tag by
// another name and tagger. A signature does not hold any more.
func (t *Tag) Mirrored(name string, target object.ID, tagger []byte) []byte {
	mirrored := object.Tag{Target: target, TargetType: object.CommitType, Name: name, Tagger: tagger, Message: withoutSignature(t.tag.Message)}
	return mirrored.Encode()
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
