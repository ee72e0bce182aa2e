package site_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"

	"k8s.io/publisher/checksumdb"
	"k8s.io/publisher/site"
)

// grow gives the checksum database versions of other modules, so that it has tiles of two
// levels, full ones and partial ones, and then publishes v0.21.0.
func (w *world) grow() {
	w.Helper()
	d, err := checksumdb.Open(filepath.Join(w.dir, "sumdb"), checksumdb.Options{KeyFile: w.dir + ".key"})
	w.Must(err)
	var others []checksumdb.Record
	for i := range 600 {
		hash := "h1:" + strings.Repeat("A", 43) + "="
		others = append(others, checksumdb.Record{Module: module.Version{Path: "example.com/other", Version: fmt.Sprintf("v0.0.%d", i)}, Zip: hash, GoMod: hash})
	}
	w.Must(d.Add(w.Context(), others))
	w.Must(d.Close())
	w.commit("D", 3, "C")
	w.Source.Branch("main", w.Source.Commits["D"])
	w.Source.Tag("v1.21.0", w.Source.Commits["D"])
	w.Publish()
	w.write()
}

// TestOneChangedByteIsFoundOut changes one bit of one byte of a file. A go command that knows
// nothing but the database's key fails, and says why; of files that it does not read, or
// that nothing proves to it, publisher verify says so.
func TestOneChangedByteIsFoundOut(t *testing.T) {
	w := newWorld(t)
	w.grow()
	const (
		at     = "mod/example.com/group/!client/@v/v0.21.0"
		branch = "mod/example.com/group/!client/@v/master.info"
		lookup = "sumdb/lookup/example.com/group/!client@v0.21.0"
		oldest = "sumdb/tile/8/0/000"
	)
	// The place of a text, and as many bytes behind it.
	behind := func(text string, n int) func([]byte) int {
		return func(data []byte) int { return bytes.LastIndex(data, []byte(text)) + n }
	}
	first := func(n int) func([]byte) int { return func([]byte) int { return n } }
	// The place in a line of a lookup.
	line := func(number, n int) func([]byte) int {
		return func(data []byte) int {
			before := 0
			for _, l := range bytes.SplitAfter(data, []byte("\n"))[:number] {
				before += len(l)
			}
			return before + n
		}
	}
	// A character of a signature in base 64, in whose place there is another one then.
	signature := func(data []byte) int {
		from := line(8, 40)(data)
		return from + bytes.IndexFunc(data[from:], func(r rune) bool { return '0' <= r && r <= '9' })
	}
	name := "group/Client@v0.21.0/client.go"
	tests := []struct {
		what, file string
		place      func([]byte) int
		says       string // the go command; if empty, it does not notice
	}{
		{"a file's content", at + ".zip", w.contentOf("go.mod"), "zip: checksum error"},
		{"a file's name", at + ".zip", behind(name, len(name)-4), "SECURITY ERROR"},
		{"a file's sum", at + ".zip", behind("example.com/"+name, 16-46), "zip: checksum error"},
		{"the go.mod", at + ".mod", behind("1.24", 3), "SECURITY ERROR"},
		{"the record's number", lookup, line(0, 2), "cannot validate record 609"},
		{"the zip's hash in the record", lookup, behind("v0.21.0 h1:", 20), "cannot authenticate record data in server response"},
		{"the go.mod's hash in the record", lookup, behind("/go.mod h1:", 20), "cannot authenticate record data in server response"},
		{"the tree's size in the signed head", lookup, line(5, 1), "invalid signature"},
		{"the tree's hash in the signed head", lookup, line(6, 30), "invalid signature"},
		{"the head's signature", lookup, signature, "invalid signature"},
		{"the name of who signed", lookup, line(8, 5), "no verifiable signatures"},
		{"a hash of the newest records", "sumdb/tile/8/0/002.p/97", first(96*32 + 5), "inconsistent tile"},
		{"a hash of 256 records", "sumdb/tile/8/1/000.p/2", first(40), "inconsistent tile"},
		{"a hash of the oldest records", oldest, first(3), "inconsistent tile"},
		{"the version of a branch", branch, behind(`"Version":"v0.0.0-2`, 25), "404 Not Found"},
		// What the go command does not read.
		{"the newest signed head", "sumdb/latest", line(4, 50), ""},
		{"the size in the newest signed head", "sumdb/latest", line(1, 1), ""},
		{"a record's text", "sumdb/tile/8/data/002.p/97", first(400), ""},
		{"an old record's text", "sumdb/tile/8/data/000", first(70), ""},
		// What it takes the server's word for.
		{"a commit", at + ".info", behind(`"Hash":"`, 12), ""},
		{"the list", "mod/example.com/group/!client/@v/list", behind("v0.20.1", 6), ""},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			file := filepath.Join(w.dir, filepath.FromSlash(test.file))
			was, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			changed := bytes.Clone(was)
			changed[test.place(was)] ^= 1
			// It may be a link to something else.
			w.Must(os.Remove(file))
			w.Must(os.WriteFile(file, changed, 0o666))
			defer func() { w.Must(os.WriteFile(file, was, 0o666)) }()

			g := w.consumer()
			if test.file == oldest {
				// Who has seen the log when it had seven records has it proven that these are still the same.
				g.Run("get", "example.com/group/Client@v0.20.1")
			}
			version := "v0.21.0"
			if test.file == branch {
				version = "master"
			}
			_, err = g.Try("get", "example.com/group/Client@"+version)
			switch {
			case test.says == "" && err != nil:
				t.Errorf("the go command says %v", err)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
				t.Errorf("the go command says %v, and not %q", err, test.says)
			}
			bad := test.file
			if strings.HasPrefix(bad, "sumdb/") {
				bad = "sumdb"
			}
			proof, err := site.Verify(t.Context(), site.VerifyOptions{Options: w.options()})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(proof.Problems, func(p site.Problem) bool { return p.File == bad }) {
				t.Errorf("publisher verify does not find it")
			}
		})
	}
	w.consumer().Run("get", "example.com/group/Client@v0.21.0")
}

// TestEachByteOfAZipCounts: with whichever byte changed, a zip either has another hash or is
// none, or it has the same files. The hash is of names and contents, and not of dates
// and other things that a zip has beside them, which the go command does not look at.
func TestEachByteOfAZipCounts(t *testing.T) {
	w := newWorld(t)
	data := []byte(w.read("mod/example.com/api/@v/v0.20.1.zip"))
	want, err := dirhash.HashZip(filepath.Join(w.dir, "mod/example.com/api/@v/v0.20.1.zip"), dirhash.Hash1)
	w.Must(err)
	files := zipped(data)
	if len(files) != 4 {
		t.Fatalf("the zip has %q", files)
	}
	name := filepath.Join(t.TempDir(), "changed.zip")
	silent := 0
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		w.Must(os.WriteFile(name, changed, 0o666))
		if hash, err := dirhash.HashZip(name, dirhash.Hash1); err == nil && hash == want {
			silent++
			if got := zipped(changed); !maps.Equal(got, files) {
				t.Errorf("with byte %d changed, the hash is the same, and the files are %q", i, got)
			}
		}
	}
	t.Logf("%d of %d bytes are no part of names and contents", silent, len(data))
}

// zipped are the files in a zip.
func zipped(data []byte) map[string]string {
	files := make(map[string]string)
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil
	}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			return nil
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return nil
		}
		files[f.Name] = string(content)
	}
	return files
}

// contentOf finds the first byte of a file in a zip.
func (w *world) contentOf(name string) func([]byte) int {
	return func(data []byte) int {
		r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		w.Must(err)
		i := slices.IndexFunc(r.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, "/"+name) })
		offset, err := r.File[i].DataOffset()
		w.Must(err)
		return int(offset) + 10
	}
}
