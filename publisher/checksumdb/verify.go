package checksumdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Report is what a database has that was verified.
type Report struct {
	Name string // of the key
	Head tlog.Tree
	// Heads is how many heads were signed, as far as is known from the lookups and from the
	// caller. The log contains all of them.
	Heads   int
	Records []Record
}

// Verify proves, from the files alone and without the private key, that a database is
// whole: that it has all tiles and lookups, each with the content that follows from the
// records, that the head has their hash and is signed by the key, and that the log has
// only grown from one signed head to the next. The heads are those in the lookups and
// those that the caller has kept.
//
// The error is a [*ForkError] where the log was rewritten, and a [*DamageError] where a file
// is missing or is not as it should be; what is meant is the first that was found. While
// somebody adds to the database, lookups may have a head that is not published yet: that
// is an error, too.
func Verify(ctx context.Context, dir, verifierKey string, kept ...[]byte) (*Report, error) {
	v, err := note.NewVerifier(strings.TrimSpace(verifierKey))
	if err != nil {
		return nil, fmt.Errorf("verify the checksum database %s: the verifier key: %w", dir, err)
	}
	a := audit{fs: os.DirFS(dir), known: note.VerifierList(v), heads: make(map[tlog.Tree]bool)}
	if err := a.run(ctx, kept); err != nil {
		return nil, fmt.Errorf("verify the checksum database %s: %w", dir, err)
	}
	return &Report{Name: v.Name(), Head: a.log.tree(), Heads: len(a.heads), Records: a.log.records}, nil
}

// audit is one verification.
type audit struct {
	fs    fs.FS
	known note.Verifiers
	log   *log
	heads map[tlog.Tree]bool // that were seen, and that the log contains
}

func (a *audit) run(ctx context.Context, kept [][]byte) error {
	latest, err := fs.ReadFile(a.fs, latestFile)
	if err != nil {
		return &DamageError{latestFile, err}
	}
	head, err := parseHead(latest, a.known)
	if err != nil {
		return &DamageError{latestFile, err}
	}
	if a.log, err = readLog(a.fs, head); err != nil {
		return err
	}
	a.heads[head] = true
	for _, msg := range kept {
		if _, err := a.head(msg); err != nil {
			return fmt.Errorf("a head that was kept: %w", err)
		}
	}
	for id, r := range a.log.records {
		if err := errors.Join(ctx.Err(), a.lookup(int64(id), r)); err != nil {
			return err
		}
	}
	if err := a.strays(ctx); err != nil {
		return err
	}
	return a.tiles(ctx)
}

// head makes sure that the log contains a signed head.
func (a *audit) head(msg []byte) (tlog.Tree, error) {
	tree, err := parseHead(msg, a.known)
	if err == nil && !a.heads[tree] {
		err = a.log.contains(tree)
	}
	if err == nil {
		a.heads[tree] = true
	}
	return tree, err
}

// lookup proves a lookup.
func (a *audit) lookup(id int64, r Record) error {
	name, err := LookupPath(r.Module)
	if err != nil {
		return err
	}
	data, err := fs.ReadFile(a.fs, name)
	if err != nil {
		return &DamageError{name, err}
	}
	msg, ok := bytes.CutPrefix(data, lookup(id, r, nil))
	if !ok {
		return &DamageError{name, fmt.Errorf("it does not have record %d as the log has it", id)}
	}
	tree, err := a.head(msg)
	if err == nil && tree.N <= id {
		err = fmt.Errorf("its head has %d records, and so not the one with the number %d", tree.N, id)
	}
	if err != nil {
		return &DamageError{name, err}
	}
	return nil
}

// strays makes sure that there are no lookups but those of the log.
func (a *audit) strays(ctx context.Context) error {
	return a.walk(ctx, "lookup", func(name string) error {
		m, err := ParseLookupPath(name)
		if err != nil {
			return err
		}
		if _, ok := a.log.places[m]; !ok {
			return fmt.Errorf("the log has no %s", m)
		}
		return nil
	})
}

// tiles proves all tiles that are there, and that none is missing of which a signed head
// consists.
func (a *audit) tiles(ctx context.Context) error {
	there := make(map[tlog.Tile]bool)
	err := a.walk(ctx, "tile", func(name string) error {
		t, err := tlog.ParseTilePath(name)
		if err != nil {
			return err
		}
		if !a.log.has(t) {
			return nil // No signed head has it: it is from a process that was killed.
		}
		data, err := fs.ReadFile(a.fs, name)
		if err == nil && !bytes.Equal(data, a.log.tile(t)) {
			err = errors.New("it does not have what the signed head says")
		}
		there[t] = true
		return err
	})
	if err != nil {
		return err
	}
	for head := range a.heads {
		for _, t := range (&log{records: a.log.records[:head.N]}).tilesSince(0) {
			full := t
			full.W = 1 << tileHeight
			if !there[t] && !there[full] {
				return &DamageError{t.Path(), fmt.Errorf("it is missing, though the signed head of %d records has it", head.N)}
			}
		}
	}
	return nil
}

// walk calls check for each file below a folder.
func (a *audit) walk(ctx context.Context, folder string, check func(name string) error) error {
	return fs.WalkDir(a.fs, folder, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == folder {
			return nil // Nothing is in the log.
		}
		if err = errors.Join(ctx.Err(), err); err == nil && !e.IsDir() {
			err = check(name)
		}
		if err != nil {
			return &DamageError{name, err}
		}
		return nil
	})
}
