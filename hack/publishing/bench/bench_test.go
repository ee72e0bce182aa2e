package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/publisher/hack/publishing/monorepo"
)

// TestMain lets the test binary be its own stopwatch, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == stopwatchArg {
		exitOn(stopwatch())
		return
	}
	os.Exit(m.Run())
}

func TestPeakIsThatOfTheCommandAndItsChildren(t *testing.T) {
	// The harness's own memory must not count.
	ballast := make([]byte, 200<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	small, err := measure(t.Context(), invocation{Args: []string{"true"}})
	if err != nil {
		t.Fatal(err)
	}
	if small.Peak > 50<<20 {
		t.Errorf("peak of a command that needs nothing: %s", mebibytes(small.Peak))
	}
	// The memory of a child that it waits for must.
	large, err := measure(t.Context(), invocation{Args: []string{"sh", "-c", "head -c 100000000 /dev/zero | tail -c 100000000 >/dev/null; true"}})
	if err != nil {
		t.Fatal(err)
	}
	if large.Peak < 90<<20 || large.Peak > 150<<20 {
		t.Errorf("peak of a command that needs 100 MB: %s", mebibytes(large.Peak))
	}
	// And what children have at the same time is summed: tail holds all that it
	// is given for as long as nobody reads.
	const two = "x() { head -c 60000000 /dev/zero | tail -c 60000000 | (sleep 1; cat >/dev/null); }; x & x & wait"
	both, err := measure(t.Context(), invocation{Args: []string{"sh", "-c", two}})
	if err != nil {
		t.Fatal(err)
	}
	if both.Peak < 110<<20 || both.Peak > 180<<20 {
		t.Errorf("peak of two commands that need 60 MB each: %s", mebibytes(both.Peak))
	}
	if ballast[1] != 1 {
		t.Error("ballast lost")
	}
}

func TestTimeoutEndsTheWholeGroup(t *testing.T) {
	witness := filepath.Join(t.TempDir(), "witness")
	start := time.Now()
	m, err := measure(t.Context(), invocation{
		Args:    []string{"sh", "-c", `(sleep 2; touch "$WITNESS") & wait`},
		Env:     []string{"WITNESS=" + witness},
		Timeout: 200 * time.Millisecond,
	})
	if err != nil || !m.TimedOut {
		t.Fatalf("%+v, %v", m, err)
	}
	if elapsed := time.Since(start); elapsed > 1500*time.Millisecond {
		t.Errorf("took %s", elapsed)
	}
	time.Sleep(2500 * time.Millisecond)
	if _, err := os.Stat(witness); err == nil {
		t.Error("a child lived on")
	}
}

func TestFailureShowsWhatTheCommandSaid(t *testing.T) {
	_, err := measure(t.Context(), invocation{Args: []string{"sh", "-c", "echo the reason >&2; exit 3"}})
	if err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("error %v", err)
	}
}

func TestMedianIsTheMiddleTimeAndTheHighestPeak(t *testing.T) {
	got := median([]measurement{{Wall: 3, Peak: 1}, {Wall: 1, Peak: 9}, {Wall: 2, Peak: 2}})
	if got != (measurement{Wall: 2, Peak: 9}) {
		t.Errorf("%+v", got)
	}
}

func TestNewsIsTheSameEveryTimeAndLeavesTheSourceAlone(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	if err := monorepo.Generate(ctx, dir, monorepo.Params{Shape: monorepo.Shapes[0], Commits: monorepo.MinCommits}); err != nil {
		t.Fatal(err)
	}
	s, err := generated(ctx, monorepo.At(dir))
	if err != nil {
		t.Fatal(err)
	}
	before, err := git(ctx, s.source, "for-each-ref")
	if err != nil {
		t.Fatal(err)
	}
	var tips []string
	for range 2 {
		copied := filepath.Join(t.TempDir(), "copy.git")
		if err := s.link(ctx, copied); err != nil {
			t.Fatal(err)
		}
		if err := s.addNews(ctx, copied); err != nil {
			t.Fatal(err)
		}
		tip, err := git(ctx, copied, "rev-parse", "main")
		if err != nil {
			t.Fatal(err)
		}
		tips = append(tips, tip)
		if _, err := git(ctx, copied, "fsck", "--strict"); err != nil {
			t.Error(err)
		}
		old, err := git(ctx, s.source, "rev-parse", "main")
		if err != nil {
			t.Fatal(err)
		}
		if added, err := git(ctx, copied, "rev-list", "--count", old+".."+tip); err != nil || added != "10" {
			t.Errorf("%s new commits, %v", added, err)
		}
		touched, err := git(ctx, copied, "diff", "--name-only", old, tip)
		if err != nil || len(strings.Fields(touched)) != 8 || !strings.Contains(touched, s.dir+"/") {
			t.Errorf("new commits touch %q, %v", touched, err)
		}
	}
	if tips[0] != tips[1] {
		t.Errorf("tips %v", tips)
	}
	after, err := git(ctx, s.source, "for-each-ref")
	if err != nil || after != before {
		t.Errorf("the source changed: %v", err)
	}
}

func TestExistingRepositoryIsMeasuredByItsFirstRule(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	if err := monorepo.Generate(ctx, dir, monorepo.Params{Shape: monorepo.Shapes[0], Commits: monorepo.MinCommits}); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "checkout")
	if err := runQuietly(ctx, "git", "clone", "-q", monorepo.At(dir).Source, work); err != nil {
		t.Fatal(err)
	}
	s, err := existing(ctx, work, monorepo.At(dir).Rules, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if s.branch != "main" || s.dir != monorepo.ModuleDir(0) || s.source != filepath.Join(work, ".git") {
		t.Errorf("%+v", s)
	}
}
