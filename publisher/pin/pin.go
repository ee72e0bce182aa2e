// Package pin turns the go.mod and go.sum that a module has inside a monorepo
// into the ones that it has in its mirror.
//
// Modules of one monorepo are siblings. There, a module finds its siblings on
// disk: go.mod requires them at a version that means nothing, and a relative
// replace points next door:
//
//	require k8s.io/api v0.0.0
//	replace k8s.io/api => ../api
//
// In the mirror there is no next door. A pinned go.mod requires every sibling
// at the version that was published from the same source commit. Replaces by a
// directory are gone where they are of such a sibling, or where the directory is
// not in the mirror, whichever module they are for: a build in the mirror could
// not find it, and "go install" takes no module that has any. A pinned go.sum has
// the checksums of those versions. Everything else stays: the other lines of
// go.sum byte for byte, and go.mod as "go mod edit -require=… -dropreplace=…"
// would leave it, directives of future go versions included. A go.mod in which
// there is nothing to change is not even formatted.
//
// What is left are requirements at a version that nobody publishes, of modules
// that are no siblings: [Mod.Placeholders].
//
// # Checksums of the module graph
//
// The go command checks every go.mod that it reads. From go 1.17 on, it reads
// those of a module's own requirements and stops there, so the two lines per
// required sibling are all that go.sum needs. For an older module it reads on
// through the whole graph (https://go.dev/ref/mod#graph-pruning), so go.sum
// must have the /go.mod line of each sibling that can be reached, and, as
// packages may come from there, the line of its zip. These need not be at
// the versions pinned here: a sibling that has not changed for a while still
// requires what it was published with. [Module] therefore links to the modules
// that its own published go.mod requires.
//
// The formats are specified in https://go.dev/ref/mod#go-mod-file and
// https://go.dev/ref/mod#go-sum-files.
package pin

import (
	"bytes"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"k8s.io/publisher/object"
)

// Module is a sibling as it was published.
type Module struct {
	Path    string
	Version string
	// Sum and GoModSum are the "h1:" hashes of the module zip and of its
	// go.mod. An empty one has no line in go.sum.
	Sum, GoModSum string
	// Unpruned is [Mod.Unpruned] of the module's go.mod.
	Unpruned bool
	// Requires are the siblings in the module's own published go.mod, at the
	// versions that it pins them to.
	Requires []*Module
}

// Files are a module's pinned files. One that is nil stays as it is in the
// source, be it absent.
type Files struct {
	GoMod, GoSum []byte
}

// SyntaxError reports a source file that cannot be pinned because the go
// command could not read it either.
type SyntaxError struct {
	File string // go.mod or go.sum
	Line int    // counted from 1
	Err  error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

func (e *SyntaxError) Unwrap() error { return e.Err }

// Blobs gives the content of a file in the source repository. That it is what its
// name says is checked here, as nobody does later: what is published is another
// file.
type Blobs interface {
	Blob(id object.ID) ([]byte, error)
}

// Commits that follow each other mostly have the same go.mod and go.sum with
// other siblings' versions. The numbers are for tens of modules on several
// branches that are walked at once. A large module of Kubernetes has 15 kB of
// the one and 45 kB of the other in memory, so this is some 40 MB.
const (
	modsKept = 1024
	sumsKept = 512
)

// Pinner pins files by the names of their blobs, and remembers what it has
// parsed. It can be used by several goroutines at once.
type Pinner struct {
	blobs    Blobs
	siblings map[string]bool
	mods     *lru.Cache[object.ID, parsed[*Mod]]
	sums     *lru.Cache[object.ID, parsed[*Sum]]
}

// parsed is what is known of a blob: its content or its [SyntaxError].
type parsed[T any] struct {
	file T
	err  error
}

// New returns a Pinner for modules among which siblings have these paths.
func New(blobs Blobs, siblings []string) *Pinner {
	p := &Pinner{blobs: blobs, siblings: make(map[string]bool, len(siblings))}
	for _, path := range siblings {
		p.siblings[path] = true
	}
	p.mods, _ = lru.New[object.ID, parsed[*Mod]](modsKept) // Fails for a size of zero only.
	p.sums, _ = lru.New[object.ID, parsed[*Sum]](sumsKept)
	return p
}

// Mod returns the go.mod in a blob. The error is a [*SyntaxError] where it is
// broken; any other one is from reading the blob.
func (p *Pinner) Mod(goMod object.ID) (*Mod, error) {
	return remember(p.mods, p.blobs, goMod, func(data []byte) (*Mod, error) {
		return ParseMod(data, p.siblings)
	})
}

// Pin returns the pinned form of a module's files. Depth is how many directories
// lie between the root of the mirror and the files: 0 for those in the root. A
// zero goSum stands for a module that has none; it gets one if a sibling is
// pinned.
//
// Versions maps the siblings' paths to what they are pinned to. It needs to have
// those in [Mod.Requires] only. A required sibling that it lacks is taken for
// a foreign module: its requirement stays as it is.
//
// The error is a [*SyntaxError] where a file is broken; any other one is from
// reading a blob.
func (p *Pinner) Pin(goMod, goSum object.ID, depth int, versions map[string]*Module) (Files, error) {
	mod, err := p.Mod(goMod)
	if err != nil {
		return Files{}, err
	}
	var sum *Sum
	if !goSum.IsZero() && mod.requiresAny(versions) {
		if sum, err = remember(p.sums, p.blobs, goSum, ParseSum); err != nil {
			return Files{}, err
		}
	}
	return mod.Pin(sum, depth, versions), nil
}

func remember[T any](memo *lru.Cache[object.ID, parsed[T]], blobs Blobs, id object.ID, parse func([]byte) (T, error)) (T, error) {
	if known, ok := memo.Get(id); ok {
		return known.file, known.err
	}
	data, err := blobs.Blob(id)
	if err == nil {
		if got := object.Hash(object.BlobType, data); got != id {
			err = fmt.Errorf("its content is that of %s: git fsck tells what is damaged", got)
		}
	}
	if err != nil {
		var none T
		return none, fmt.Errorf("read blob %s: %w", id, err)
	}
	file, err := parse(data)
	memo.Add(id, parsed[T]{file, err})
	return file, err
}

// Pin returns the pinned form of a go.mod and the go.sum next to it, nil where
// there is none, as [Pinner.Pin] does.
func (m *Mod) Pin(sum *Sum, depth int, versions map[string]*Module) Files {
	var files Files
	if goMod := m.template(depth, versions).fill(versions); !bytes.Equal(goMod, m.data) {
		files.GoMod = goMod
	}
	if sum == nil {
		sum = new(Sum)
	}
	if goSum := sum.with(m.checksums(versions)); string(goSum) != sum.text {
		files.GoSum = goSum
	}
	return files
}
