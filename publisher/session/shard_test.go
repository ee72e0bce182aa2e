package session_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/publisher/gitserver"
)

// TestShardsTogetherPublishWhatOnePublisherDoes at the same time, to the same remotes,
// in whatever order they come; a, on which b depends, is in two of them where there
// are two.
func TestShardsTogetherPublishWhatOnePublisherDoes(t *testing.T) {
	t.Parallel()
	w := long(t, 40)
	want := w.scratch()
	for _, count := range []int{1, 2, 3} {
		remotes := gitserver.New(t)
		remotes.Create(destinations...)
		for range 2 { // The second time there is nothing to do.
			var group sync.WaitGroup
			for index := range count {
				v := *w
				v.mirrors = filepath.Join(w.dir, fmt.Sprintf("shard-%d-of-%d", index, count))
				sync := v.publisher("sync", "--push", "--remote", remotes.File(), "--shard", fmt.Sprintf("%d/%d", index, count))
				group.Go(func() {
					if out, err := sync.CombinedOutput(); err != nil {
						t.Errorf("%s: %v\n%s", sync, err, out)
					}
				})
			}
			group.Wait()
			// The mirrors of one publisher, made from the remotes.
			v := *w
			v.mirrors = filepath.Join(w.dir, fmt.Sprintf("all-%d", count))
			for _, d := range destinations {
				w.remove(v.mirror(d))
				if out, err := exec.Command("git", "clone", "--quiet", "--mirror", remotes.Dir(d), v.mirror(d)).CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			if got := v.refs(); got != want {
				t.Errorf("%d shards published\n%s\none publisher makes\n%s", count, got, want)
			}
		}
	}
}

// TestShardsMayShareAFolder one after the other: what one leaves in it does not
// mislead the next.
func TestShardsMayShareAFolder(t *testing.T) {
	t.Parallel()
	w := long(t, 20)
	for _, shards := range [][]string{{"0/2", "1/2"}, {"1/2", "0/2"}, {"2/3", "0/3", "1/3", "0/1"}} {
		for _, shard := range shards {
			w.sync("--shard", shard)
		}
		w.sameAsFromScratch()
		w.unchanged(func() { w.sync() })
		w.commit(commit{files: files{"staging/a/x.go": fmt.Sprintf("package a // %s\n", shards), "staging/b/x.go": fmt.Sprintf("package b // %s\n", shards), "staging/c/x.go": fmt.Sprintf("package c // %s\n", shards)}})
	}
	w.sync("--shard", "0/2")
	w.sync()
	w.sameAsFromScratch()
}
