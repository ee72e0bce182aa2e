// Package checksumdb keeps a checksum database of the go command as static files.
//
// A checksum database is a log: it says of each module version, once and for ever,
// which hashes its zip and its go.mod have. Its records are the leaves of a Merkle tree
// (RFC 6962), whose head is signed. A go command that is told of the database,
//
//	GOSUMDB="sum.example.org+0c1f2a5b+AQ… https://example.org/sumdb"
//
// asks it about each version that is new to its go.sum, remembers the newest head that it
// has seen, and has every later one proven to contain it. So nobody can give one consumer
// other bytes than another, or other ones today than yesterday, without being found out.
//
// The files are those that the go command asks for
// (https://go.dev/ref/mod#checksum-database, https://go.dev/design/25530-sumdb):
//
//	latest                       the signed head
//	lookup/<module>@<version>    a version's record, with a signed head that contains it
//	tile/8/<level>/<number>      256 hashes of the tree
//	tile/8/data/<number>         256 records
//	<tile>.p/<width>             a tile's first hashes or records, as it was when there were no more
//	key                          the verifier key, for people to copy
//	supported                    empty: says to who comes through a module proxy that it can
//
// Upper-case letters of modules and versions are written as "!" and the lower-case letter.
//
// # Heads
//
// A lookup keeps the head with which it was written. That is enough for every client:
// one that knows no head yet takes it, one that knows a later head finds that it contains
// this one, and the tiles of each head stay. So a version that is added changes no file
// but latest, and all heads that were ever signed are there for [Verify] to compare.
//
// # Order of writing
//
// The tiles come first, then the lookups, and then the head. But the lookups show a signed
// head already, from which there is no way back. So it is noted in a hidden file before
// the first of them is written. Who finds such a note after a crash goes on with it; without
// a note, nobody has seen anything, and what tiles there are beyond the head are overwritten.
package checksumdb

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sys/unix"
)

// Record is what the log says of a module version.
type Record struct {
	Module module.Version
	// Zip and GoMod are the hashes of the module's files and of its go.mod, as in go.sum:
	// "h1:" and 32 bytes in base 64.
	Zip, GoMod string
}

// Options say how a database is opened.
type Options struct {
	// Name is that of the database's key: a host name, such as sum.example.org. It is needed
	// where there is no key yet. Nothing has to answer at that host.
	Name string
	// KeyFile has the private key. It is made at first use. Only its owner may read it, and
	// it must not be among the files that are served. See [Rotate] for files of several keys.
	KeyFile string
}

// Database is a checksum database that can be added to. Only one can be open for a folder.
type Database struct {
	dir  string
	lock *os.File
	keys *keys
	head []byte // signed
	log  *log
	// halfway is why not all was written, if so.
	halfway error
	files
}

// LockedError reports a database that another process has open.
type LockedError struct{ Dir string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another process is at work on the checksum database %s; wait for it to end", e.Dir)
}

// ChangedError reports a version whose hashes are not those that the log has for ever.
type ChangedError struct {
	Logged, Offered Record
	ID              int64 // of the record in the log
}

func (e *ChangedError) Error() string {
	what, was, is := "zip", e.Logged.Zip, e.Offered.Zip
	if was == is {
		what, was, is = "go.mod", e.Logged.GoMod, e.Offered.GoMod
	}
	return fmt.Sprintf("the %s of %s has the hash %s, but record %d of the checksum database says %s for ever: publish the change as another version",
		what, e.Offered.Module, is, e.ID, was)
}

const (
	latestFile    = "latest"
	keyFile       = "key"
	supportedFile = "supported"
	nextFile      = ".next" // the signed head whose lookups are being written
)

// Open opens a folder's database, and makes it where there is none. What a process that
// was killed had begun to publish is published.
//
// All records are read, and hashed up to the signed head: the error is a [*DamageError]
// where that is not what comes out, a [*KeyError] where there is no fitting key, or a
// [*LockedError].
func Open(dir string, o Options) (_ *Database, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open the checksum database %s: %w", dir, err)
		}
	}()
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	d := &Database{dir: dir, files: files{dir: dir}}
	if d.lock, err = lock(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	killed := d.unfinished()
	if err := d.load(o); err != nil {
		return nil, err
	}
	if killed {
		if err := d.removeUnsigned(); err != nil {
			return nil, err
		}
	}
	if err := d.resign(); err != nil {
		return nil, err
	}
	for name, content := range map[string]string{keyFile: d.VerifierKey() + "\n", supportedFile: ""} {
		if have, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(have) != content {
			if err := d.write(name, []byte(content)); err != nil {
				return nil, err
			}
		}
	}
	return d, d.finish()
}

func lock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &LockedError{dir}
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// load reads the newest head that anybody may have seen, and the log below it.
func (d *Database) load(o Options) error {
	latest, err := readOptional(filepath.Join(d.dir, latestFile))
	if err != nil {
		return err
	}
	if latest == nil {
		if _, err := os.Stat(filepath.Join(d.dir, "lookup")); err == nil {
			return &DamageError{latestFile, errors.New("the signed head is missing, though there are lookups")}
		}
	}
	if d.keys, err = openKeys(o, d.dir, latest == nil); err != nil {
		return err
	}
	if latest == nil {
		d.log = new(log)
		if d.head, err = d.keys.sign(d.log.tree()); err != nil {
			return err
		}
		return d.write(latestFile, d.head)
	}
	next, err := readOptional(filepath.Join(d.dir, nextFile))
	if err != nil {
		return err
	}
	d.head = latest
	if next != nil {
		d.head = next
	}
	tree, err := d.keys.open(d.head)
	if err != nil {
		return err
	}
	if d.log, err = readLog(os.DirFS(d.dir), tree); err != nil || next == nil {
		return err
	}
	before, err := d.keys.open(latest)
	if err != nil {
		return err
	}
	if before.N > tree.N { // The head was written, and its note outlived a loss of power.
		d.head = latest
		if d.log, err = readLog(os.DirFS(d.dir), before); err != nil {
			return err
		}
		return os.Remove(filepath.Join(d.dir, nextFile))
	}
	if err := d.log.contains(before); err != nil {
		return &DamageError{nextFile, err}
	}
	return d.publish(context.Background(), before.N)
}

// resign has the heads signed by all keys, and by no others, where the keys have changed.
func (d *Database) resign() error {
	if d.keys.complete(d.head) {
		return nil
	}
	signed := make(map[tlog.Tree][]byte)
	again := func(msg []byte) ([]byte, error) {
		tree, err := d.keys.open(msg)
		if err != nil {
			return nil, err
		}
		if signed[tree] == nil {
			signed[tree], err = d.keys.sign(tree)
		}
		return signed[tree], err
	}
	for id, r := range d.log.records {
		name, err := LookupPath(r.Module)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(filepath.Join(d.dir, name))
		if err != nil {
			return err
		}
		_, _, msg, err := tlog.ParseRecord(data)
		if err != nil {
			return &DamageError{name, err}
		}
		if msg, err = again(msg); err != nil {
			return &DamageError{name, err}
		}
		if err := d.write(name, lookup(int64(id), r, msg)); err != nil {
			return err
		}
	}
	head, err := again(d.head)
	if err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	d.head = head
	return d.write(latestFile, d.head)
}

// removeUnsigned removes the tiles of which no head was signed. Others, with as many
// records in them, may never come, and these would stay.
func (d *Database) removeUnsigned() error {
	root := os.DirFS(d.dir)
	return fs.WalkDir(root, "tile", func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == "tile" {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		if t, err := tlog.ParseTilePath(name); err == nil && !d.log.has(t) {
			return os.Remove(filepath.Join(d.dir, filepath.FromSlash(name)))
		}
		return nil
	})
}

// Close lets others open the database.
func (d *Database) Close() error {
	// Closing alone would not: a process that is being started has the file open, too.
	return errors.Join(unix.Flock(int(d.lock.Fd()), unix.LOCK_UN), d.lock.Close())
}

// VerifierKey is what consumers put into GOSUMDB.
func (d *Database) VerifierKey() string { return d.keys.verifiers[0] }

// Name is that of the verifier key.
func (d *Database) Name() string { return d.keys.signers[0].Name() }

// Size is the number of records.
func (d *Database) Size() int64 { return int64(len(d.log.records)) }

// Head is the signed head. Who keeps it can later have [Verify] prove that the log has only
// grown since.
func (d *Database) Head() []byte { return bytes.Clone(d.head) }

// Place returns where in the log a version is.
func (d *Database) Place(m module.Version) (id int64, ok bool) {
	id, ok = d.log.places[m]
	return id, ok
}

// Record returns what the log says of a version.
func (d *Database) Record(m module.Version) (r Record, ok bool) {
	id, ok := d.log.places[m]
	if ok {
		r = d.log.records[id]
	}
	return r, ok
}

// Add appends those of the records that are new, in their order, and signs the new head.
// Once it has returned, they are published durably. Where one differs from what the log
// has, nothing is added, and the error is a [*ChangedError].
func (d *Database) Add(ctx context.Context, records []Record) error {
	if d.halfway != nil {
		return d.halfway
	}
	grown, err := d.log.with(records)
	if err != nil || grown.size() == d.Size() {
		return err
	}
	head, err := d.keys.sign(grown.tree())
	if err != nil {
		return err
	}
	if err := d.extend(ctx, grown, head); err != nil {
		d.halfway = fmt.Errorf("add to the checksum database: %w; open it again to go on", err)
	}
	return d.halfway
}

// extend writes what is new in a log that has grown.
func (d *Database) extend(ctx context.Context, grown *log, head []byte) error {
	size := d.Size()
	if err := d.writeTiles(ctx, grown, size); err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	if err := d.write(nextFile, head); err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	// From here on there is no way back, not even for who wants to stop.
	d.log, d.head = grown, head
	if err := d.publish(context.WithoutCancel(ctx), size); err != nil {
		return err
	}
	return d.finish()
}

func (d *Database) writeTiles(ctx context.Context, log *log, from int64) error {
	for _, t := range log.tilesSince(from) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.write(t.Path(), log.tile(t)); err != nil {
			return err
		}
	}
	return nil
}

// publish writes the lookups of the records from one on, and the head.
func (d *Database) publish(ctx context.Context, from int64) error {
	for id := from; id < d.Size(); id++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := d.log.records[id]
		name, err := LookupPath(r.Module)
		if err != nil {
			return err
		}
		if err := d.write(name, lookup(id, r, d.head)); err != nil {
			return err
		}
	}
	if err := d.sync(); err != nil {
		return err
	}
	if err := d.write(latestFile, d.head); err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(d.dir, nextFile)); err != nil {
		return err
	}
	return d.prune(from)
}

// prune removes the partial tiles of records where there is the full one: these are large,
// and only who reads the whole log asks for them.
func (d *Database) prune(from int64) error {
	for _, t := range d.log.tilesSince(from) {
		if t.L == -1 && t.W == 1<<tileHeight {
			if err := os.RemoveAll(filepath.Join(d.dir, t.Path()+".p")); err != nil {
				return err
			}
		}
	}
	return nil
}

// LinkInto makes the database reachable through a module proxy that is a folder of static
// files: GOSUMDB then needs no URL. The go command asks a proxy for sumdb/<name>/supported
// first, and then for the database's files below sumdb/<name>. What it finds there is a
// symbolic link to the database, so that both are always in the same state.
func (d *Database) LinkInto(proxy string) error {
	for _, s := range d.keys.signers {
		link, err := filepath.Abs(filepath.Join(proxy, "sumdb", s.Name()))
		if err != nil {
			return err
		}
		target, err := filepath.Rel(filepath.Dir(link), d.dir)
		if err != nil {
			return err
		}
		if have, err := os.Readlink(link); err == nil && have == target {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
			return err
		}
		if err := renameio.Symlink(target, link); err != nil {
			return fmt.Errorf("link the checksum database into the module proxy: %w", err)
		}
	}
	return nil
}

// LookupPath returns the name of the file with a version's record.
func LookupPath(m module.Version) (string, error) {
	if err := module.Check(m.Path, m.Version); err != nil {
		return "", err
	}
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return "", err
	}
	version, err := module.EscapeVersion(m.Version)
	if err != nil {
		return "", err
	}
	return path.Join("lookup", escaped+"@"+version), nil
}

// ParseLookupPath returns the version that a file has the record of.
func ParseLookupPath(name string) (module.Version, error) {
	rest, ok := strings.CutPrefix(name, "lookup/")
	escaped, version, at := strings.Cut(rest, "@")
	if !ok || !at {
		return module.Version{}, fmt.Errorf("%q is not lookup/<module>@<version>", name)
	}
	var m module.Version
	var err error
	if m.Path, err = module.UnescapePath(escaped); err != nil {
		return module.Version{}, err
	}
	if m.Version, err = module.UnescapeVersion(version); err != nil {
		return module.Version{}, err
	}
	return m, module.Check(m.Path, m.Version)
}

func lookup(id int64, r Record, head []byte) []byte {
	return fmt.Appendf(nil, "%d\n%s\n%s", id, r.text(), head)
}

func readOptional(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// parseHead reads a signed head, which must be signed by one of those that are known.
func parseHead(msg []byte, known note.Verifiers) (tlog.Tree, error) {
	n, err := note.Open(msg, known)
	if err != nil {
		return tlog.Tree{}, err
	}
	for _, s := range n.Sigs {
		// Package note does not mind the bits that base 64 leaves over at the end.
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return tlog.Tree{}, fmt.Errorf("the signature of %s: %w", s.Name, err)
		}
	}
	return tlog.ParseTree([]byte(n.Text))
}
