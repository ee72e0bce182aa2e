package site

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/sync/errgroup"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/checksumdb"
	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
)

// VerifyOptions say what is proven.
type VerifyOptions struct {
	// Options say which site it is, and of what. No key file is needed.
	Options
	// Key is the verifier key that consumers have. Empty: the one that is in the site.
	Key string
	// Heads are signed heads of the checksum database that somebody has kept: it must have
	// grown from each of them.
	Heads [][]byte
}

// Proof is what was proven of a site, and what does not hold.
type Proof struct {
	// Versions and Foreign are those that are served; of those that were taken over, it is
	// proven that they are what the mirrors have.
	Versions int `json:"versions"`
	Foreign  int `json:"foreign,omitempty"`
	// Records are those of the checksum database, and Heads its signed heads, as far as they
	// are known: each of them has grown from those before.
	Records int `json:"records"`
	Heads   int `json:"heads"`
	// Behind are destinations whose mirror has more than the site. Of these, it is not
	// proven that everything is told of.
	Behind   []string  `json:"behind,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is something that does not hold.
type Problem struct {
	File string `json:"file"` // in the site
	What string `json:"what"`
}

func (p Problem) String() string { return p.File + ": " + p.What }

// Verify proves that what a site has is what the mirrors have. Nothing is taken from what
// [Write] has left but the files that consumers get: zips are hashed as the go command
// does, and compared with the hash of the mirror's tree and with the checksum database,
// which has to be whole. Whether mirrors are what they should be is for package verify to
// prove. Nobody may write to the site meanwhile. The error is about this machine, or a
// damaged mirror.
func Verify(ctx context.Context, o VerifyOptions) (_ *Proof, err error) {
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	v := &verifier{writer: writer{Options: o.Options, modules: make(map[string]*served)}, logged: make(map[module.Version]checksumdb.Record), seen: make(map[string]bool)}
	if err := v.verifyLog(ctx, o); err != nil {
		return nil, err
	}
	before := readState(o.Dir)
	// What origins are to say was said when the site was written.
	v.BaseURL = cmp.Or(v.BaseURL, before.BaseURL)
	now, err := stateOf(&v.Options)
	if err != nil {
		return nil, err
	}
	if v.catalog, err = catalog.Read(ctx, catalog.Input{Rules: o.Rules, Mirrors: o.Mirrors}); err != nil {
		return nil, err
	}
	defer v.catalog.Close()
	for _, d := range v.catalog.Destinations {
		behind := before.Refs[d.Name] != now.Refs[d.Name]
		if behind {
			v.proof.Behind = append(v.proof.Behind, d.Name)
		}
		if err := v.verifyDestination(ctx, d, behind); err != nil {
			return nil, fmt.Errorf("verify what the site has of %s: %w", d.Name, err)
		}
	}
	if err := v.verifyStrays(); err != nil {
		return nil, err
	}
	slices.SortFunc(v.proof.Problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.What, b.What))
	})
	return &v.proof, ctx.Err()
}

// verifier is one verification.
type verifier struct {
	writer
	logged map[module.Version]checksumdb.Record

	mu    sync.Mutex
	proof Proof
	seen  map[string]bool // folders of modules that some destination has
}

func (v *verifier) problem(file, format string, args ...any) {
	if rel, err := filepath.Rel(v.Dir, file); err == nil {
		file = filepath.ToSlash(rel)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.proof.Problems = append(v.proof.Problems, Problem{file, fmt.Sprintf(format, args...)})
}

// verifyLog has the checksum database proven. Where it is not whole, there are no records.
func (v *verifier) verifyLog(ctx context.Context, o VerifyOptions) error {
	dir := filepath.Join(v.Dir, "sumdb")
	key := o.Key
	if key == "" {
		data, err := os.ReadFile(filepath.Join(dir, "key"))
		if err != nil {
			return fmt.Errorf("the verifier key of the site: %w", err)
		}
		key, _, _ = strings.Cut(string(data), "\n")
	}
	report, err := checksumdb.Verify(ctx, dir, key, o.Heads...)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		v.problem(dir, "%v", err)
		return nil
	}
	for _, r := range report.Records {
		v.logged[r.Module] = r
	}
	v.proof.Records, v.proof.Heads = len(report.Records), report.Heads
	return nil
}

// verifyDestination proves all versions of a destination, and what is told of them.
func (v *verifier) verifyDestination(ctx context.Context, d *catalog.Destination, behind bool) error {
	s := &served{Destination: d, folders: make(map[string]*goproxy.Folder), unfetchable: make(map[module.Version]bool)}
	tags := make(map[module.Version]*catalog.Tag)
	for _, t := range d.Tags {
		tags[t.Version] = t
	}
	names := v.queriesOf(s)
	var served []module.Version
	for _, path := range d.Paths() {
		f, err := goproxy.ExistingFolder(v.modDir(), path)
		if err != nil {
			return err
		}
		s.folders[path] = f
		v.seen[f.Dir()] = true
		for _, name := range f.Infos() {
			m := module.Version{Path: path, Version: name}
			switch _, query := names[m]; {
			case module.CanonicalVersion(name) != "":
				served = append(served, m)
			case !query && !behind:
				v.problem(f.Name(name, ".info"), "the mirror of %s has no such branch or tag", d.Name)
			}
		}
	}
	hasher := modhash.New(d.Store.Reader(), new(modhash.MemorySums))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for chunk := range slices.Chunk(served, 32) {
		group.Go(func() error {
			objects := d.Store.SmallReader()
			a := &adder{writer: &v.writer, served: s, objects: objects, hasher: hasher.Another(objects)}
			for _, m := range chunk {
				if err := errors.Join(ctx.Err(), v.verifyVersion(a, m, tags[m])); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if behind {
		return nil
	}
	return v.verifyTold(s, names)
}

// verifyVersion proves one version. The tag is nil for a pseudo-version.
func (v *verifier) verifyVersion(a *adder, m module.Version, tag *catalog.Tag) error {
	f := a.served.folders[m.Path]
	v.progress("verifying "+a.served.Name, 0, 1)
	info, err := f.Info(m.Version)
	if err != nil {
		return err
	}
	at := f.Name(m.Version, ".info")
	if info == nil || info.Origin == nil {
		v.problem(at, "it cannot be read, or says nothing of a commit")
		return nil
	}
	var c *catalog.Commit
	if id, err := object.ParseID([]byte(info.Origin.Hash)); err == nil {
		c = a.served.Commits[id]
	}
	ref := ""
	if tag != nil {
		ref = "refs/tags/" + tag.Name
		if tag.Commit != c {
			v.problem(at, "it says that the commit is %s, but the tag is on %s", info.Origin.Hash, tag.Commit.ID)
			return nil
		}
	}
	if c == nil {
		v.problem(at, "the mirror has no commit %s", info.Origin.Hash)
		return nil
	}
	if tag == nil && !pseudoVersionOf(m, c) {
		v.problem(at, "the mirror has no such tag, nor is it a pseudo-version of commit %s", c.ID)
		return nil
	}
	if want := v.info(a.served, m.Version, c, ref); !same(info, want) {
		v.problem(at, "it says %v, not %v", text(info), text(want))
	}
	v.mu.Lock()
	v.proof.Versions++
	if c.Foreign || tag != nil && tag.Foreign {
		v.proof.Foreign++
	}
	v.mu.Unlock()
	return v.verifyFiles(a, m, catalog.Version{Version: m, Commit: c})
}

// verifyFiles proves the zip and the go.mod of a version.
func (v *verifier) verifyFiles(a *adder, m module.Version, at catalog.Version) error {
	f := a.served.folders[m.Path]
	contents, err := a.hasher.Contents(m, at.Commit.Tree)
	if unfetchable, ok := errors.AsType[*modhash.UnfetchableError](err); ok {
		v.problem(f.Name(m.Version, ".info"), "it is listed, and cannot be fetched: %v", unfetchable.Err)
		return nil
	}
	if err != nil {
		return err
	}
	goMod, err := a.goMod(at)
	if err != nil {
		return err
	}
	record, logged := v.logged[m]
	if !logged && v.proof.Records > 0 {
		v.problem(f.Name(m.Version, ".info"), "the checksum database does not have it")
	}
	if logged && record != (checksumdb.Record{Module: m, Zip: contents.Sum, GoMod: modhash.GoMod(goMod)}) {
		v.problem(f.Name(m.Version, ".info"), "the checksum database has other hashes for it than the mirror")
	}
	name := f.Name(m.Version, ".zip")
	if hash, err := dirhash.HashZip(name, dirhash.Hash1); err != nil {
		v.problem(name, "%v", err)
	} else if hash != contents.Sum {
		v.problem(name, "it has the hash %s, but what is in the mirror has %s", hash, contents.Sum)
	}
	name = f.Name(m.Version, ".mod")
	if data, err := os.ReadFile(name); err != nil {
		v.problem(name, "%v", err)
	} else if !bytes.Equal(data, goMod) {
		v.problem(name, "it is not the go.mod that is in the mirror")
	}
	return nil
}

func pseudoVersionOf(m module.Version, c *catalog.Commit) bool {
	revision, err := module.PseudoVersionRev(m.Version)
	date, err2 := module.PseudoVersionTime(m.Version)
	return err == nil && err2 == nil && strings.HasPrefix(c.ID.String(), revision) && date.Equal(c.Date)
}

func text(i *goproxy.Info) string {
	data, _ := i.Encode() // It was decoded before.
	return string(data)
}

func same(a, b *goproxy.Info) bool { return text(a) == text(b) }

// verifyTold proves that branches, tags and lists say what there is, and that git gets what
// the mirror has.
func (v *verifier) verifyTold(s *served, names map[module.Version]*goproxy.Info) error {
	for _, version := range s.Versions() {
		if f := s.folders[version.Path]; !f.Has(version.Version.Version, ".info") {
			s.unfetchable[version.Version] = true
			if v.fetchable(s, version) {
				v.problem(f.Name(version.Version.Version, ".info"), "it is missing")
			}
		}
	}
	for m, want := range names {
		if s.unfetchable[module.Version{Path: m.Path, Version: want.Version}] {
			continue
		}
		f := s.folders[m.Path]
		if info, err := f.Info(m.Version); err != nil {
			return err
		} else if info == nil {
			v.problem(f.Name(m.Version, ".info"), "it is missing, or cannot be read")
		} else if !same(info, want) {
			v.problem(f.Name(m.Version, ".info"), "it says %s, not %s", text(info), text(want))
		}
	}
	for _, path := range s.Paths() {
		f := s.folders[path]
		list, latest := v.listed(s, path)
		for _, bad := range f.CheckList(list, latest) {
			v.problem(bad, "it does not tell of the versions that there are")
		}
	}
	return v.verifyRepository(s.Destination)
}

// fetchable reports whether the go command could fetch a version.
func (v *verifier) fetchable(s *served, version catalog.Version) bool {
	_, err := modhash.New(s.Store.SmallReader(), new(modhash.MemorySums)).Contents(version.Version, version.Commit.Tree)
	_, unfetchable := errors.AsType[*modhash.UnfetchableError](err)
	return !unfetchable
}

// verifyRepository proves that who clones from the site gets what the mirror has.
func (v *verifier) verifyRepository(d *catalog.Destination) error {
	to := v.repository(d)
	packs, err := fs.Glob(os.DirFS(d.Mirror.ObjectsDir()), "pack/pack-*.pack")
	if err != nil {
		return err
	}
	for name, want := range repositoryFiles(d, packs) {
		if data, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name))); err != nil {
			v.problem(filepath.Join(to, name), "%v", err)
		} else if string(data) != want {
			v.problem(filepath.Join(to, name), "it does not say what the mirror has")
		}
	}
	for _, pack := range packs {
		for _, name := range []string{pack, strings.TrimSuffix(pack, ".pack") + ".idx"} {
			ours, theirs := filepath.Join(d.Mirror.ObjectsDir(), name), filepath.Join(to, "objects", name)
			if same, err := sameContent(ours, theirs); err != nil {
				v.problem(theirs, "%v", err)
			} else if !same {
				v.problem(theirs, "it is not the mirror's")
			}
		}
	}
	return nil
}

func sameContent(a, b string) (bool, error) {
	first, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	second, err := os.Stat(b)
	if err != nil || os.SameFile(first, second) {
		return err == nil, err
	}
	one, err := os.ReadFile(a)
	if err != nil {
		return false, err
	}
	other, err := os.ReadFile(b)
	return bytes.Equal(one, other), err
}

// verifyStrays finds modules that no mirror has, and records that nothing is served of.
func (v *verifier) verifyStrays() error {
	err := filepath.WalkDir(v.modDir(), func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "@v" || !e.IsDir() {
			return err
		}
		if !v.seen[name] {
			v.problem(name, "no mirror has this module")
		}
		return fs.SkipDir
	})
	if err != nil {
		return err
	}
	for m := range v.logged {
		escaped, err := module.EscapePath(m.Path)
		if err != nil {
			return err
		}
		version, err := module.EscapeVersion(m.Version)
		if err != nil {
			return err
		}
		name := filepath.Join(v.modDir(), filepath.FromSlash(escaped), "@v", version)
		if _, err := os.Stat(name + ".info"); err != nil {
			v.problem(name+".info", "it is missing, though the checksum database has the version; publisher site mends that")
		}
	}
	return nil
}
