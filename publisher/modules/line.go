// Package modules knows the modules of a monorepo as they are published: which
// module a tree is, at which versions it can be required, and what its go.mod and
// go.sum say when they are pinned to its siblings.
//
// A [Line] is the module of one projection through all of its history. What is
// found out about its commits is shared by all workers; a [Worker] is what one
// goroutine needs.
//
// # Which version is pinned
//
// A tree is pinned to its siblings as they were at the same source commit. Within
// a circle of modules that require each other a hash would have to contain itself:
// there a branch pins a sibling at its newest projection among the ancestors of the
// source commit other than the commit itself. Where a sibling's commit cannot be
// fetched as a module, as file names forbid it, what comes before it on its first
// parents is pinned: a go.mod never names a version that nobody can fetch.
//
// # What a consumer of a circle sees
//
// "go get" of a member at a tag brings the others at the same tag. In a check-out of
// the tag, go.sum lacks the zips of members that come later by destination, as these
// have its own hash in them: "go build -mod=mod" adds the lines, "go build" asks for
// them. On a branch go.sum has all, but requirements stay as they are in the source
// in the commit that brings a circle in, since nothing comes before it; so do builds
// of it fail until the next commit. Before go 1.17, builds read the go.mod files of
// all that can be reached, which within a circle is each commit of the branch down to
// that one: only tags of such modules can be built.
package modules

import (
	"sync"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/spec"
)

// Line is a module through the history of its projection.
type Line struct {
	Spec       *spec.Spec
	Projection *projection.Projection
	// Deps are the lines that it may be pinned to, as in [spec.Spec.Deps].
	Deps     []*Line
	Warnings Warnings

	// paths, versions and fetchable hold, by index of the projected commit, the
	// module path, the *Version of the commit itself, and the one to require.
	paths, versions, fetchable sync.Map
	// manifests holds the *manifest of pinned trees, by tree.
	manifests sync.Map
}

// Pinned reports whether trees of the line change when they are published.
func (l *Line) Pinned() bool { return l.Spec.Pinned }

// Forget lets go of what was found out, which no worker needs any more.
func (l *Line) Forget() {
	for _, known := range []*sync.Map{&l.paths, &l.versions, &l.fetchable, &l.manifests} {
		known.Clear()
	}
}

// Version is a module as it was published.
type Version struct {
	pin.Module
	goSum object.ID // the blob, zero where there is none
}

// Workshop is what all workers share.
type Workshop struct {
	Scratch         *odb.Scratch // takes what is made
	Source, Mirrors *odb.Store   // Mirrors may be nil
	Sums            modhash.Sums

	hasher *modhash.Hasher
	plain  treeSet // without a go.mod in or below them
}

// treeSet is a set of trees. Of a large monorepo it has most, so that it takes care
// of their number. It can be used by several goroutines at once.
type treeSet struct {
	mu    sync.RWMutex
	trees map[object.ID]struct{}
}

func (s *treeSet) has(tree object.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.trees[tree]
	return ok
}

func (s *treeSet) add(tree object.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trees == nil {
		s.trees = make(map[object.ID]struct{})
	}
	s.trees[tree] = struct{}{}
}

// Worker reads, pins and hashes modules. It is not safe for concurrent use.
type Worker struct {
	Objects *odb.Layers

	shop    *Workshop
	hasher  *modhash.Hasher
	pinners map[string]*pin.Pinner
	// What was pinned in the root and below it, each of which resembles the one
	// before it.
	root, nested struct{ goMods, goSums, trees odb.Series }
}

// Worker returns a new worker. Workers work in parallel, but are made one by one.
func (s *Workshop) Worker() *Worker {
	objects := odb.NewLayers(s.Scratch, s.Source, s.Mirrors)
	if s.hasher == nil {
		s.hasher = modhash.New(objects, s.Sums)
	}
	return &Worker{Objects: objects, shop: s, hasher: s.hasher.Another(objects), pinners: make(map[string]*pin.Pinner)}
}
