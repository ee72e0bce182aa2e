package atomicfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/client-go/internal/atomicfile"
)

func expect(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s has %q, %v, want %q", path, got, err, content)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != mode {
		t.Errorf("%s is %v, %v, want %v", path, info, err, mode)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		if entry.Name()[0] == '.' {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}

func TestWrittenFileHasTheModeOfTheOneBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "file")
	if err := atomicfile.Write(path, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, path, "1", 0o600)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, path, "2", 0o640)
}

func TestSymbolicLinkStays(t *testing.T) {
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(link, []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, target, "2", 0o600)
	if got, err := os.Readlink(link); got != "target" || err != nil {
		t.Errorf("the link leads to %q, %v", got, err)
	}
}

func TestReaderSeesAWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	whole := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 1<<16) }
	if err := atomicfile.Write(path, whole(0), 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			content, err := os.ReadFile(path)
			if err != nil || len(content) != 1<<16 || bytes.Count(content, content[:1]) != len(content) {
				t.Errorf("read %d bytes, %v", len(content), err)
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	var writing sync.WaitGroup
	for i := range 4 {
		writing.Go(func() {
			for range 20 {
				if err := atomicfile.Write(path, whole(i), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
}

func TestOneOfManyCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "file")
	var (
		mu      sync.Mutex
		winners []string
		all     sync.WaitGroup
	)
	for i := range 16 {
		all.Go(func() {
			content := fmt.Sprint(i)
			err := atomicfile.Create(path, []byte(content), 0o600)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				winners = append(winners, content)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(winners) != 1 {
		t.Fatalf("%d have created it", len(winners))
	}
	expect(t, path, winners[0], 0o600)
}

func TestDirectoryIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := atomicfile.Write(dir, []byte("x"), 0o600); err == nil {
		t.Error("there is no error")
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Error("the directory is gone")
	}
}
