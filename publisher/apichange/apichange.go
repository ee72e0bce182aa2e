// Package apichange tells how the exported API of a module changed from one version to
// the next, by golang.org/x/exp/apidiff, without a network and without the modules that it
// requires.
//
// A module's own packages are read from the mirror's objects and type-checked, without
// the bodies of functions, as for linux/amd64 and without cgo. The standard library comes
// from the Go installation. What is imported from elsewhere is taken by name: a type
// example.com/m.T is the same in both versions, whatever it is, and what is embedded with it
// is not seen. So a change of a required module's API does not show here, and should not:
// it is no change of this one.
//
// What cannot be type-checked that way, such as a constant that is computed from another
// module's, is left out, and said so.
package apichange

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/constant"
	"go/types"
	"path"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// Comparison is how the API of one tree differs from that of another one.
type Comparison struct {
	// Packages that differ, by their paths.
	Packages []Package `json:"packages"`
	// Compared counts the packages that were looked at: those whose files are not the same.
	Compared int `json:"compared"`
	// LeftOut are packages of which something, or all, cannot be type-checked.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
}

// Package is how a package differs.
type Package struct {
	Path string `json:"path"`
	// Added and Removed tell that there is no more to compare.
	Added   bool `json:"added,omitempty"`
	Removed bool `json:"removed,omitempty"`
	// Incompatible changes may break those who use the package; Compatible ones do not.
	Incompatible []string `json:"incompatible,omitempty"`
	Compatible   []string `json:"compatible,omitempty"`
}

// LeftOut is a package that could not be compared, or not as a whole.
type LeftOut struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// Version is a version of a module.
type Version struct {
	Module string
	Tree   object.ID
}

// Comparer compares versions of modules in one repository. It is not safe for concurrent
// use.
type Comparer struct {
	objects *odb.Reader
	std     *Std
	// before and now are the files that were read for the comparison before and for the one
	// that is being made: most stay the same from one version to the next.
	before, now map[fileKey]*file
}

// fileKey is all that a file's meaning depends on.
type fileKey struct {
	blob object.ID
	name string
}

// New returns a Comparer of what is in a store.
func New(store *odb.Store, std *Std) *Comparer {
	return &Comparer{objects: store.SmallReader(), std: std}
}

// Sources returns a digest of a version's Go files and the module's path: versions that have
// the same one have the same API.
func (c *Comparer) Sources(v Version) (string, error) {
	directories, err := c.directories(v)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", v.Module)
	for _, d := range directories {
		for _, key := range d.keys {
			fmt.Fprintf(h, "%s %q\n", key.blob, path.Join(d.rel, key.name))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Chain compares each of some versions with the one before it. What it says of two
// versions does not depend on the others. The errors are those of reading.
func (c *Comparer) Chain(ctx context.Context, versions []Version) ([]*Comparison, error) {
	comparisons := make([]*Comparison, 0, max(0, len(versions)-1))
	var before []directory
	for i, v := range versions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.before, c.now = c.now, make(map[fileKey]*file)
		after, err := c.directories(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			comparison, err := c.compare(newWorld(c, versions[i-1], before), newWorld(c, v, after))
			if err != nil {
				return nil, err
			}
			comparisons = append(comparisons, comparison)
		}
		before = after
	}
	c.before, c.now = nil, nil
	return comparisons, nil
}

// compare compares what others may import. Of packages that have the same files nothing is
// read, unless others need them.
func (c *Comparer) compare(before, after *world) (*Comparison, error) {
	var differ []string
	for rel, p := range after.packages {
		if old := before.packages[rel]; old == nil || !slices.Equal(old.keys, p.keys) {
			differ = append(differ, rel)
		}
	}
	for rel := range before.packages {
		if after.packages[rel] == nil {
			differ = append(differ, rel)
		}
	}
	slices.Sort(differ)
	for _, w := range []*world{before, after} {
		if err := w.load(differ); err != nil {
			return nil, err
		}
	}
	comparison := &Comparison{Packages: []Package{}}
	for _, rel := range differ {
		old, new := before.exported(rel), after.exported(rel)
		if !old && !new {
			continue
		}
		comparison.Compared++
		importPath := after.path(rel)
		switch {
		case !old:
			comparison.Packages = append(comparison.Packages, Package{Path: importPath, Added: true})
		case !new:
			comparison.Packages = append(comparison.Packages, Package{Path: importPath, Removed: true})
		default:
			p, why := comparePackage(before, after, rel)
			if why != "" {
				comparison.LeftOut = append(comparison.LeftOut, LeftOut{importPath, why})
			}
			if len(p.Compatible)+len(p.Incompatible) > 0 {
				p.Path = importPath
				comparison.Packages = append(comparison.Packages, p)
			}
		}
	}
	return comparison, nil
}

// comparePackage returns why something is left out, where it is.
func comparePackage(before, after *world, rel string) (p Package, why string) {
	defer func() {
		if r := recover(); r != nil { // of go/types or apidiff, about strange code
			p, why = Package{}, fmt.Sprintf("cannot be compared: %v", r)
		}
	}()
	var checked [2]*types.Package
	for i, w := range []*world{before, after} {
		pkg, err := w.check(rel)
		if err != nil {
			return Package{}, err.Error()
		}
		checked[i] = pkg
		if partly := w.packages[rel].partly; partly != nil {
			why = partly.Error()
		}
	}
	for _, change := range apidiff.Changes(checked[0], checked[1]).Changes {
		message := strings.TrimPrefix(change.Message, "./")
		name, _, _ := strings.Cut(message, ":")
		if strings.Contains(message, types.Typ[types.Invalid].String()) || unknown(checked[0], name) || unknown(checked[1], name) {
			continue // It has no type or value that is known, on one side at least.
		}
		if change.Compatible {
			p.Compatible = append(p.Compatible, message)
		} else {
			p.Incompatible = append(p.Incompatible, message)
		}
	}
	slices.Sort(p.Compatible)
	slices.Sort(p.Incompatible)
	return p, why
}

// unknown tells that a name is a constant whose value could not be computed.
func unknown(p *types.Package, name string) bool {
	c, ok := p.Scope().Lookup(name).(*types.Const)
	return ok && c.Val().Kind() == constant.Unknown
}

// Counts are how many changes of each kind there are.
func (c *Comparison) Counts() (incompatible, compatible int) {
	for _, p := range c.Packages {
		incompatible += len(p.Incompatible)
		compatible += len(p.Compatible)
		if p.Removed {
			incompatible++
		}
		if p.Added {
			compatible++
		}
	}
	return incompatible, compatible
}

// firstError shortens what a type checker says.
func firstError(errs []error) error {
	slices.SortStableFunc(errs, func(a, b error) int { return cmp.Compare(len(a.Error()), len(b.Error())) })
	text := errs[0].Error()
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return fmt.Errorf("in part, as it is not known what it requires: %s", text)
}
