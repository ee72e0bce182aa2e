package cache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/source"
)

var blob = object.Hash(object.BlobType, []byte("hello"))

// saved makes a cache that remembers one blob, and rules without projections.
func saved(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "cache.db")
	c, err := Open(file, false)
	if err != nil {
		t.Fatal(err)
	}
	c.Put(blob, modhash.NewBlob([]byte("hello")))
	if err := errors.Join(c.Save(&State{Key: "key", Graph: new(source.Graph)}), c.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

// remembers reports what a cache knows; open it for reading alone or not.
func remembers(t *testing.T, file string, readOnly bool) (blobs, rules bool) {
	t.Helper()
	c, err := Open(file, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	sum, blobs := c.Get(blob)
	if blobs && sum != modhash.NewBlob([]byte("hello")) {
		t.Errorf("the blob's sum is %x", sum)
	}
	rules = c.Memory("key") != nil
	if c.Memory("another key") != nil {
		t.Error("rules of another meaning are remembered")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return blobs, rules
}

func TestWhatIsSavedIsRemembered(t *testing.T) {
	file := saved(t)
	for range 3 { // Opening changes nothing.
		for _, readOnly := range []bool{true, false} {
			if blobs, rules := remembers(t, file, readOnly); !blobs || !rules {
				t.Errorf("read only %v: it remembers blobs: %v, rules: %v", readOnly, blobs, rules)
			}
		}
	}
}

func TestWhatIsNotSavedIsForgotten(t *testing.T) {
	file := saved(t)
	c, err := Open(file, false)
	if err != nil {
		t.Fatal(err)
	}
	other := object.Hash(object.BlobType, []byte("other"))
	c.Put(other, modhash.NewBlob([]byte("other")))
	if _, ok := c.Get(other); !ok {
		t.Error("what was put is not there")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err = Open(file, true); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.Get(other); ok {
		t.Error("what was not saved is there")
	}
}

func TestNoCacheRemembersNothing(t *testing.T) {
	c, err := Open(filepath.Join(t.TempDir(), "cache.db"), true)
	if c != nil || err != nil {
		t.Fatalf("got %v, %v", c, err)
	}
	if c.Memory("key") != nil {
		t.Error("it remembers something")
	}
	if err := errors.Join(c.Save(nil), c.Close()); err != nil {
		t.Error(err)
	}
}

// TestDamagedCacheIsForgotten damages the file, its checksum, or both. Who
// only reads leaves it alone.
func TestDamagedCacheIsForgotten(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, file string, data []byte){
		"a flipped bit in the middle": func(t *testing.T, file string, data []byte) {
			data[len(data)/2] ^= 1
			write(t, file, data)
		},
		"a flipped bit at the end": func(t *testing.T, file string, data []byte) { data[len(data)-1] ^= 1; write(t, file, data) },
		"cut short":                func(t *testing.T, file string, data []byte) { write(t, file, data[:len(data)/2]) },
		"grown":                    func(t *testing.T, file string, data []byte) { write(t, file, append(data, 0)) },
		"empty":                    func(t *testing.T, file string, _ []byte) { write(t, file, nil) },
		"no checksum":              func(t *testing.T, file string, _ []byte) { remove(t, sumFile(file)) },
		"an empty checksum":        func(t *testing.T, file string, _ []byte) { write(t, sumFile(file), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			file := saved(t)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			damage(t, file, bytes.Clone(data))
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := Open(file, true); err == nil {
				t.Errorf("it was opened: %v", c.Close())
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
				t.Errorf("who only reads changed it: %v", err)
			}
			if blobs, rules := remembers(t, file, false); blobs || rules {
				t.Errorf("it remembers blobs: %v, rules: %v", blobs, rules)
			}
		})
	}
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
