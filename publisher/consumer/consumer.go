// Package consumer proves that a release can be consumed, before it is there: a new
// module that pins it is resolved and built by the go command, from what is about to
// be published alone.
//
// The consumer is a stranger. Its go.mod requires the release and what the release's
// own go.mod requires, its go.sum is the release's with the hash of the release itself,
// and the go command may change neither (-mod=readonly): so each line that is missing
// or wrong shows. It imports every package of the release that can be imported, and
// builds all. Versions of sibling modules come from the mirrors, those that are on
// their way included, and from nowhere else; other modules come from the proxy that
// the user's go command is set up with.
//
// # What a proof says
//
// A proof is about the release: [UnconsumableError] says that nobody could build with
// it. It is for linux/amd64 without cgo, whatever this machine is. What may be this
// machine's fault is an error of another kind: where modules could not be fetched, a
// limit was hit, the go command was killed or says that the system failed it, where the
// Go toolchain is older than the release wants, or where in the same place a program
// that has nothing to do with the release cannot be built either.
//
// A proof decides whether a release is let out, and nothing about what it is.
package consumer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/siblings"
)

// Release is a version of a module that a tag in a mirror is to be.
type Release struct {
	// Destination and Tag are for messages.
	Destination, Tag string
	Module           module.Version
}

// UnconsumableError reports a release that nobody could build with.
type UnconsumableError struct {
	Release
	// Said is the end of what the go command said, fit to be printed.
	Said string
}

func (e *UnconsumableError) Error() string {
	return fmt.Sprintf("tag %s of %s cannot be consumed: a new module that requires %s does not build, says the go command\n\t%s",
		e.Tag, e.Destination, e.Module, strings.ReplaceAll(strings.TrimRight(e.Said, "\n"), "\n", "\n\t"))
}

// Key names a proof: it is the hash of all that it depends on.
type Key = [sha256.Size]byte

// Memory remembers proofs. It only saves time.
type Memory interface {
	Proven(Key) bool
	AddProof(Key)
}

// Prover proves releases, one at a time. It is to be closed.
type Prover struct {
	memory Memory
	log    *slog.Logger
	place  *builder.Place
	offer  *siblings.Offer
	hashes map[module.Version]hashes
}

// hashes are those of go.sum.
type hashes struct{ zip, goMod string }

// New makes a prover for releases whose objects, and their siblings', are in git
// object directories. Tagged returns the commit of a version that is a tag in a mirror,
// or is about to be. Memory may be nil.
func New(c builder.Config, objectDirs []string, tagged func(module.Version) (object.ID, bool, error), memory Memory) (*Prover, error) {
	place, err := c.Open("consumer")
	if err != nil {
		return nil, err
	}
	p := &Prover{memory: memory, log: c.Log, place: place, hashes: make(map[module.Version]hashes)}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.offer, err = siblings.Open(filepath.Join(place.Beside(), "siblings"), objectDirs); err != nil {
		return nil, errors.Join(err, place.Close())
	}
	p.offer.Tagged = tagged
	return p, nil
}

// Close removes what the prover has left.
func (p *Prover) Close() error { return errors.Join(p.offer.Close(), p.place.Close()) }

// Prove proves a release. The error is an [*UnconsumableError] where it cannot be
// consumed, and any other one where that could not be found out.
func (p *Prover) Prove(ctx context.Context, r Release) error {
	failed := func(err error) error {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("try whether tag %s of %s can be consumed: %w", r.Tag, r.Destination, err)
	}
	start := time.Now()
	found, err := p.offer.Add(ctx, r.Module)
	if err != nil {
		return failed(err)
	}
	if !slices.Contains(found.Siblings, r.Module) {
		return failed(fmt.Errorf("no mirror has %s", r.Module))
	}
	c := &consumer{release: r, found: found, prover: p}
	if err := c.read(); err != nil {
		return failed(err)
	}
	toolchain, err := p.place.UseToolchain(ctx, "", c.goMod)
	if err != nil {
		return failed(err)
	}
	key, err := c.key(toolchain.GOVERSION)
	if err != nil {
		return failed(err)
	}
	if p.memory != nil && p.memory.Proven(key) {
		return nil
	}
	said, err := c.build(ctx)
	if err != nil {
		if fault := p.ofMachine(ctx, said, err); fault != nil {
			return failed(fault)
		}
		return &UnconsumableError{r, said}
	}
	p.log.Info("a consumer can build with it", "destination", r.Destination, "tag", r.Tag, "seconds", time.Since(start).Seconds())
	if p.memory != nil {
		p.memory.AddProof(key)
	}
	return nil
}

// consumer is the module that pins a release.
type consumer struct {
	release Release
	found   siblings.Found
	prover  *Prover

	goMod, goSum []byte // the release's
}

// read reads what the release says about itself.
func (c *consumer) read() (err error) {
	if c.goMod, err = c.prover.offer.File(c.release.Module, "go.mod"); err != nil {
		return err
	}
	c.goSum, err = c.prover.offer.File(c.release.Module, "go.sum")
	return err
}

// key hashes what a proof depends on: the Go version, and the content of all modules
// that mirrors have; that of the others is in their go.sum files.
func (c *consumer) key(goVersion string) (Key, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "consumer 1 %s %s %s\n", platform, goVersion, c.release.Module)
	for _, m := range slices.SortedFunc(slices.Values(c.found.Siblings), func(a, b module.Version) int { return strings.Compare(a.String(), b.String()) }) {
		h, err := c.prover.hash(m)
		if err != nil {
			return Key{}, err
		}
		fmt.Fprintf(&text, "%s %s %s\n", m, h.zip, h.goMod)
	}
	return sha256.Sum256([]byte(text.String())), nil
}

// hash hashes a version as the go command does.
func (p *Prover) hash(m module.Version) (h hashes, err error) {
	if h, ok := p.hashes[m]; ok {
		return h, nil
	}
	zip, goMod, err := p.offer.Files(m)
	if err != nil {
		return h, err
	}
	if h.zip, err = dirhash.HashZip(zip, dirhash.Hash1); err != nil {
		return h, err
	}
	data, err := os.ReadFile(goMod)
	if err != nil {
		return h, err
	}
	h.goMod = modhash.GoMod(data)
	p.hashes[m] = h
	return h, nil
}
