// Package siblings offers the modules of mirrors to the go command before anybody
// can fetch them: those that are on their way just now, and those that they require.
//
// A pseudo-version names the commit that it is made of; which commit a tag is on has
// to be said by who knows. The files that a version has are those that the go command
// would fetch, git attributes included.
package siblings

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/git"
	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
)

// Offer is a folder of module versions that is being filled. It is to be closed.
type Offer struct {
	// Tagged returns the commit that a version of a module is where the version is
	// a tag. Nil is for where tags do not matter.
	Tagged func(m module.Version) (commit object.ID, ok bool, err error)

	repo, temp string // a repository that borrows all objects; a folder
	store      *odb.Store
	reader     *odb.Reader
	proxy      *goproxy.Writer
	commits    map[module.Version]object.ID // of what is offered
}

// Open makes an offer in a new folder, of what is in git object directories.
func Open(dir string, objectDirs []string) (*Offer, error) {
	o := &Offer{repo: filepath.Join(dir, "repository"), temp: filepath.Join(dir, "tmp"), commits: make(map[module.Version]object.ID)}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if err := git.Init(o.repo, objectDirs...); err != nil {
		return nil, err
	}
	var err error
	// What git attributes make of trees is in the repository itself.
	if o.store, err = odb.Open(filepath.Join(o.repo, "objects")); err != nil {
		return nil, err
	}
	o.reader = o.store.Reader()
	o.proxy = &goproxy.Writer{Dir: filepath.Join(dir, "proxy"), Objects: o.reader}
	return o, os.MkdirAll(o.proxy.Dir, 0o777)
}

// Close closes it; the folder stays.
func (o *Offer) Close() error {
	o.store.Close()
	return nil
}

// Dir is the folder with the versions, as [goproxy.Writer] writes them.
func (o *Offer) Dir() string { return o.proxy.Dir }

// Files returns the names of the zip and the go.mod of a version that is offered.
func (o *Offer) Files(m module.Version) (zip, goMod string, err error) {
	return o.proxy.Files(m)
}

// File returns a file at the root of a version that is offered, or nil where there is
// none.
func (o *Offer) File(m module.Version, name string) ([]byte, error) {
	id, ok := o.commits[m]
	if !ok {
		return nil, fmt.Errorf("%s is not offered", m)
	}
	c, err := o.commit(id)
	if err != nil {
		return nil, err
	}
	return o.file(c.Tree, name)
}

// file returns a regular file at the root of a tree, or nil.
func (o *Offer) file(tree object.ID, name string) ([]byte, error) {
	data, err := o.reader.Tree(tree)
	if err != nil {
		return nil, err
	}
	mode, id, ok, err := object.FindEntry(data, name)
	if err != nil || !ok || !mode.IsRegular() {
		return nil, err
	}
	return o.reader.Blob(id)
}

// ObjectDirs are the folders of all objects, those that others borrow included.
func (o *Offer) ObjectDirs() []string { return o.store.Dirs() }

func (o *Offer) git() git.Command { return git.Command{Dir: o.repo} }

// Found is what modules require, directly or through siblings.
type Found struct {
	// Siblings are the versions that are offered, Others the paths of modules that
	// are in no mirror. Each is there once.
	Siblings []module.Version
	Others   []string
}

// AddRequired offers what a commit's go.mod requires, as far as mirrors have it, and
// what that requires in turn.
func (o *Offer) AddRequired(ctx context.Context, commit object.ID) (Found, error) {
	c, err := o.commit(commit)
	if err != nil {
		return Found{}, err
	}
	required, err := o.Requirements(c.Tree)
	if err != nil {
		return Found{}, err
	}
	return o.Add(ctx, required...)
}

// Add offers versions, as far as mirrors have them, and what they require in turn.
// That is followed whether the go command will read it or not: it depends on
// versions, on what is imported, and on the go command.
func (o *Offer) Add(ctx context.Context, queue ...module.Version) (found Found, err error) {
	seen := make(map[module.Version]bool)
	listed := make(map[string]bool)
	for ; len(queue) > 0; queue = queue[1:] {
		m := queue[0]
		if seen[m] {
			continue
		}
		seen[m] = true
		id, c, err := o.find(ctx, m)
		if err != nil {
			return found, fmt.Errorf("find %s: %w", m, err)
		}
		if c == nil {
			if !listed[m.Path] {
				listed[m.Path] = true
				found.Others = append(found.Others, m.Path)
			}
			continue
		}
		if err := o.add(ctx, m, id, c); err != nil {
			return found, err
		}
		found.Siblings = append(found.Siblings, m)
		further, err := o.Requirements(c.Tree)
		if err != nil {
			return found, fmt.Errorf("%s: %w", m, err)
		}
		queue = append(queue, further...)
	}
	return found, nil
}

// find returns the commit that a version is made of, or nil. Versions that are
// neither pseudo-versions of a mirror's commit nor its tags are someone else's.
func (o *Offer) find(ctx context.Context, m module.Version) (object.ID, *object.Commit, error) {
	if o.Tagged != nil {
		id, ok, err := o.Tagged(m)
		if err != nil {
			return object.ID{}, nil, err
		}
		if ok {
			c, err := o.commit(id)
			return id, c, err
		}
	}
	prefix, err := module.PseudoVersionRev(m.Version)
	if err != nil {
		return object.ID{}, nil, nil
	}
	if _, err := hex.DecodeString(prefix); err != nil {
		return object.ID{}, nil, nil
	}
	out, err := o.git().Output(ctx, "rev-parse", "--disambiguate="+prefix)
	if err != nil {
		return object.ID{}, nil, err
	}
	for name := range strings.FieldsSeq(string(out)) {
		id, err := object.ParseID([]byte(name))
		if err != nil {
			return object.ID{}, nil, err
		}
		if t, _, err := o.reader.ReadAny(id); err != nil {
			return object.ID{}, nil, err
		} else if t != object.CommitType {
			continue
		}
		c, err := o.commit(id)
		if err != nil {
			return object.ID{}, nil, err
		}
		date, err := c.CommitTime()
		if err == nil && pin.PseudoVersion(m.Path, id, date.Unix()) == m.Version {
			return id, c, nil
		}
	}
	return object.ID{}, nil, nil
}

func (o *Offer) commit(id object.ID) (*object.Commit, error) {
	data, err := o.reader.Commit(id)
	if err != nil {
		return nil, err
	}
	return object.ParseCommit(data)
}

// Requirements reads a tree's go.mod. None, or one that the go command will
// complain about, requires nothing.
func (o *Offer) Requirements(tree object.ID) ([]module.Version, error) {
	data, err := o.file(tree, "go.mod")
	if err != nil || data == nil {
		return nil, err
	}
	file, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		return nil, nil
	}
	var required []module.Version
	for _, line := range file.Require {
		required = append(required, line.Mod)
	}
	return required, nil
}

func (o *Offer) add(ctx context.Context, m module.Version, id object.ID, c *object.Commit) error {
	if _, ok := o.commits[m]; ok {
		return nil
	}
	date, err := c.CommitTime()
	if err != nil {
		return fmt.Errorf("date of %s: %w", m, err)
	}
	tree, err := o.archived(ctx, c.Tree)
	if err != nil {
		return fmt.Errorf("apply the git attributes of %s: %w", m, err)
	}
	o.commits[m] = id
	return o.proxy.Add(m, date, id, tree)
}
