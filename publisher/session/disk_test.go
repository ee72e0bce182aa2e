package session_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// growing makes a world that was synced, and whose source has news of about
// 200 KiB that do not compress well since.
func growing(t *testing.T) *world {
	w := small(t, standardRules)
	w.sync()
	var commits []commit
	for i := range 60 {
		var b strings.Builder
		fmt.Fprintln(&b, "package x")
		for j := range 100 {
			fmt.Fprintf(&b, "// %x\n", uint64(i*100+j+1)*0x9E3779B97F4A7C15)
		}
		commits = append(commits, commit{files: files{fmt.Sprintf("staging/%c/noise%d.go", 'a'+i%3, i): b.String()}})
	}
	w.commit(commits...)
	return w
}

// starved runs a sync that runs out of space, or does not. It reports whether
// it failed; each mirror is to be as it was then, or to have what is wanted.
func (w *world) starved(cmd *exec.Cmd, want string) bool {
	w.Helper()
	before := make(map[string]string)
	for _, d := range destinations {
		before[d] = w.snapshot(d)
	}
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if cmd.ProcessState.ExitCode() != 1 || strings.Contains(string(out), "goroutine ") {
		w.Errorf("%v\n%s", err, out)
	}
	text := strings.ToLower(string(out))
	if !slices.ContainsFunc([]string{"no space left", "out of diskspace", "file too large", "file size limit exceeded"}, func(cause string) bool {
		return strings.Contains(text, cause)
	}) {
		w.Errorf("the error says nothing of it:\n%s", out)
	}
	for _, d := range destinations {
		if after := w.snapshot(d); after != before[d] && !strings.Contains(want, w.refsOf(d)) {
			w.Errorf("%s changed from\n%s\nto\n%s\n%s", d, before[d], after, out)
		}
	}
	w.noLeftovers()
	return true
}

// TestFileSizeLimitLeavesMirrorsAsTheyWere lets no file grow beyond a number
// of blocks of 1 KiB: first the lock cannot be written, last the mirrors'
// packs.
func TestFileSizeLimitLeavesMirrorsAsTheyWere(t *testing.T) {
	t.Parallel()
	w := growing(t)
	want := w.scratch()
	mirrors := w.mirrors
	failed := 0
	for _, blocks := range []int{0, 1, 4, 16, 32, 64, 128, 400} {
		w.mirrors = filepath.Join(w.dir, fmt.Sprint("limited", blocks))
		w.copyDir(mirrors, w.mirrors)
		sync := w.publisher("sync")
		cmd := w.command(w.dir, "", append([]string{"bash", "-c", fmt.Sprintf(`ulimit -f %d; exec "$@"`, blocks), "bash"}, sync.Args...)...)
		if w.starved(cmd, want) {
			failed++
		}
		w.sound()
		w.sync()
		if got := w.refs(); got != want {
			t.Errorf("limit %d: the mirrors have\n%s\nwith space they would have\n%s", blocks, got, want)
		}
	}
	if failed < 3 {
		t.Errorf("only %d runs met their limit", failed)
	}
}
