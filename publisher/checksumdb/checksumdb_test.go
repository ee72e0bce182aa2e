package checksumdb_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"k8s.io/publisher/checksumdb"
)

// Whatever clients have seen before, they are content with what comes later, and so are
// both verifiers.
func TestClientsOfAnyAgeAreContent(t *testing.T) {
	w := newWorld(t)
	sizes := []int{1, 2, 255, 256, 257, 300, 512, 513}
	if testing.Short() {
		sizes = []int{1, 255, 257, 513}
	}
	key := w.add()
	clients := []*client{newClient(w.dir, key)} // by what they knew when they last asked
	heads := [][]byte{w.read("latest")}
	before := 0
	for _, size := range sizes {
		if got := w.add(records(before, size)...); got != key {
			t.Fatalf("the key is %s, and was %s", got, key)
		}
		all := records(0, size)
		for i, c := range clients {
			for range 2 {
				r := all[rand.IntN(len(all))]
				if err := c.clone().ask(all[len(all)-1], r, all[0]); err != nil {
					t.Fatalf("client %d, with %d records: %v", i, size, err)
				}
			}
		}
		for _, order := range [][]checksumdb.Record{{all[0]}, {all[size-1], all[0]}} {
			c := newClient(w.dir, key)
			if err := c.ask(order...); err != nil {
				t.Fatalf("a new client, with %d records: %v", size, err)
			}
			clients = append(clients, c)
		}
		before, heads = size, append(heads, w.read("latest"))
		if err := audit(w.dir, key); err != nil {
			t.Fatalf("with %d records: %v", size, err)
		}
	}
	r, err := checksumdb.Verify(t.Context(), w.dir, key, heads...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Heads != len(heads) || !slices.Equal(r.Records, records(0, 513)) || r.Name != dbName || r.Head.N != 513 {
		t.Errorf("the report is of %d heads, %d records, named %s, at %d", r.Heads, len(r.Records), r.Name, r.Head.N)
	}
	// One by one, the partial tiles of records do not stay.
	for name := range w.files() {
		if strings.HasPrefix(name, "tile/8/data/") && strings.Contains(name, ".p/") && !strings.HasPrefix(name, "tile/8/data/002.p/1") || strings.HasPrefix(name, ".") {
			t.Errorf("there is still %s", name)
		}
	}
}

func TestTheLogDependsOnTheRecordsAlone(t *testing.T) {
	checksumdb.Sync(t.Cleanup)
	one, many := newWorld(t), newWorld(t)
	one.add(records(0, 600)...)
	for n := 0; n < 600; n += 75 {
		many.add(records(max(0, n-30), n+75)...)
	}
	for name, content := range one.files() {
		if strings.HasPrefix(name, "tile/") && !bytes.Equal(many.read(name), []byte(content)) {
			t.Errorf("%s depends on when records were added", name)
		}
	}
	hash := func(w *world) []byte { return bytes.Split(w.read("latest"), []byte("\n"))[2] }
	if !bytes.Equal(hash(one), hash(many)) {
		t.Error("the tree's hash depends on when records were added")
	}
}

func TestARecordIsForEver(t *testing.T) {
	w := newWorld(t)
	w.add(records(0, 10)...)
	before := w.files()
	d := w.open()
	defer w.close(d)

	offered := records(10, 13)
	changed := records(4, 5)[0]
	changed.GoMod = hash("go.mod", 1000)
	err := d.Add(t.Context(), append(offered, changed))
	var conflict *checksumdb.ChangedError
	if !errors.As(err, &conflict) || conflict.Logged != records(4, 5)[0] || conflict.Offered != changed || conflict.ID != 4 {
		t.Errorf("the error is %v", err)
	}
	twice := offered[0]
	twice.Zip = hash("zip", 1000)
	if err := d.Add(t.Context(), append(offered, twice)); !errors.As(err, &conflict) || conflict.ID != 10 {
		t.Errorf("of two hashes for a version, the error is %v", err)
	}
	if err := d.Add(t.Context(), records(0, 10)); err != nil {
		t.Error(err)
	}
	if !maps.Equal(w.files(), before) {
		t.Error("files changed")
	}
	if id, ok := d.Place(records(4, 5)[0].Module); id != 4 || !ok {
		t.Errorf("record 4 is at %d, %t", id, ok)
	}
	if _, ok := d.Place(offered[0].Module); ok {
		t.Error("what was not added has a place")
	}
	if r, ok := d.Record(records(4, 5)[0].Module); !ok || r != records(4, 5)[0] {
		t.Errorf("record 4 is %v", r)
	}
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	d := newWorld(t).open()
	defer d.Close()
	good := records(0, 1)[0]
	for name, change := range map[string]func(*checksumdb.Record){
		"path":          func(r *checksumdb.Record) { r.Module.Path = "../escape" },
		"version":       func(r *checksumdb.Record) { r.Module.Version = "master" },
		"major version": func(r *checksumdb.Record) { r.Module.Version = "v2.0.0" },
		"hash":          func(r *checksumdb.Record) { r.Zip = "h1:AAAA" },
		"algorithm":     func(r *checksumdb.Record) { r.GoMod = "h2:" + strings.TrimPrefix(r.GoMod, "h1:") },
		"lines":         func(r *checksumdb.Record) { r.GoMod += "\nexample.com/other v1.0.0 " + r.Zip },
	} {
		r := good
		change(&r)
		if err := d.Add(t.Context(), []checksumdb.Record{r}); err == nil || d.Size() != 0 {
			t.Errorf("%s: %v is in the log", name, r)
		}
	}
}

// Killed before any of its writes, an Add leaves a database that goes on as if nothing
// had happened, and with which all clients are content at every moment.
func TestAKillAtAnyWriteLosesNothing(t *testing.T) {
	undisturbed := newWorld(t)
	key := undisturbed.add(records(0, 250)...)
	base := filepath.Join(t.TempDir(), "base")
	undisturbed.copyTo(base)
	undisturbed.add(records(250, 260)...)
	want := undisturbed.files()

	errKilled := errors.New("killed")
	step := 1
	if testing.Short() {
		step = 4
	}
	for kills := 0; ; kills += step {
		w := &world{t, filepath.Join(t.TempDir(), "sumdb"), undisturbed.keyFile}
		if err := os.CopyFS(w.dir, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		old := newClient(w.dir, key)
		if err := old.ask(records(100, 101)...); err != nil {
			t.Fatal(err)
		}
		d := w.open()
		left, last := kills, ""
		d.Before(func(name string) error {
			if left--; left < 0 {
				last = name
				return errKilled
			}
			return nil
		})
		err := d.Add(t.Context(), records(250, 260))
		d.Before(nil)
		w.close(d)
		if err == nil {
			if kills < 15 {
				t.Errorf("there are only %d writes", kills)
			}
			break
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		// Who asks now, for whatever is there, gets answers that fit together.
		seen := old.clone()
		for _, r := range records(240, 260) {
			name, _ := checksumdb.LookupPath(r.Module)
			if _, err := os.Stat(filepath.Join(w.dir, name)); err == nil {
				for _, c := range []*client{seen, newClient(w.dir, key)} {
					if err := c.ask(r); err != nil {
						t.Fatalf("killed before %s: %v", last, err)
					}
				}
			}
		}
		// Whatever comes next, what was shown stays: other records come behind those of
		// which a head had been signed.
		other := &world{t, filepath.Join(t.TempDir(), "sumdb"), undisturbed.keyFile}
		w.copyTo(other.dir)
		other.add(append(records(300, 330), records(250, 260)...)...)
		for _, c := range []*client{old.clone(), seen.clone(), newClient("", key)} {
			c.dir = other.dir
			if err := c.ask(append(records(255, 260), records(310, 311)...)...); err != nil {
				t.Fatalf("killed before %s, then others added: %v\n%s", last, err, c.security)
			}
		}
		if _, err := checksumdb.Verify(t.Context(), other.dir, key); err != nil {
			t.Fatalf("killed before %s, then others added: %v", last, err)
		}
		// The same again gives the same.
		w.add(records(250, 260)...)
		if !maps.Equal(w.files(), want) {
			t.Fatalf("killed before %s: there are other files than without", last)
		}
		for _, c := range []*client{old, seen, newClient(w.dir, key)} {
			if err := c.ask(records(250, 260)...); err != nil {
				t.Fatalf("killed before %s: %v", last, err)
			}
		}
	}
}

// A byte that is changed in any file of the log, those of earlier heads included, is found.
func TestAChangedByteIsFound(t *testing.T) {
	w := newWorld(t)
	w.add(records(0, 300)...)
	key := w.add(records(300, 310)...)
	for name, content := range w.files() {
		if name == "key" || name == "supported" || strings.HasPrefix(name, "lookup/") && !strings.HasSuffix(name, ".7") {
			continue
		}
		damaged := []byte(content)
		damaged[len(damaged)/3] ^= 1
		if err := os.WriteFile(filepath.Join(w.dir, name), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := checksumdb.Verify(t.Context(), w.dir, key)
		if damage, ok := errors.AsType[*checksumdb.DamageError](err); !ok {
			t.Errorf("%s: Verify says %v", name, err)
		} else if damage.File != name && damage.File != "latest" {
			t.Errorf("%s: Verify says that it is in %s: %v", name, damage.File, err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// Whichever byte of a file is changed that clients read, x/mod's client, which is the go
// command's, refuses what it says.
func TestClientsRefuseEachChangedByte(t *testing.T) {
	w := newWorld(t)
	key := w.add(records(0, 258)...)
	first, last := records(3, 4)[0], records(257, 258)[0]
	lookup, err := checksumdb.LookupPath(last.Module)
	if err != nil {
		t.Fatal(err)
	}
	for name, asked := range map[string]checksumdb.Record{
		"tile/8/0/000": first, "tile/8/0/001.p/2": last, "tile/8/1/000.p/1": last, lookup: last,
	} {
		content := w.read(name)
		step := 1
		if testing.Short() && len(content) > 1000 {
			step = 33
		}
		for i := 0; i < len(content); i += step {
			damaged := bytes.Clone(content)
			damaged[i] ^= 1
			c := newClient(w.dir, key)
			c.changed = map[string][]byte{name: damaged}
			if err := c.ask(asked); err == nil && !sameSignature(content, damaged) {
				t.Errorf("nothing is said of byte %d of %s", i, name)
			}
		}
	}
}

// sameSignature reports whether a lookup differs in nothing but the bits of its signature that
// base 64 leaves over, which clients do not look at.
func sameSignature(a, b []byte) bool {
	decode := func(data []byte) string {
		at := bytes.LastIndexByte(bytes.TrimSuffix(data, []byte("\n")), ' ') + 1
		signature, err := base64.StdEncoding.DecodeString(string(data[at:]))
		if err != nil {
			return err.Error()
		}
		return string(data[:at]) + string(signature)
	}
	return decode(a) == decode(b)
}

// Whichever byte is changed, both auditors find it: [checksumdb.Verify], and the one of
// this test, which has no code in common with it.
func TestAuditorsFindEachChangedByte(t *testing.T) {
	w := newWorld(t)
	key := w.add(records(0, 5)...)
	for _, name := range []string{"latest", "tile/8/0/000.p/5", "tile/8/data/000.p/5", "lookup/example.com/!group/module3@v0.0.0"} {
		content := w.read(name)
		for i := range content {
			damaged := bytes.Clone(content)
			damaged[i] ^= 1
			if err := os.WriteFile(filepath.Join(w.dir, name), damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := checksumdb.Verify(t.Context(), w.dir, key); err == nil {
				t.Errorf("Verify finds nothing in byte %d of %s", i, name)
			}
			if err := audit(w.dir, key); err == nil {
				t.Errorf("the other auditor finds nothing in byte %d of %s", i, name)
			}
		}
		if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAMissingFileIsFound(t *testing.T) {
	w := newWorld(t)
	w.add(records(0, 100)...)
	key := w.add(records(100, 300)...)
	for _, name := range []string{"latest", "tile/8/0/000", "tile/8/0/001.p/44", "tile/8/1/000.p/1", "tile/8/data/000", "tile/8/data/001.p/44", "lookup/example.com/!group/module3@v0.0.0"} {
		content := w.read(name)
		if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
		_, err := checksumdb.Verify(t.Context(), w.dir, key)
		if damage, ok := errors.AsType[*checksumdb.DamageError](err); !ok || damage.File != name {
			t.Errorf("of %s, which is missing, Verify says %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	stray := "lookup/example.com/other@v1.0.0"
	if err := os.WriteFile(filepath.Join(w.dir, stray), w.read("lookup/example.com/!group/module3@v0.0.0"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := checksumdb.Verify(t.Context(), w.dir, key)
	if damage, ok := errors.AsType[*checksumdb.DamageError](err); !ok || damage.File != stray {
		t.Errorf("of a lookup that the log has not, Verify says %v", err)
	}
}

// A log that is written anew, with the right key, is found out by whoever has seen the
// old one.
func TestAForkIsFound(t *testing.T) {
	w := newWorld(t)
	key := w.add(records(0, 20)...)
	old := newClient(w.dir, key)
	if err := old.ask(records(3, 4)...); err != nil {
		t.Fatal(err)
	}
	head := w.read("latest")
	if err := os.RemoveAll(w.dir); err != nil {
		t.Fatal(err)
	}
	forged := records(0, 40)
	forged[7].Zip = hash("zip", 7000)
	w.add(forged...)

	if err := newClient(w.dir, key).ask(forged...); err != nil {
		t.Fatalf("who knows nothing is not content: %v", err)
	}
	if err := old.ask(forged[30]); err == nil || !strings.Contains(old.security, "misbehavior") {
		t.Errorf("who knows the old log says %v", err)
	}
	if _, err := checksumdb.Verify(t.Context(), w.dir, key); err != nil {
		t.Fatal(err)
	}
	_, err := checksumdb.Verify(t.Context(), w.dir, key, head)
	if fork, ok := errors.AsType[*checksumdb.ForkError](err); !ok || fork.Head.N != 20 {
		t.Errorf("with the old head, Verify says %v", err)
	}
	// One lookup that was not rewritten is enough.
	if err := os.WriteFile(filepath.Join(w.dir, "lookup/example.com/!group/module0@v0.0.0"), fmt.Appendf(nil, "0\n%s\n%s", text(records(0, 1)[0]), head), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = checksumdb.Verify(t.Context(), w.dir, key)
	if _, ok := errors.AsType[*checksumdb.ForkError](err); !ok {
		t.Errorf("with a lookup of the old log, Verify says %v", err)
	}
}

func text(r checksumdb.Record) string {
	return fmt.Sprintf("%s %s %s\n%[1]s %[2]s/go.mod %[4]s\n", r.Module.Path, r.Module.Version, r.Zip, r.GoMod)
}

func TestThePrivateKeyIsItsOwnersAlone(t *testing.T) {
	w := newWorld(t)
	key := w.add(records(0, 3)...)
	info, err := os.Stat(w.keyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file's mode is %v, %v", info.Mode(), err)
	}
	private, err := os.ReadFile(w.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range w.files() {
		if strings.Contains(content, "PRIVATE") {
			t.Errorf("%s has the private key", name)
		}
	}
	if got := string(w.read("key")); got != key+"\n" {
		t.Errorf("key has %q", got)
	}
	fails := func(what string, o checksumdb.Options) {
		t.Helper()
		d, err := checksumdb.Open(w.dir, o)
		if _, ok := errors.AsType[*checksumdb.KeyError](err); !ok {
			t.Errorf("%s: the error is %v", what, err)
		} else if strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: the error shows the key", what)
		}
		if err == nil {
			w.close(d)
		}
	}
	inside := filepath.Join(w.dir, "sumdb.key")
	if err := os.WriteFile(inside, private, 0o600); err != nil {
		t.Fatal(err)
	}
	fails("among the files that are served", checksumdb.Options{KeyFile: inside})
	fails("missing", checksumdb.Options{Name: dbName, KeyFile: w.keyFile + ".old"})
	fails("of another name", checksumdb.Options{Name: "sum.example.com", KeyFile: w.keyFile})
	damaged := w.keyFile + ".damaged"
	if err := os.WriteFile(damaged, private[:len(private)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	fails("damaged", checksumdb.Options{Name: dbName, KeyFile: damaged})
	if err := os.Chmod(w.keyFile, 0o640); err != nil {
		t.Fatal(err)
	}
	fails("readable for others", checksumdb.Options{Name: dbName, KeyFile: w.keyFile})

	other := newWorld(t)
	other.add()
	_, err = checksumdb.Open(w.dir, checksumdb.Options{KeyFile: other.keyFile})
	if err == nil || !strings.Contains(err.Error(), "none of the keys") {
		t.Errorf("with another database's key, the error is %v", err)
	}
}

func TestOnlyOneProcessHasADatabase(t *testing.T) {
	w := newWorld(t)
	d := w.open()
	_, err := checksumdb.Open(w.dir, checksumdb.Options{Name: dbName, KeyFile: w.keyFile})
	if _, ok := errors.AsType[*checksumdb.LockedError](err); !ok {
		t.Errorf("the error is %v", err)
	}
	w.close(d)
	w.close(w.open())
}

// While a key is replaced, consumers of both are content; afterwards, those of the new one.
func TestRotation(t *testing.T) {
	w := newWorld(t)
	first := w.add(records(0, 5)...)
	oldClient := newClient(w.dir, first)
	if err := oldClient.ask(records(0, 5)...); err != nil {
		t.Fatal(err)
	}
	if _, err := checksumdb.Rotate(w.keyFile, dbName); err == nil {
		t.Error("two keys can have one name")
	}
	second, err := checksumdb.Rotate(w.keyFile, "new-"+dbName)
	if err != nil {
		t.Fatal(err)
	}
	open := func() *checksumdb.Database {
		d, err := checksumdb.Open(w.dir, checksumdb.Options{KeyFile: w.keyFile})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	if err := d.Add(t.Context(), records(5, 9)); err != nil {
		t.Fatal(err)
	}
	if d.VerifierKey() != second || d.Name() != "new-"+dbName || string(w.read("key")) != second+"\n" {
		t.Errorf("the key is %s", d.VerifierKey())
	}
	proxy := filepath.Join(filepath.Dir(w.dir), "mod")
	for range 2 {
		if err := d.LinkInto(proxy); err != nil {
			t.Fatal(err)
		}
	}
	w.close(d)
	newer := newClient(w.dir, second)
	for _, c := range []*client{oldClient, newClient(w.dir, first), newer} {
		if err := c.ask(records(0, 9)...); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{first, second} {
		r, err := checksumdb.Verify(t.Context(), w.dir, key)
		if err != nil || r.Heads != 2 {
			t.Errorf("with the key %s: %v, %v", key, r, err)
		}
		name, _, _ := strings.Cut(key, "+")
		if _, err := os.Stat(filepath.Join(proxy, "sumdb", name, "supported")); err != nil {
			t.Error(err)
		}
	}

	if err := checksumdb.Retire(w.keyFile, "no-"+dbName); err == nil {
		t.Error("a key that is not there can be retired")
	}
	if err := checksumdb.Retire(w.keyFile, dbName); err != nil {
		t.Fatal(err)
	}
	if err := checksumdb.Retire(w.keyFile, "new-"+dbName); err == nil {
		t.Error("the last key can be retired")
	}
	d = open()
	if err := d.Add(t.Context(), records(9, 12)); err != nil {
		t.Fatal(err)
	}
	w.close(d)
	for _, c := range []*client{newer, newClient(w.dir, second)} {
		if err := c.ask(records(0, 12)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := newClient(w.dir, first).ask(records(0, 1)...); err == nil {
		t.Error("the retired key is still good")
	}
	if err := audit(w.dir, second); err != nil {
		t.Error(err)
	}
}

// A kill while everything is signed anew is made good by opening again.
func TestAKillWhileKeysChangeLosesNothing(t *testing.T) {
	w := newWorld(t)
	first := w.add(records(0, 5)...)
	latest := w.read("latest")
	second, err := checksumdb.Rotate(w.keyFile, "new-"+dbName)
	if err != nil {
		t.Fatal(err)
	}
	o := checksumdb.Options{KeyFile: w.keyFile}
	d, err := checksumdb.Open(w.dir, o)
	if err != nil {
		t.Fatal(err)
	}
	w.close(d)
	// As if the head, which comes last, had not been written.
	if err := os.WriteFile(filepath.Join(w.dir, "latest"), latest, 0o666); err != nil {
		t.Fatal(err)
	}
	if d, err = checksumdb.Open(w.dir, o); err != nil {
		t.Fatal(err)
	}
	w.close(d)
	for _, key := range []string{first, second} {
		if _, err := checksumdb.Verify(t.Context(), w.dir, key); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	checksumdb.Sync(b.Cleanup)
	all := records(0, 13_000)
	for b.Loop() {
		newWorld(b).add(all...)
	}
}

func BenchmarkOpen(b *testing.B) {
	w := newWorld(b)
	w.add(records(0, 13_000)...)
	for b.Loop() {
		w.close(w.open())
	}
}

func FuzzLookupName(f *testing.F) {
	for _, name := range []string{"lookup/k8s.io/client-go@v0.36.0", "lookup/example.com/!group/m/v2@v2.0.0-!r!c.1", "lookup/../key@v1.0.0", "lookup/a@b@v1.0.0", "lookup/gopkg.in/yaml.v3@v3.0.1"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m, err := checksumdb.ParseLookupPath(name)
		if err != nil {
			return
		}
		if got, err := checksumdb.LookupPath(m); err != nil || got != name {
			t.Errorf("%q is of %v, whose lookup is %q: %v", name, m, got, err)
		}
		if !filepath.IsLocal(name) || filepath.Clean(name) != name {
			t.Errorf("%q leads out of the folder", name)
		}
	})
}

func FuzzModuleToLookup(f *testing.F) {
	f.Add("k8s.io/client-go", "v0.36.0")
	f.Add("example.com/Group/m/v2", "v2.0.0-RC.1")
	f.Fuzz(func(t *testing.T, path, version string) {
		m := module.Version{Path: path, Version: version}
		name, err := checksumdb.LookupPath(m)
		if err != nil {
			return
		}
		if got, err := checksumdb.ParseLookupPath(name); err != nil || got != m {
			t.Errorf("%v has the lookup %q, which is of %v: %v", m, name, got, err)
		}
	})
}

// A head, wherever it comes from, is either refused or right.
func FuzzVerifyHead(f *testing.F) {
	w := newWorld(f)
	key := w.add(records(0, 3)...)
	f.Add(w.read("latest"))
	f.Fuzz(func(t *testing.T, head []byte) {
		if _, err := checksumdb.Verify(t.Context(), w.dir, key, head); err != nil {
			return
		}
		v, err := note.NewVerifier(key)
		if err != nil {
			t.Fatal(err)
		}
		n, err := note.Open(head, note.VerifierList(v))
		if err != nil {
			t.Fatalf("%q is taken for a signed head: %v", head, err)
		}
		if tree, err := tlog.ParseTree([]byte(n.Text)); err != nil || tree.N > 3 {
			t.Errorf("%q is taken for a head: %v", head, err)
		}
	})
}
