package session_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// signingKey makes an SSH key: the file with the private one, and one with whom to trust.
func (w *world) signingKey() (private, trusted string) {
	w.Helper()
	dir := w.TempDir()
	private, trusted = filepath.Join(dir, "key"), filepath.Join(dir, "trusted")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", private).CombinedOutput(); err != nil {
		w.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(private + ".pub")
	w.must(err)
	w.write(trusted, "release@example.com "+string(public))
	return private, trusted
}

// verify runs a verification, which must end well or with a mismatch that says something.
func (w *world) verify(mismatch string, flags ...string) string {
	w.Helper()
	out, err := w.publisher("verify", flags...).CombinedOutput()
	if (err == nil) != (mismatch == "") || !strings.Contains(string(out), mismatch) {
		w.Errorf("verify: %v, want %q\n%s", err, mismatch, out)
	}
	return string(out)
}

// published is what all mirrors have but for what testifies to it.
func (w *world) published() string {
	var kept strings.Builder
	for line := range strings.Lines(w.refs()) {
		if !strings.Contains(line, "refs/provenance/") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// TestSignaturesChangeNothingThatIsPublished: laws 1 and 3 hold whoever signs.
func TestSignaturesChangeNothingThatIsPublished(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	key, trusted := w.signingKey()
	other, others := w.signingKey()
	w.syncFlags = []string{"--signing-key", key}
	w.sync()
	if said := w.verify("", "--trusted-keys", trusted); !strings.Contains(said, "the provenance of 2 tags states what is so, signed by a trusted key") {
		t.Errorf("verify says\n%s", said)
	}
	signed := w.refs()
	if n := strings.Count(signed, "refs/provenance/"); n != 6 {
		t.Errorf("%d of 6 tags have a provenance:\n%s", n, signed)
	}
	// Nobody's, or somebody else's.
	nobodys := *w
	nobodys.mirrors, nobodys.syncFlags = filepath.Join(w.TempDir(), "mirrors"), nil
	nobodys.sync()
	somebodys := *w
	somebodys.mirrors, somebodys.syncFlags = filepath.Join(w.TempDir(), "mirrors"), []string{"--signing-key", other}
	somebodys.sync()
	if a, b, c := w.published(), nobodys.refs(), somebodys.published(); a != b || a != c {
		t.Errorf("signed, the mirrors have\n%s\nunsigned\n%s\nsigned by another\n%s", a, b, c)
	}
	if signed == somebodys.refs() {
		t.Error("another key has signed the same")
	}
	somebodys.verify("no signature of a key that is trusted", "--trusted-keys", trusted)
	nobodys.verify("", "--trusted-keys", trusted)

	// What is there stays, whoever comes next. New tags are testified to by who makes them.
	w.unchanged(func() { w.sync() })
	w.syncFlags = []string{"--signing-key", other}
	w.unchanged(func() { w.sync() })
	w.commit(commit{files: files{"staging/a/more.go": "package a\n"}})
	w.tag("v1.21.0")
	w.sync()
	for line := range strings.Lines(signed) {
		if strings.Contains(line, "refs/tags/") || strings.Contains(line, "refs/provenance/") {
			if !strings.Contains(w.refs(), strings.TrimSpace(line)) {
				t.Errorf("gone is %s", line)
			}
		}
	}
	w.verify("refs/provenance/v0.21.0: it has no signature of a key that is trusted", "--trusted-keys", trusted)
	w.verify("refs/provenance/v0.20.0: it has no signature of a key that is trusted", "--trusted-keys", others)
	both, err := os.ReadFile(others)
	w.must(err)
	first, err := os.ReadFile(trusted)
	w.must(err)
	w.write(trusted, string(first)+string(both))
	w.verify("", "--trusted-keys", trusted)
	w.sound()
}

func TestForgedProvenanceIsFound(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	key, trusted := w.signingKey()
	w.syncFlags = []string{"--signing-key", key}
	w.sync()
	for says, args := range map[string][]string{
		"is not what the provenance in it is stored in":                                           {"refs/provenance/v0.20.0", "refs/provenance/kubernetes-1.20.0"},
		"wrong provenance refs/provenance/v0.20.0: commit":                                        {"refs/provenance/v0.20.0", "refs/heads/master"},
		"wrong provenance refs/provenance/v9.9.9: it testifies to tag v9.9.9, which is not there": {"refs/provenance/v9.9.9", "refs/provenance/v0.20.0"},
	} {
		old := w.git(w.mirror("a"), "for-each-ref", "--format=%(objectname)", args[0])
		w.git(w.mirror("a"), append([]string{"update-ref"}, args...)...)
		w.verify(says, "--trusted-keys", trusted)
		if old == "" {
			w.git(w.mirror("a"), "update-ref", "-d", args[0])
		} else {
			w.git(w.mirror("a"), "update-ref", args[0], old)
		}
	}
	w.git(w.mirror("a"), "update-ref", "-d", "refs/provenance/v0.20.0")
	if said := w.verify("", "--trusted-keys", trusted); !strings.Contains(said, "nobody testifies to 1 tag") {
		t.Errorf("verify says\n%s", said)
	}
}

// TestProvenanceArrivesWithItsTag pushes tags and what testifies to them, and goes on
// from a working copy that was wiped.
func TestProvenanceArrivesWithItsTag(t *testing.T) {
	t.Parallel()
	w := small(t, standardRules)
	key, trusted := w.signingKey()
	s := w.remotes()
	s.flags = []string{"--signing-key", key}
	push := func() {
		t.Helper()
		if out, err := s.run("sync", "--push").CombinedOutput(); err != nil {
			t.Fatalf("sync --push: %v\n%s", err, out)
		}
	}
	push()
	first := s.all()
	if n := strings.Count(first, "refs/provenance/"); n != 6 {
		t.Errorf("%d of 6 tags have a provenance at the remotes:\n%s", n, first)
	}
	push()
	w.remove(w.mirrors)
	push()
	if now := s.all(); now != first {
		t.Errorf("the remotes had\n%s\nand have\n%s", first, now)
	}
	w.verify("", "--trusted-keys", trusted)
	w.remove(w.mirrors)
	w.commit(commit{files: files{"staging/a/more.go": "package a\n"}})
	w.tag("v1.21.0")
	push()
	for line := range strings.Lines(first) {
		if strings.Contains(line, "refs/provenance/") && !strings.Contains(s.all(), strings.TrimSpace(line)) {
			t.Errorf("gone is %s", line)
		}
	}
	if n := strings.Count(s.all(), "refs/provenance/"); n != 12 {
		t.Errorf("%d of 12 tags have a provenance at the remotes:\n%s", n, s.all())
	}
	said := w.verify("", "--remote="+s.template, "--trusted-keys", trusted)
	if !strings.Contains(said, "the provenance of 4 tags states what is so, signed by a trusted key") {
		t.Errorf("verify --remote says\n%s", said)
	}
	// What a consumer does.
	clone := filepath.Join(w.TempDir(), "clone")
	w.git(w.dir, "clone", "--quiet", s.Dir("a"), clone)
	if refs := w.git(clone, "for-each-ref", "refs/provenance", "refs/remotes/origin/provenance"); refs != "" {
		t.Errorf("a clone got\n%s", refs)
	}
	w.git(clone, "fetch", "--quiet", "origin", "refs/provenance/v0.21.0")
	if text := w.git(clone, "show", "FETCH_HEAD:provenance.json"); !strings.Contains(text, "application/vnd.in-toto+json") {
		t.Errorf("the provenance is\n%s", text)
	}
}
