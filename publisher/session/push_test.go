package session_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

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
