package dirsync_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/sample-controller/dirsync"
)

// start runs a controller until the test stops it.
func start(t *testing.T, c dirsync.Controller) (stop func()) {
	t.Helper()
	c.Interval = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the controller ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("in vain waited until ", what)
}

func inSync(dirs dirsync.Dirs) func() bool {
	return func() bool {
		differing, err := dirs.Diff()
		return len(differing) == 0 && err == nil
	}
}

func TestOnceMakesTheTargetEqual(t *testing.T) {
	source := tree{}
	for d := range 20 {
		source[fmt.Sprint("d", d)] = "dir"
		for f := range 20 {
			source[fmt.Sprint("d", d, "/f", f)] = strings.Repeat(fmt.Sprint(d, f), d*f)
		}
	}
	c := dirsync.Controller{
		Dirs:    dirsync.Dirs{Source: source.make(t), Target: filepath.Join(t.TempDir(), "not", "yet", "there")},
		Workers: 8,
	}
	for range 2 {
		if err := c.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, c.Dirs)
		if _, err := os.Lstat(filepath.Join(c.Target, ".dirsync")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the place for half files is left: %v", err)
		}
	}
}

func TestOnceReportsWhatItGaveUpAndSettlesTheRest(t *testing.T) {
	var log bytes.Buffer
	c := dirsync.Controller{
		Dirs:    dirsync.Dirs{Source: tree{"a": "1", "pipe": "pipe", "z": "1"}.make(t), Target: t.TempDir()},
		Retries: 2,
		Log:     slog.New(slog.NewTextHandler(&log, nil)),
	}
	err := c.Once(t.Context())
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "pipe") {
		t.Errorf("error: %v", err)
	}
	if got, want := read(t, c.Target), (tree{"a": "0644 1", "z": "0644 1"}); !maps.Equal(got, want) {
		t.Errorf("target is %v, want %v", got, want)
	}
	if tried := strings.Count(log.String(), "path=pipe"); tried != 3 {
		t.Errorf("tried %d times, want once and two retries:\n%s", tried, &log)
	}
}

func TestOnceEndsWhenItsContextIsDone(t *testing.T) {
	c := dirsync.Controller{
		Dirs:    dirsync.Dirs{Source: tree{"pipe": "pipe"}.make(t), Target: t.TempDir()},
		Retries: 1000,
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Once(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
}

func TestOverlappingDirectoriesAreRefused(t *testing.T) {
	dir := tree{"a": "dir", "ab": "dir", "link": "-> a"}.make(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		source, target string
		refused        bool
	}{
		{at("a"), at("a"), true}, {dir, at("a"), true}, {at("a"), dir, true}, {at("a"), at("link/b"), true},
		{at("a"), at("ab"), false},
	} {
		err := dirsync.Controller{Dirs: dirsync.Dirs{Source: c.source, Target: c.target}}.Once(t.Context())
		if refused := err != nil && strings.Contains(err.Error(), "overlap"); refused != c.refused {
			t.Errorf("from %s to %s: %v", c.source, c.target, err)
		}
	}
}

func TestRunFollowsTheSource(t *testing.T) {
	c := dirsync.Controller{Dirs: dirsync.Dirs{Source: t.TempDir(), Target: t.TempDir()}, Workers: 4}
	stop := start(t, c)
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		// Few names, so that files, links and directories replace each other.
		path := filepath.Join(c.Source, fmt.Sprint(random.IntN(4)))
		if info, err := os.Lstat(path); err == nil && info.IsDir() && random.IntN(3) > 0 {
			path = filepath.Join(path, fmt.Sprint(random.IntN(3)))
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		switch random.IntN(4) {
		case 0:
			put(t, path, "dir")
		case 1:
			put(t, path, "-> "+fmt.Sprint(random.IntN(4)))
		case 2:
			if err := os.WriteFile(path, []byte(fmt.Sprint(random.IntN(100))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(10) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	eventually(t, "the directories are equal", inSync(c.Dirs))
	stop()
	wantEqual(t, c.Dirs)
}

func TestRunTriesAgainUntilItSucceeds(t *testing.T) {
	c := dirsync.Controller{Dirs: dirsync.Dirs{Source: tree{"x": "pipe"}.make(t), Target: t.TempDir()}}
	var log syncBuffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	start(t, c)
	eventually(t, "it failed twice", func() bool { return strings.Contains(log.String(), "failures=2") })
	path := filepath.Join(c.Source, "x")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	put(t, path, "now a file")
	eventually(t, "the directories are equal", inSync(c.Dirs))
	if n := strings.Count(log.String(), "failures="); n > 12 {
		t.Errorf("%d failures: comparisons do not wait for the next attempt", n)
	}
}

func TestRunSurvivesThatItsSourceIsAwayForAWhile(t *testing.T) {
	parent := t.TempDir()
	c := dirsync.Controller{Dirs: dirsync.Dirs{Source: filepath.Join(parent, "s"), Target: t.TempDir()}}
	var log syncBuffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	put(t, c.Source, "dir")
	put(t, filepath.Join(c.Source, "a"), "1")
	start(t, c)
	eventually(t, "the directories are equal", inSync(c.Dirs))

	away := filepath.Join(parent, "away")
	if err := os.Rename(c.Source, away); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it noticed", func() bool { return strings.Contains(log.String(), "comparison failed") })
	if got := read(t, c.Target); len(got) != 1 {
		t.Errorf("target is %v while the source is away", got)
	}
	put(t, filepath.Join(away, "b"), "2")
	if err := os.Rename(away, c.Source); err != nil {
		t.Fatal(err)
	}
	eventually(t, "b has come", func() bool { return len(read(t, c.Target)) == 2 })
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
