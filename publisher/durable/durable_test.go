package durable_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/publisher/durable"
)

// TestFilesThatAreThereAreWaitedFor, few and many, in folders below one another; one that
// is not there is an error, and nothing is waited for that would never end.
func TestFilesThatAreThereAreWaitedFor(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for i := range 300 {
		name := filepath.Join(dir, fmt.Sprint(i%3), "below", fmt.Sprint(i))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	for _, n := range []int{0, 1, 30, 300} {
		if err := durable.Files(t.Context(), dir, names[:n]); err != nil {
			t.Errorf("%d files: %v", n, err)
		}
	}
	missing := filepath.Join(dir, "missing")
	if err := durable.Files(t.Context(), dir, []string{missing}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
