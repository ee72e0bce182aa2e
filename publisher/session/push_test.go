package session_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/publisher/gitserver"
)

// served is a world whose destinations have remotes, empty ones to begin with.
type served struct {
	*world
	*gitserver.Repositories
	template string
	env      []string
	flags    []string
}

// serve makes remotes for a world's destinations.
func (w *world) remotes() *served {
	w.Helper()
	r := gitserver.New(w.TB)
	r.Create(destinations...)
	return &served{world: w, Repositories: r, template: r.File()}
}

// run is the publisher with the remotes.
func (s *served) run(verb string, more ...string) *exec.Cmd {
	cmd := s.publisher(verb, slices.Concat([]string{"--remote", s.template}, s.flags, more)...)
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

// push runs a sync that must bring all to the remotes, and returns what it said.
func (s *served) push(more ...string) string {
	s.world.Helper()
	out, err := s.run("sync", append([]string{"--push"}, more...)...).CombinedOutput()
	if err != nil {
		s.world.Fatalf("sync --push: %v\n%s", err, out)
	}
	s.noLeftovers()
	s.arrived()
	return string(out)
}

// all lists the refs of all remotes, as [world.refs] does those of the mirrors.
func (s *served) all() string {
	s.world.Helper()
	var all strings.Builder
	for _, d := range destinations {
		all.WriteString(d + ":\n" + s.git(s.Dir(d), "for-each-ref", "--format=%(objectname) %(refname) %(*objectname)") + "\n")
	}
	return all.String()
}

// arrived checks that the remotes are what the source makes, and sound.
func (s *served) arrived() {
	s.world.Helper()
	if got, want := s.all(), s.scratch(); got != want {
		s.world.Errorf("the remotes have\n%s\nfrom scratch they would have\n%s", got, want)
	}
	for _, d := range destinations {
		s.git(s.Dir(d), "fsck", "--full", "--strict", "--no-dangling")
	}
}

// TestRemotesAreWhatTheSourceMakes pushes to each kind of server: at first, when there
// is more, and when there is nothing new.
func TestRemotesAreWhatTheSourceMakes(t *testing.T) {
	for name, start := range map[string]func(*served){
		"file":   func(s *served) {},
		"daemon": func(s *served) { s.template = s.Daemon() },
		"https": func(s *served) {
			server := s.HTTP()
			s.template, s.env = server.Template, []string{"GIT_SSL_CAINFO=" + server.CA}
		},
		"ssh": func(s *served) {
			server := s.SSH()
			s.template = server.Template
			s.env = []string{"GIT_SSH_COMMAND=ssh -F none -i " + server.Key + " -o UserKnownHostsFile=" + server.KnownHosts}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := small(t, releaseRules).remotes()
			start(s)
			s.push()
			s.commit(commit{files: files{"staging/a/a.go": "package a\n\nconst A = 3\n"}})
			s.tag("v1.21.0")
			s.push()
			before := s.all()
			if said := s.push(); !strings.Contains(said, "pushed 0 refs to 0 remotes") || s.all() != before {
				t.Errorf("nothing was new, and there is said\n%s\nThe remotes were\n%s\nand are\n%s", said, before, s.all())
			}
		})
	}
}

// TestWorkingCopyMayBeWiped removes mirrors and cache between runs, wholly and in part.
func TestWorkingCopyMayBeWiped(t *testing.T) {
	s := small(t, releaseRules).remotes()
	s.push()
	for i, path := range []string{s.mirrors, s.mirror("a"), s.work(), s.mirror("b")} {
		s.remove(path)
		s.commit(commit{files: files{"staging/a/a.go": strings.Repeat("// a\n", i) + "package a\n", "staging/b/b.go": strings.Repeat("// b\n", i) + "package b\n"}})
		s.tag("v1.22." + string(rune('0'+i)))
		s.push()
	}
}

// TestRemoteIsTheState has a working copy that is ahead of its remote, one that is
// behind, and one that has nothing to do with it.
func TestRemoteIsTheState(t *testing.T) {
	s := small(t, standardRules).remotes()
	s.push()
	old := s.dir + "/old"
	s.copyDir(s.mirrors, old)
	s.commit(commit{files: files{"staging/a/a.go": "package a\n\nconst A = 4\n", "staging/b/b.go": "package b\n\nconst B = 4\n"}})
	s.tag("v1.21.0")
	// Ahead: published here, and not pushed.
	if out, err := s.run("sync").CombinedOutput(); err != nil || !strings.Contains(string(out), "not pushed") {
		t.Fatalf("sync: %v\n%s", err, out)
	}
	s.sameAsFromScratch()
	if out, err := s.run("plan").CombinedOutput(); err != nil || !strings.Contains(string(out), "kubernetes-1.21.0") || !strings.Contains(string(out), "3 to change (2 new commits, 6 new tags)") {
		t.Errorf("plan: %v\n%s", err, out)
	}
	s.push()
	// Behind, with a ref of nobody's.
	s.remove(s.mirrors)
	s.copyDir(old, s.mirrors)
	s.git(s.mirror("a"), "update-ref", "refs/heads/never-pushed", "master~1")
	s.git(s.mirror("a"), "tag", "v9.9.9", "master")
	s.unchanged(func() {
		if out, err := s.run("plan").CombinedOutput(); err != nil || !strings.Contains(string(out), "0 to change") {
			t.Errorf("plan: %v\n%s", err, out)
		}
	})
	s.push()
	s.sameAsFromScratch()
	// Somebody else's.
	s.remove(s.mirror("a"))
	s.copyDir(s.mirror("org/c"), s.mirror("a"))
	s.push()
	s.sameAsFromScratch()
}

// fails runs a sync that must not bring everything to the remotes, and returns what it
// said.
func (s *served) failPush(texts ...string) string {
	s.world.Helper()
	return s.fails(s.run("sync", "--push"), texts...)
}

// https serves the remotes by https.
func (s *served) https() *gitserver.HTTP {
	s.world.Helper()
	server := s.HTTP()
	s.template, s.env = server.Template, []string{"GIT_SSL_CAINFO=" + server.CA}
	return server
}

// TestOneRemoteDoesNotStopUnrelatedOnes has a server say no to one destination.
func TestOneRemoteDoesNotStopUnrelatedOnes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault  func(s *served)
		repair func(s *served)
		says   string
	}{
		"a hook says no": {
			func(s *served) { s.Hook("a", "pre-receive", "echo this one is frozen >&2; exit 1") },
			func(s *served) { s.Hook("a", "pre-receive", "") }, "this one is frozen",
		},
		"there is no repository": {
			func(s *served) { s.must(os.Rename(s.Dir("a"), s.Dir("away"))) },
			func(s *served) { s.must(os.Rename(s.Dir("away"), s.Dir("a"))) }, "create it there",
		},
		"it is not ours": {
			func(s *served) { s.git(s.Dir("a"), "fetch", "--quiet", "--no-tags", s.source, "master:master") },
			func(s *served) { s.git(s.Dir("a"), "update-ref", "-d", "refs/heads/master") }, "no trailer tells",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := small(t, standardRules).remotes()
			test.fault(s)
			s.failPush(test.says, "it depends on a, which failed")
			if refs := s.git(s.Dir("b"), "for-each-ref"); refs != "" {
				t.Errorf("b depends on a, and has\n%s", refs)
			}
			if got := s.git(s.Dir("org/c"), "for-each-ref"); !strings.Contains(got, "refs/heads/master") || !strings.Contains(got, "refs/tags/v0.20.0") {
				t.Errorf("org/c has\n%s", got)
			}
			test.repair(s)
			s.push()
		})
	}
}

// TestRacesEndWell has somebody else push in the moment before a push arrives.
func TestRacesEndWell(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		other func(s *served)
		says  string
	}{
		"another publisher with the same": {func(s *served) {
			second := *s
			w := *s.world
			second.world = &w
			w.mirrors = s.dir + "/second"
			second.push()
		}, "the push had arrived"},
		"a part of it": {func(s *served) {
			from := *s.world
			from.mirrors = s.dir + "/second"
			from.sync()
			s.git(from.mirror("a"), "push", "--quiet", s.Dir("a"), "master~1:refs/heads/master")
		}, "planning again"},
		"a branch, and a tag before its time": {func(s *served) {
			from := *s.world
			from.mirrors = s.dir + "/second"
			from.sync()
			s.git(from.mirror("a"), "push", "--quiet", s.Dir("a"), "master~1:refs/heads/master", "v0.20.0")
		}, "planning again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := small(t, standardRules).remotes()
			server := s.https()
			var done atomic.Bool
			intercept := func(_ http.ResponseWriter, r *http.Request) bool {
				if gitserver.IsPush(r) && strings.HasPrefix(r.URL.Path, "/a.git/") {
					if !done.Swap(true) {
						test.other(s)
					}
				}
				return true
			}
			server.Set(func(h *gitserver.HTTP) { h.Intercept = intercept })
			if said := s.push(); !strings.Contains(said, test.says) {
				t.Errorf("it did not say %q:\n%s", test.says, said)
			}
		})
	}
}

// TestRaceWithoutEndEnds has somebody else push before each push.
func TestRaceWithoutEndEnds(t *testing.T) {
	t.Parallel()
	s := small(t, standardRules).remotes()
	server := s.https()
	var n atomic.Int64
	intercept := func(_ http.ResponseWriter, r *http.Request) bool {
		if gitserver.IsPush(r) && strings.HasPrefix(r.URL.Path, "/a.git/") {
			s.git(s.Dir("a"), "update-ref", "refs/heads/master", s.stolen(int(n.Add(1))))
		}
		return true
	}
	server.Set(func(h *gitserver.HTTP) { h.Intercept = intercept })
	s.failPush("was changed by somebody else meanwhile")
	if n.Load() != 3 {
		t.Errorf("a was pushed %d times, want 3", n.Load())
	}
}

// stolen puts the nth commit of what a gets into its remote, and returns it.
func (s *served) stolen(n int) string {
	s.world.Helper()
	from := *s.world
	from.mirrors = s.dir + "/stolen"
	if n == 1 {
		from.sync()
	}
	commits := strings.Fields(s.git(from.mirror("a"), "rev-list", "--first-parent", "--reverse", "master"))
	s.git(s.Dir("a"), "fetch", "--quiet", from.mirror("a"), "master:refs/stolen/master")
	return commits[n-1]
}

// TestVerifyRemote proves what is on the servers, whatever lies here.
func TestVerifyRemote(t *testing.T) {
	t.Parallel()
	s := small(t, standardRules).remotes()
	s.https()
	s.push()
	s.remove(s.mirrors)
	verify := func(texts ...string) {
		t.Helper()
		cmd := s.run("verify")
		for i, arg := range cmd.Args {
			if arg == "--remote" {
				cmd.Args = slices.Concat(cmd.Args[:i], []string{"--remote=" + s.template}, cmd.Args[i+2:])
				break
			}
		}
		if len(texts) > 0 {
			s.fails(cmd, texts...)
		} else if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "proven") != 3 {
			t.Errorf("verify --remote: %v\n%s", err, out)
		}
	}
	verify()
	old := s.git(s.Dir("a"), "rev-parse", "refs/tags/v0.20.0")
	s.git(s.Dir("a"), "update-ref", "refs/tags/v0.20.0", s.git(s.Dir("a"), "rev-parse", "refs/tags/kubernetes-1.20.0"))
	verify("moved tag", "refs/tags/v0.20.0")
	s.git(s.Dir("a"), "update-ref", "refs/tags/v0.20.0", old)
	s.git(s.Dir("b"), "branch", "mine", "master")
	verify("stray ref", "refs/heads/mine")
	s.git(s.Dir("b"), "branch", "-D", "mine")
	s.git(s.Dir("b"), "symbolic-ref", "HEAD", "refs/heads/main")
	verify("the default branch of the remote is")
	s.git(s.Dir("b"), "symbolic-ref", "HEAD", "refs/heads/master")
	verify()
	s.git(s.Dir("org/c"), "update-ref", "-d", "refs/heads/master")
	verify("missing branch")
}

// TestKilledPushGoesOn kills the publisher at any moment of a push.
func TestKilledPushGoesOn(t *testing.T) {
	t.Parallel()
	s := small(t, standardRules).remotes()
	s.https()
	for i := range 12 {
		s.commit(commit{files: files{"staging/a/a.go": fmt.Sprintf("package a\n\nconst A = %d\n", 10+i), "staging/b/b.go": fmt.Sprintf("package b\n\nconst B = %d\n", 10+i)}})
		s.tag(fmt.Sprintf("v1.30.%d", i))
		cmd := s.run("sync", "--push")
		s.must(cmd.Start())
		time.Sleep(time.Duration(i*i) * 6 * time.Millisecond)
		_ = cmd.Process.Kill() // It may have ended.
		_ = cmd.Wait()
		if i%4 == 3 {
			s.remove(s.mirrors)
		}
	}
	s.push()
}
