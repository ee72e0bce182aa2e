package goproxy_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/modhash"
)

// TestZipsAreTheSameWhoeverWritesThem writes zips at once and alone, with blobs that are
// remembered and ones that are not.
func TestZipsAreTheSameWhoeverWritesThem(t *testing.T) {
	r := newRepository(t)
	random, noise := rand.New(rand.NewPCG(1, 2)), make([]byte, 10000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	r.write("go.mod", "module example.com/m\n")
	r.write("sub/text.go", "package sub\n\n// "+string(bytes.Repeat([]byte("word "), 1000))+"\n")
	r.write("noise", string(noise))
	r.write("empty", "")
	r.write("é/ü.txt", "names in UTF-8")
	_, tree := r.commit()
	m := module.Version{Path: "example.com/m", Version: "v0.1.0"}
	contents, err := modhash.New(r, new(modhash.MemorySums)).Contents(m, tree)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := new(goproxy.Zips).Write(&want, m, contents.Files, r.Blob); err != nil {
		t.Fatal(err)
	}
	zips := new(goproxy.Zips)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if i%3 == 0 {
				zips.Forget()
			}
			var got bytes.Buffer
			if err := zips.Write(&got, m, contents.Files, r.Blob); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%d bytes, %v, not the same %d", got.Len(), err, want.Len())
			}
		})
	}
	group.Wait()

	file := filepath.Join(t.TempDir(), "m.zip")
	if err := os.WriteFile(file, want.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if hash, err := dirhash.HashZip(file, dirhash.Hash1); err != nil || hash != contents.Sum {
		t.Errorf("hash %s, %v, not %s", hash, err, contents.Sum)
	}
	dir := filepath.Join(t.TempDir(), "m")
	if err := zip.Unzip(dir, m, file); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "noise")); err != nil || !bytes.Equal(data, noise) {
		t.Errorf("what cannot be deflated: %d bytes, %v", len(data), err)
	}
}
