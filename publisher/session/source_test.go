package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/publisher/gittest"
)

// TestSourceMayBeStoredInAnyWay publishes one history from repositories that
// store it differently.
func TestSourceMayBeStoredInAnyWay(t *testing.T) {
	t.Parallel()
	w := small(t, releaseRules)
	want := w.scratch()
	// Each case makes a source at a path and returns what to give as --source.
	for name, store := range map[string]func(w *world, to string) string{
		"loose objects only": func(w *world, to string) string {
			w.copyDir(w.source, to)
			gittest.Unpack(w.TB, filepath.Join(to, ".git"))
			return to
		},
		"one pack": func(w *world, to string) string {
			w.clone(to, "--mirror")
			w.git(to, "repack", "-adfq", "--depth=200")
			return to
		},
		"many packs": func(w *world, to string) string {
			w.clone(to, "--mirror", "--no-local")
			w.git(to, "-c", "pack.packSizeLimit=1m", "repack", "-adfq", "--max-pack-size=1m")
			return to
		},
		"no deltas by offset": func(w *world, to string) string {
			w.clone(to, "--mirror", "--no-local")
			w.git(to, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
			return to
		},
		"a multi-pack index": func(w *world, to string) string {
			w.clone(to, "--mirror", "--no-local")
			w.git(to, "multi-pack-index", "write")
			return to
		},
		"a commit graph and bitmaps": func(w *world, to string) string {
			w.clone(to, "--mirror", "--no-local")
			w.git(to, "repack", "-adbq")
			w.git(to, "commit-graph", "write", "--reachable")
			return to
		},
		"alternates": func(w *world, to string) string { w.clone(to, "--mirror", "--shared"); return to },
		"a relative alternate": func(w *world, to string) string {
			w.clone(to, "--mirror", "--shared")
			w.copyDir(filepath.Join(w.source, ".git", "objects"), filepath.Join(to, "elsewhere"))
			w.write(filepath.Join(to, "objects", "info", "alternates"), "# comment\n../elsewhere\n")
			return to
		},
		"a clone with remote branches": func(w *world, to string) string { w.clone(to); return to },
		"a detached head": func(w *world, to string) string {
			w.clone(to, "--mirror")
			w.git(to, "update-ref", "--no-deref", "HEAD", "HEAD~1")
			return to
		},
		"packed refs": func(w *world, to string) string { w.clone(to, "--mirror"); w.git(to, "pack-refs", "--all"); return to },
		"a linked work tree": func(w *world, to string) string {
			w.clone(filepath.Join(w.dir, "main"), "--no-local")
			w.git(filepath.Join(w.dir, "main"), "worktree", "add", "--quiet", to, "-b", "topic")
			return to
		},
		"a linked work tree of a bare one": func(w *world, to string) string {
			w.clone(filepath.Join(w.dir, "bare"), "--mirror")
			w.git(filepath.Join(w.dir, "bare"), "worktree", "add", "--quiet", to, "feature")
			return filepath.Join(to, "staging", "a")
		},
		"a subdirectory":    func(w *world, to string) string { w.clone(to); return filepath.Join(to, "staging", "b") },
		"the git directory": func(w *world, to string) string { w.clone(to); return filepath.Join(to, ".git") },
		"a separate git directory": func(w *world, to string) string {
			w.clone(to, "--separate-git-dir="+filepath.Join(w.dir, "apart"))
			return to
		},
		"a submodule": func(w *world, to string) string {
			w.git(w.dir, "init", "--quiet", to)
			w.git(to, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", w.source, "sub")
			return filepath.Join(to, "sub")
		},
		"a symbolic link": func(w *world, to string) string { w.must(os.Symlink(w.source, to)); return to },
		"a file URL":      func(w *world, _ string) string { return "file://" + w.source },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := *w
			w.TB, w.dir = t, t.TempDir()
			w.mirrors = filepath.Join(w.dir, "mirrors")
			w.source = store(&w, filepath.Join(w.dir, "source"))
			w.sync()
			if got := w.refs(); got != want {
				t.Errorf("the mirrors have\n%s\nwhere they should have\n%s", got, want)
			}
			w.sound()
		})
	}
}

func (w *world) clone(to string, options ...string) {
	w.Helper()
	w.git(w.dir, append(append([]string{"clone", "--quiet"}, options...), w.source, to)...)
}

// TestSourceMayBeRepackedMeanwhile repacks the source over and over, in ways
// that move all its objects, while it is read.
func TestSourceMayBeRepackedMeanwhile(t *testing.T) {
	t.Parallel()
	w := long(t, 200)
	want := w.scratch()
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			// Another depth makes another pack, with another name.
			if out, err := w.command(w.source, "", "git", "repack", "-adfq", fmt.Sprint("--depth=", 1+i%50)).CombinedOutput(); err != nil {
				t.Errorf("repack: %v\n%s", err, out)
			}
		}
	}()
	for i := range 12 {
		w.mirrors = filepath.Join(w.dir, fmt.Sprint("mirrors", i))
		w.sync()
		if got := w.refs(); got != want {
			t.Errorf("the mirrors have\n%s\nundisturbed they have\n%s", got, want)
		}
	}
	close(stop)
	<-stopped
}
