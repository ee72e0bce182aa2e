package testing

import (
	"os"
	"testing"
)

// MkTmpdir makes a directory of its own below the one for temporary files and
// returns its path, which starts with prefix in its last element. It is the
// caller's to remove. In tests, t.TempDir is simpler.
func MkTmpdir(prefix string) (string, error) {
	return os.MkdirTemp("", prefix)
}

// MkTmpdirOrDie is MkTmpdir, but panics on an error.
func MkTmpdirOrDie(prefix string) string {
	dir, err := MkTmpdir(prefix)
	if err != nil {
		panic(err)
	}
	return dir
}

// CloseAndRemove closes and removes files. What fails is an error of the test's.
func CloseAndRemove(t *testing.T, files ...*os.File) {
	t.Helper()
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := os.Remove(f.Name()); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
}
