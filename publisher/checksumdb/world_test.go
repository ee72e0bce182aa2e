package checksumdb_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"

	"k8s.io/publisher/checksumdb"
)

const dbName = "sum.example.org"

// world is a folder with a database, and its key beside it.
type world struct {
	testing.TB
	dir, keyFile string
}

func newWorld(t testing.TB) *world {
	root := t.TempDir()
	return &world{t, filepath.Join(root, "site", "sumdb"), filepath.Join(root, "keys", "sumdb.key")}
}

func (w *world) open() *checksumdb.Database {
	w.Helper()
	d, err := checksumdb.Open(w.dir, checksumdb.Options{Name: dbName, KeyFile: w.keyFile})
	if err != nil {
		w.Fatal(err)
	}
	return d
}

func (w *world) close(d *checksumdb.Database) {
	w.Helper()
	if err := d.Close(); err != nil {
		w.Fatal(err)
	}
}

// add opens the database, adds records, and returns the verifier key.
func (w *world) add(records ...checksumdb.Record) string {
	w.Helper()
	d := w.open()
	defer w.close(d)
	if err := d.Add(w.Context(), records); err != nil {
		w.Fatal(err)
	}
	return d.VerifierKey()
}

func (w *world) read(name string) []byte {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	return data
}

// files are all files of the database by name, hidden ones too.
func (w *world) files() map[string]string {
	w.Helper()
	all := make(map[string]string)
	err := fs.WalkDir(os.DirFS(w.dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			all[name] = string(w.read(name))
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// copyTo copies the database to another folder.
func (w *world) copyTo(dir string) {
	w.Helper()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		w.Fatal(err)
	}
}

// records are made-up versions of some modules, from a number to another one.
func records(from, to int) (all []checksumdb.Record) {
	for i := from; i < to; i++ {
		m := module.Version{Path: fmt.Sprintf("example.com/Group/module%d", i%14), Version: fmt.Sprintf("v0.%d.%d", i/14/30, i/14%30)}
		all = append(all, checksumdb.Record{Module: m, Zip: hash("zip", i), GoMod: hash("go.mod", i)})
	}
	return all
}

func hash(what string, i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", what, i))
	return "h1:" + base64.StdEncoding.EncodeToString(sum[:])
}

// client is what the go command knows of a database: x/mod's client has its code.
type client struct {
	dir, key string
	mu       sync.Mutex
	latest   []byte
	cache    map[string][]byte
	security string // what it said of a database that misbehaves
	// changed are files that it gets in the place of those of the database.
	changed map[string][]byte
}

func newClient(dir, key string) *client {
	return &client{dir: dir, key: key, cache: make(map[string][]byte)}
}

// ask asks for versions, each of which must have the hashes of the record. As in another run of the
// go command, nothing is known but what was written down.
func (c *client) ask(records ...checksumdb.Record) error {
	db := sumdb.NewClient(c)
	for _, r := range records {
		for suffix, want := range map[string]string{"": r.Zip, "/go.mod": r.GoMod} {
			lines, err := db.Lookup(r.Module.Path, r.Module.Version+suffix)
			if err != nil {
				return err
			}
			if line := fmt.Sprintf("%s %s%s %s", r.Module.Path, r.Module.Version, suffix, want); len(lines) != 1 || lines[0] != line {
				return fmt.Errorf("the database says %q, not %q", lines, line)
			}
		}
	}
	return nil
}

// clone is another client that knows the same.
func (c *client) clone() *client {
	n := newClient(c.dir, c.key)
	n.latest = c.latest
	for name, data := range c.cache {
		n.cache[name] = data
	}
	return n
}

func (c *client) ReadRemote(name string) ([]byte, error) {
	if data, ok := c.changed[strings.TrimPrefix(name, "/")]; ok {
		return data, nil
	}
	return os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(path.Clean(name))))
}

func (c *client) ReadConfig(file string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if file == "key" {
		return []byte(c.key), nil
	}
	return c.latest, nil
}

func (c *client) WriteConfig(file string, old, new []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !bytes.Equal(c.latest, old) {
		return sumdb.ErrWriteConflict
	}
	c.latest = new
	return nil
}

func (c *client) ReadCache(file string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if data, ok := c.cache[file]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func (c *client) WriteCache(file string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cache[file] = data
}

func (c *client) Log(string)               {}
func (c *client) SecurityError(msg string) { c.security = msg }
