package smoke

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
)

// modules is what a check-out requires, directly or through siblings.
type modules struct {
	// siblings are the paths of those that are in the mirrors, others the
	// paths of all that are not. Each is there once.
	siblings, others []string
}

// provide fills a module proxy with what a commit needs from the mirrors whose
// objects are within reach of the check-out.
func provide(ctx context.Context, commit object.ID, checkout, proxy string) (modules, error) {
	store, err := odb.Open(objects(checkout))
	if err != nil {
		return modules{}, err
	}
	defer store.Close()
	reader := store.Reader()
	r := &resolver{
		checkout: checkout, temp: proxy + ".tmp", reader: reader,
		proxy: &goproxy.Writer{Dir: proxy, Objects: reader},
	}
	return r.resolve(ctx, commit)
}

// resolver finds modules in a repository by their pseudo-versions.
type resolver struct {
	checkout, temp string
	reader         *odb.Reader
	proxy          *goproxy.Writer
}

// resolve follows the requirements of a commit's go.mod. Those of siblings are
// followed whether the go command will read them or not: that depends on
// versions, on what is imported, and on the go command.
func (r *resolver) resolve(ctx context.Context, commit object.ID) (modules, error) {
	var found modules
	c, err := r.commit(commit)
	if err != nil {
		return found, err
	}
	queue, err := r.requirements(c.Tree)
	if err != nil {
		return found, err
	}
	seen := make(map[module.Version]bool)
	listed := make(map[string]bool)
	for len(queue) > 0 {
		m := queue[0]
		queue = queue[1:]
		if seen[m] {
			continue
		}
		seen[m] = true
		id, c, err := r.find(ctx, m)
		if err != nil {
			return found, fmt.Errorf("find %s: %w", m, err)
		}
		list := &found.others
		if c != nil {
			list = &found.siblings
			if err := r.add(ctx, m, id, c); err != nil {
				return found, err
			}
			further, err := r.requirements(c.Tree)
			if err != nil {
				return found, fmt.Errorf("%s: %w", m, err)
			}
			queue = append(queue, further...)
		}
		if !listed[m.Path] {
			listed[m.Path] = true
			*list = append(*list, m.Path)
		}
	}
	return found, nil
}

// find returns the commit that a version is made of, or nil. Versions that are
// no pseudo-versions of a mirror's commit are someone else's.
func (r *resolver) find(ctx context.Context, m module.Version) (object.ID, *object.Commit, error) {
	prefix, err := module.PseudoVersionRev(m.Version)
	if err != nil {
		return object.ID{}, nil, nil
	}
	if _, err := hex.DecodeString(prefix); err != nil {
		return object.ID{}, nil, nil
	}
	out, err := inRepository(r.checkout).Output(ctx, "rev-parse", "--disambiguate="+prefix)
	if err != nil {
		return object.ID{}, nil, err
	}
	for name := range strings.FieldsSeq(string(out)) {
		id, err := object.ParseID([]byte(name))
		if err != nil {
			return object.ID{}, nil, err
		}
		if t, _, err := r.reader.ReadAny(id); err != nil {
			return object.ID{}, nil, err
		} else if t != object.CommitType {
			continue
		}
		c, err := r.commit(id)
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

func (r *resolver) commit(id object.ID) (*object.Commit, error) {
	data, err := r.reader.Commit(id)
	if err != nil {
		return nil, err
	}
	return object.ParseCommit(data)
}

// requirements reads a tree's go.mod. None, or one that the go command will
// complain about, requires nothing.
func (r *resolver) requirements(tree object.ID) ([]module.Version, error) {
	data, err := r.reader.Tree(tree)
	if err != nil {
		return nil, err
	}
	mode, id, ok, err := object.FindEntry(data, "go.mod")
	if err != nil || !ok || !mode.IsRegular() {
		return nil, err
	}
	if data, err = r.reader.Blob(id); err != nil {
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

func (r *resolver) add(ctx context.Context, m module.Version, id object.ID, c *object.Commit) error {
	date, err := c.CommitTime()
	if err != nil {
		return fmt.Errorf("date of %s: %w", m, err)
	}
	tree, err := r.archived(ctx, c.Tree)
	if err != nil {
		return fmt.Errorf("apply the git attributes of %s: %w", m, err)
	}
	return r.proxy.Add(m, date, id, tree)
}
