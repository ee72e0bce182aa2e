package remote_test

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/remote"
)

func TestPushArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done, err := w.push(w.read(), w.all())
	w.must(err)
	if done.Refs != 5 || done.Steps != 1 {
		t.Errorf("pushed %+v, want 5 refs in one step", done)
	}
	w.has(w.all())
	read := w.read()
	w.local.History("6 5: file=6\nbranch main 6\ntag v1.2.0 6")
	done, err = w.push(read, w.refs("refs/heads/main", "refs/tags/v1.2.0"))
	w.must(err)
	if done.Refs != 2 {
		t.Errorf("pushed %+v, want 2 refs", done)
	}
	w.has(w.all())
	if done, err = w.push(w.read(), w.all()); err != nil || done != (remote.Pushed{}) {
		t.Errorf("nothing was new, and the push returned %+v and %v", done, err)
	}
}

// TestRefsArePeeled compares with git.
func TestRefsArePeeled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.push(w.read(), w.all())
	w.must(err)
	refs, head, err := w.client.RefsAndHead(t.Context(), w.url)
	w.must(err)
	if head != "master" && head != "" {
		t.Errorf("HEAD is %q", head)
	}
	for name := range w.all() {
		peeled := ""
		if strings.HasPrefix(name, "refs/tags/") {
			peeled = w.id(name + "^{}").String()
		}
		got := ""
		if p := refs[name].Peeled; !p.IsZero() {
			got = p.String()
		}
		if got != peeled {
			t.Errorf("%s peels to %q, want %q", name, got, peeled)
		}
	}
	w.remote.Git("mirror", "symbolic-ref", "HEAD", "refs/heads/main")
	if _, head, err = w.client.RefsAndHead(t.Context(), w.url); err != nil || head != "main" {
		t.Errorf("HEAD is %q, %v", head, err)
	}
}

// TestNothingPublishedMoves asks for what must never be pushed.
func TestNothingPublishedMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.push(w.read(), w.all())
	w.must(err)
	for name, update := range map[string]map[string]mirror.Ref{
		"a branch goes back":    {"refs/heads/main": {ID: w.local.Commits["3"]}},
		"a branch goes aside":   {"refs/heads/main": {ID: w.local.Commits["b"]}},
		"a tag moves":           {"refs/tags/v1.0.0": {ID: w.id("refs/tags/v1.1.0")}},
		"one of several moves":  {"refs/heads/new": {ID: w.local.Commits["1"]}, "refs/heads/release": {ID: w.local.Commits["5"]}},
		"a tag moves to itself": {"refs/tags/v1.0.0": {ID: w.local.Commits["2"]}},
	} {
		_, err := w.push(w.read(), update)
		if _, ok := errors.AsType[*remote.MovedError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.has(w.all())
}

// TestRaceIsNoticed has somebody else push between reading and pushing.
func TestRaceIsNoticed(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(w *world){
		"a branch is new":           func(w *world) { w.remote.Git("mirror", "branch", "feature", w.local.Commits["1"].String()) },
		"the same branch is new":    func(w *world) { w.remote.Git("mirror", "branch", "next", w.local.Commits["1"].String()) },
		"the branch went elsewhere": func(w *world) { w.remote.Git("mirror", "branch", "-f", "main", w.local.Commits["b"].String()) },
		"the tag is there":          func(w *world) { w.remote.Git("mirror", "tag", "v2.0.0", w.local.Commits["1"].String()) },
		"a tag is gone":             func(w *world) { w.remote.Git("mirror", "tag", "-d", "v1.0.0") },
		"another branch moved":      func(w *world) { w.remote.Git("mirror", "branch", "-f", "release", w.local.Commits["2"].String()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := w.push(w.read(), w.all())
			w.must(err)
			read := w.read()
			w.local.History("6 5: file=6\nbranch main 6\nbranch next 6\ntag v2.0.0 6")
			update := w.refs("refs/heads/main", "refs/heads/next", "refs/tags/v2.0.0")
			other(w)
			before := w.remote.Refs("mirror")
			_, err = w.push(read, update)
			if name == "a branch is new" {
				// It is none of ours.
				w.must(err)
				return
			}
			if _, ok := errors.AsType[*remote.RacedError](err); !ok {
				t.Errorf("got %v", err)
			}
			if after := w.remote.Refs("mirror"); after != before {
				t.Errorf("the remote had\n%s\nand has\n%s", before, after)
			}
			// Read again, it can be told what is in the way, or pushed.
			_, err = w.push(w.read(), update)
			switch name {
			case "a tag is gone", "another branch moved", "the same branch is new":
				w.must(err)
			default:
				if _, ok := errors.AsType[*remote.MovedError](err); !ok {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// TestSamePushOfAnotherArrives has another publisher be faster with the same.
func TestSamePushOfAnotherArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := w.read()
	_, err := w.push(read, w.all())
	w.must(err)
	if _, err = w.push(read, w.all()); err != nil {
		t.Error(err)
	}
	w.has(w.all())
}

// TestServerSaysNo has hooks refuse a push. It is not tried again, nothing of it
// arrives, and the error has the server's words.
func TestServerSaysNo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hook, script string
		says         []string
	}{
		"pre-receive": {"pre-receive", "echo 'Repository is frozen: ticket not found' >&2; exit 1", []string{"Repository is frozen", "pre-receive hook declined"}},
		"one ref":     {"update", `if [ "$1" = refs/tags/v1.1.0 ]; then echo "v1.1.0 is not signed" >&2; exit 1; fi`, []string{"v1.1.0 is not signed", "refs/tags/v1.1.0", "hook declined"}},
		"protected branch": {"update", `if [ "$1" = refs/heads/main ]; then echo "error: GH006: Protected branch update failed for $1." >&2; exit 1; fi`,
			[]string{"Protected branch update failed for refs/heads/main"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.remote.Hook("mirror", test.hook, test.script)
			_, err := w.push(w.read(), w.all())
			w.fails(err, remote.Rejected, test.says...)
			w.has(nil)
			if n := w.pushes(); n != 1 {
				t.Errorf("it was pushed %d times", n)
			}
			w.remote.Hook("mirror", test.hook, "")
			_, err = w.push(w.read(), w.all())
			w.must(err)
			w.has(w.all())
		})
	}
}

// TestServerIsFull has a server without space for the pack.
func TestServerIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local.History("big 5: large=" + pseudoRandom(40000) + "\nbranch main big")
	w.server.Set(func(s *gitserver.HTTP) { s.Disk = 8 })
	_, err := w.push(w.read(), w.all())
	w.fails(err, remote.Rejected, "File too large")
	w.server.Set(func(s *gitserver.HTTP) { s.Disk = 0 })
	w.has(nil)
	_, err = w.push(w.read(), w.all())
	w.must(err)
	w.has(w.all())
}

// pseudoRandom is a text that does not get smaller when it is packed, and is always
// the same.
func pseudoRandom(n int) string {
	var b strings.Builder
	id := object.ID{}
	for b.Len() < n {
		id = object.Hash(object.BlobType, id[:])
		b.WriteString(id.String())
	}
	return b.String()
}
