// Package catalog reads what is published: the branches, tags, commits and module
// versions of all mirrors. It is what there is to serve and to show.
//
// Everything is read from the mirrors and the rules. The source is not needed, and
// nothing is computed anew: whether mirrors have what they should is for package
// verify to prove.
package catalog

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/rules"
)

// Catalog is what is published.
type Catalog struct {
	// Destinations are in the order of the rules file. Those without a mirror are left
	// out, and so are those that the rules skip.
	Destinations []*Destination
}

// Destination is what one mirror has.
type Destination struct {
	Name   string
	Rule   *rules.Rule
	Mirror *mirror.Mirror
	// Module is the path that go.mod declares on the branch that HEAD names; empty where
	// there is none.
	Module string
	// Latest is the version that the go command falls back to where no tag will do: that
	// of the branch that HEAD names.
	Latest module.Version
	// Head is the branch that HEAD names.
	Head string
	// Branches are sorted by name.
	Branches []*Branch
	// Tags are in the order of their dates, the newest first.
	Tags []*Tag
	// Commits are all commits of the mirror by name.
	Commits map[object.ID]*Commit
	// Store has the mirror's objects.
	Store *odb.Store

	lines map[string]*line // by the suffix of the module's path
	// hasMod tells of tags whose names are versions whether there is a go.mod.
	hasMod   map[string]bool
	onCommit map[*Commit][]module.Version
}

// Branch is a branch of a mirror.
type Branch struct {
	Name string
	// Head is the commit at its end.
	Head *Commit
	// Source is the source commit that Head stands for: that of its trailer, or of the
	// nearest of its first parents that has one. It is zero where none has.
	Source object.ID
	// SourceBranch is the branch that the rules publish it from; empty where they say
	// nothing of it any more.
	SourceBranch string
	// Version is the pseudo-version of its head; zero where that is no module.
	Version module.Version
}

// Tag is a tag of a mirror.
type Tag struct {
	Name string
	// ID is what the ref names: a tag object, or a commit.
	ID object.ID
	// Commit is the one behind it.
	Commit *Commit
	// Source is the source commit that it stands for, as in [Branch].
	Source object.ID
	// Version is what the go command calls the commit: zero where the tag's name is no
	// version of the module that is there. Where there is no go.mod, it is a version of
	// the module that HEAD has, with +incompatible from v2 on.
	Version module.Version
	// Date is the tagger's, or else that of the commit.
	Date time.Time
	// Foreign tells that the tag was there when the mirror was taken over.
	Foreign bool
}

// Commit is a commit of a mirror.
type Commit struct {
	ID, Tree object.ID
	Parents  []*Commit
	// Source is the source commit that its trailer names; zero where it has none.
	Source object.ID
	// Date is the committer's, zero where the commit has none that can be read.
	Date time.Time
	// Author is the author's name, and Subject the first line of the message.
	Author, Subject string
	// Foreign tells that it was there when the mirror was taken over.
	Foreign bool

	versions []string // those of the tags on it, without build metadata
}

// FirstSource returns the source commit that a commit, or else the nearest of its
// first parents, stands for. It is zero where none names one.
func (c *Commit) FirstSource() object.ID {
	for c.Source.IsZero() && len(c.Parents) > 0 {
		c = c.Parents[0]
	}
	return c.Source
}

// Input is what is read.
type Input struct {
	Rules *rules.Rules
	// Mirrors is the folder of the mirrors.
	Mirrors string
	// Only, where not nil, tells which destinations are of interest.
	Only func(destination string, m *mirror.Mirror) bool
}

// Read reads the mirrors. The error is about a mirror that is damaged, or this machine.
func Read(ctx context.Context, in Input) (_ *Catalog, err error) {
	c := new(Catalog)
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	for i := range in.Rules.Rules {
		rule := &in.Rules.Rules[i]
		if rule.Skipped {
			continue
		}
		m, err := mirror.Open(mirror.Path(in.Mirrors, rule.Destination))
		if err != nil {
			return nil, fmt.Errorf("read the mirror of %s: %w", rule.Destination, err)
		}
		if m.Exists && (in.Only == nil || in.Only(rule.Destination, m)) {
			c.Destinations = append(c.Destinations, &Destination{Name: rule.Destination, Rule: rule, Mirror: m, Head: m.Head()})
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, d := range c.Destinations {
		group.Go(func() error {
			r := reader{Destination: d, ctx: ctx, trailer: in.Rules.Trailer, modules: make(map[object.ID]string)}
			if err := r.read(); err != nil {
				return fmt.Errorf("read the mirror of %s: %w", d.Name, err)
			}
			return nil
		})
	}
	return c, group.Wait()
}

// Close lets go of the mirrors.
func (c *Catalog) Close() {
	for _, d := range c.Destinations {
		if d.Store != nil {
			d.Store.Close()
		}
	}
}

// Destination returns a destination by its name, or nil.
func (c *Catalog) Destination(name string) *Destination {
	for _, d := range c.Destinations {
		if d.Name == name {
			return d
		}
	}
	return nil
}
