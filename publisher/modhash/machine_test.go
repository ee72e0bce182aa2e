package modhash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// converted is a module that only git can hash, refused one that git refuses.
var (
	converted = base.with(files{".gitattributes": "* text=auto eol=crlf\nlatin.txt working-tree-encoding=ISO-8859-2\na.txt export-ignore\n", "latin.txt": "ü\n"})
	refused   = base.with(files{".git/x": ""})
)

// gitThat puts a script in the place of git, which is $git to it.
func gitThat(t *testing.T, script string) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte("#!/bin/bash\ngit="+git+"\n"+script+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// notUnfetchable fails a test where a fault of the machine became one of the
// module, or no fault at all. What was known before is forgotten.
func notUnfetchable(t *testing.T, what string, f files) {
	t.Helper()
	s := newStore()
	sum, err := New(s, new(MemorySums)).Zip(testModule, s.tree(f))
	if _, ok := errors.AsType[*UnfetchableError](err); err == nil || ok {
		t.Errorf("%s: got %q, %v", what, sum, err)
	}
}

// TestFaultOfTheMachineIsNeverOneOfTheModule has git fail in the ways in which
// it does when something else is wrong than the tree.
func TestFaultOfTheMachineIsNeverOneOfTheModule(t *testing.T) {
	for name, script := range map[string]string{
		"killed":           `kill -9 $$`,
		"full disk":        `echo "fatal: write error: No space left on device" >&2; exit 128`,
		"no file handles":  `echo "error: Unable to create 'index.lock': Too many open files" >&2; exit 128`,
		"no memory":        `echo "fatal: Out of memory, malloc failed (tried to allocate 8 bytes)" >&2; exit 128`,
		"unknown":          `echo "fatal: something happened" >&2; exit 1`,
		"silent":           `exit 1`,
		"no such command":  `echo "git: 'archive' is not a git command. See 'git --help'." >&2; exit 1`,
		"killed in no way": `echo "error: invalid path 'x'" >&2; kill -9 $$`,
		"goes on":          `echo "warning: unable to access 'info/attributes': Too many open files" >&2; exec "$git" "$@"`,
		"cut off":          `"$git" "$@" | head -c 100`,
		"nothing":          `:`,
		"file size limit":  `ulimit -f 0; exec "$git" "$@"`,
		"few file handles": `ulimit -n 3; exec "$git" "$@"`,
		"little memory":    `ulimit -v 1000; exec "$git" "$@"`,
	} {
		t.Run(name, func(t *testing.T) {
			gitThat(t, script)
			notUnfetchable(t, "a tree to convert", converted)
		})
	}
	t.Run("no git", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		notUnfetchable(t, "a tree to convert", converted)
		notUnfetchable(t, "a tree to refuse", refused)
	})
	t.Run("no folder for temporary files", func(t *testing.T) {
		t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
		notUnfetchable(t, "a tree to convert", converted)
		notUnfetchable(t, "a tree to refuse", refused)
	})
	for what, limits := range map[string]struct{ option, from, to, step int }{
		"file handles": {'n', 1, 16, 1}, "KiB of memory": {'v', 2000, 80000, 3000},
	} {
		want, well, ill := convertedSum(t), 0, 0
		for n := limits.from; n < limits.to; n += limits.step {
			t.Run(fmt.Sprint(n, " ", what), func(t *testing.T) {
				gitThat(t, fmt.Sprintf("ulimit -%c %d; exec \"$git\" \"$@\"", limits.option, n))
				if sameOrError(t, "limited", want) {
					well++
				} else {
					ill++
				}
			})
		}
		if well < 2 || ill < 2 {
			t.Errorf("%s: with %d limits all went well, with %d not", what, well, ill)
		}
	}
	t.Run("no file handles here", func(t *testing.T) {
		want := convertedSum(t)
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				t.Fatal(err)
			}
		}()
		for n := range uint64(12) {
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3 + n, Max: limit.Max}); err != nil {
				t.Fatal(err)
			}
			sameOrError(t, fmt.Sprint(3+n, " files"), want)
		}
	})
}

func convertedSum(t *testing.T) string {
	t.Helper()
	s := newStore()
	sum, err := New(s, new(MemorySums)).Zip(testModule, s.tree(converted))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// sameOrError hashes a tree to convert, and one to refuse. Where that ends with
// another result than ever, the test fails. It reports whether it ended well.
func sameOrError(t *testing.T, what, want string) bool {
	t.Helper()
	s := newStore()
	sum, err := New(s, new(MemorySums)).Zip(testModule, s.tree(converted))
	if _, ok := errors.AsType[*UnfetchableError](err); ok || err == nil && sum != want {
		t.Errorf("%s: got %q, %v", what, sum, err)
	}
	if sum, err := New(s, new(MemorySums)).Zip(testModule, s.tree(refused)); err == nil {
		t.Errorf("%s: got %q of a tree that git refuses", what, sum)
	}
	return err == nil
}
