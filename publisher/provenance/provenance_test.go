package provenance_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/mod/module"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/provenance"
)

// run runs a program that must succeed, in a folder.
func run(t *testing.T, dir, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GNUPGHOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// keys are the files with the two halves of a key, and how a witness of another make
// verifies a signature of it.
type keys struct {
	private, public string
	verify          func(t *testing.T, text, signature string) error
}

// sshKey makes a key with ssh-keygen.
func sshKey(t *testing.T, kind string) keys {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "", "ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "release@example.com", "-f", "key")
	public, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	allowed := write(t, dir, "allowed_signers", `release@example.com namespaces="git,publisher-*" `+string(public))
	return keys{filepath.Join(dir, "key"), allowed, func(t *testing.T, text, signature string) error {
		cmd := exec.Command("ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "release@example.com", "-n", provenance.Namespace, "-s", write(t, dir, "signature", signature))
		cmd.Stdin = strings.NewReader(text)
		return cmd.Run()
	}}
}

// gpgKey makes a key with gpg.
func gpgKey(t *testing.T) keys {
	t.Helper()
	dir, err := os.MkdirTemp("", "gpg-") // The path of the agent's socket must be short.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", dir, "--kill", "all").Run()
		_ = os.RemoveAll(dir)
	})
	run(t, dir, "", "gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "Release <release@example.com>", "ed25519", "sign", "never")
	private := write(t, dir, "private", run(t, dir, "", "gpg", "--batch", "--quiet", "--armor", "--export-secret-keys"))
	public := write(t, dir, "public", run(t, dir, "", "gpg", "--batch", "--quiet", "--armor", "--export"))
	return keys{private, public, func(t *testing.T, text, signature string) error {
		cmd := exec.Command("gpg", "--batch", "--verify", write(t, dir, "signature", signature), "-")
		cmd.Env = append(os.Environ(), "GNUPGHOME="+dir)
		cmd.Stdin = strings.NewReader(text)
		return cmd.Run()
	}}
}

// kinds are the keys that can sign.
var kinds = map[string]func(*testing.T) keys{
	"ssh ed25519": func(t *testing.T) keys { return sshKey(t, "ed25519") },
	"ssh ecdsa":   func(t *testing.T) keys { return sshKey(t, "ecdsa") },
	"ssh rsa":     func(t *testing.T) keys { return sshKey(t, "rsa") },
	"OpenPGP":     gpgKey,
}

// world is a mirror with a tag.
type world struct {
	*testing.T
	repo   *gittest.Repo
	facts  provenance.Facts
	target *object.Commit
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, repo: gittest.New(t)}
	w.repo.History("A: go.mod=module_x\nbranch master A")
	w.facts = provenance.Facts{
		Destination: "org/lib", Tag: "v0.36.2", Object: w.repo.Tag("v0.36.2", w.repo.Commits["A"]), Commit: w.repo.Commits["A"],
		SourceTag: "v1.36.2", SourceObject: w.repo.Commits["A"], SourceCommit: w.repo.Commits["A"],
		Module: module.Version{Path: "example.com/lib", Version: "v0.36.2"}, Sum: "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=",
		Claims: provenance.Claims{Rules: strings.Repeat("0", 64), Publisher: "v1.0.0"},
	}
	var err error
	if w.target, err = object.ParseCommit([]byte(w.repo.Git("cat-file", "commit", w.facts.Commit.String()))); err != nil {
		t.Fatal(err)
	}
	return w
}

// record has a key testify to the tag.
func (w *world) record(k keys) object.ID {
	w.Helper()
	s, err := provenance.LoadSigner(k.private)
	if err != nil {
		w.Fatal(err)
	}
	id, err := s.Record(w.Context(), w.facts, w.target, func(t object.Type, data []byte) (object.ID, error) { return w.repo.Put(t, data), nil })
	if err != nil {
		w.Fatal(err)
	}
	w.repo.SetRef(provenance.Ref("v0.36.2"), id)
	return id
}

// Commit, Tree and Blob make the world [provenance.Objects].
func (w *world) Commit(id object.ID) ([]byte, error) {
	return []byte(w.repo.Git("cat-file", "commit", id.String())), nil
}
func (w *world) Tree(id object.ID) ([]byte, error) {
	return []byte(w.repo.Git("cat-file", "tree", id.String())), nil
}
func (w *world) Blob(id object.ID) ([]byte, error) {
	return []byte(w.repo.Git("cat-file", "blob", id.String())), nil
}

// check checks what testifies to the tag against who is trusted, if somebody is.
func (w *world) check(id object.ID, facts provenance.Facts, trusted ...keys) error {
	w.Helper()
	var t *provenance.Trusted
	for _, k := range trusted {
		var err error
		if t, err = provenance.LoadTrusted(k.public); err != nil {
			w.Fatal(err)
		}
	}
	facts.Claims = provenance.Claims{}
	return provenance.Check(w.Context(), w, id, facts, w.target, t)
}

// envelope reads what the ref names, as anybody can.
func (w *world) envelope() (e dsse.Envelope, payload []byte) {
	w.Helper()
	if err := json.Unmarshal([]byte(w.repo.Git("show", "refs/provenance/v0.36.2:provenance.json")), &e); err != nil {
		w.Fatal(err)
	}
	payload, err := e.DecodeB64Payload()
	if err != nil || len(e.Signatures) != 1 {
		w.Fatalf("%v, %d signatures", err, len(e.Signatures))
	}
	return e, payload
}

func TestSignatureIsOneThatOthersVerify(t *testing.T) {
	for name, key := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, k := newWorld(t), key(t)
			id := w.record(k)
			if err := w.check(id, w.facts, k); err != nil {
				t.Error(err)
			}
			e, payload := w.envelope()
			decoded, err := decode(e.Signatures[0].Sig)
			if err != nil {
				t.Fatal(err)
			}
			pae := string(dsse.PAE(e.PayloadType, payload))
			if err := k.verify(t, pae, decoded); err != nil {
				t.Errorf("the witness does not verify it: %v", err)
			}
			if err := k.verify(t, pae+" ", decoded); err == nil {
				t.Error("the witness verifies what was not signed")
			}
			w.repo.Git("fsck", "--full", "--strict")
		})
	}
}

func TestWrongProvenanceIsFound(t *testing.T) {
	k, other := sshKey(t, "ed25519"), sshKey(t, "ed25519")
	pgp := gpgKey(t)
	for name, test := range map[string]struct {
		facts   func(*provenance.Facts)
		trusted keys
		says    string
	}{
		"another tag object":       {facts: func(f *provenance.Facts) { f.Object = f.Commit }, says: "should state"},
		"another source commit":    {facts: func(f *provenance.Facts) { f.SourceCommit = f.Object }, says: "should state"},
		"another source tag":       {facts: func(f *provenance.Facts) { f.SourceTag = "v1.36.3" }, says: "should state"},
		"another destination":      {facts: func(f *provenance.Facts) { f.Destination = "lib" }, says: "should state"},
		"another module hash":      {facts: func(f *provenance.Facts) { f.Sum = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }, says: "should state"},
		"a key that nobody trusts": {trusted: other, says: "no signature of a key that is trusted"},
		"a key of another kind":    {trusted: pgp, says: "no signature of a key that is trusted"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.record(k)
			facts, trusted := w.facts, k
			if test.facts != nil {
				test.facts(&facts)
			}
			if test.trusted.public != "" {
				trusted = test.trusted
			}
			err := w.check(id, facts, trusted)
			if _, ok := errors.AsType[*provenance.InvalidError](err); !ok || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
	t.Run("a signature of something else", func(t *testing.T) {
		w := newWorld(t)
		w.record(k)
		e, payload := w.envelope()
		// Only what the signer alone knows is changed.
		forged := strings.Replace(string(payload), "v1.0.0", "v6.6.6", 1)
		e.Payload = encode(forged)
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		tree := w.repo.Tree(gittest.Files{"provenance.json": gittest.Text(string(data))})
		c, err := object.ParseCommit([]byte(w.repo.Git("cat-file", "commit", provenance.Ref("v0.36.2"))))
		if err != nil {
			t.Fatal(err)
		}
		c.Tree = tree
		id := w.repo.Put(object.CommitType, c.Encode())
		if err := w.check(id, w.facts); err != nil {
			t.Errorf("without keys, it is as it should be: %v", err)
		}
		if err := w.check(id, w.facts, k); err == nil || !strings.Contains(err.Error(), "no signature") {
			t.Errorf("%v, want that nobody signed it", err)
		}
	})
	t.Run("something beside it", func(t *testing.T) {
		w := newWorld(t)
		id := w.record(k)
		c, err := object.ParseCommit([]byte(w.repo.Git("cat-file", "commit", id.String())))
		if err != nil {
			t.Fatal(err)
		}
		c.Message = []byte("Provenance of v0.36.2\n\nand more\n")
		if err := w.check(w.repo.Put(object.CommitType, c.Encode()), w.facts, k); err == nil {
			t.Error("it was not seen")
		}
	})
}

func TestStatementDependsOnItsFactsAlone(t *testing.T) {
	w := newWorld(t)
	one, err := w.facts.Statement()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"refs/tags/v0.36.2","digest":{"gitCommit":"COMMIT","gitTag":"OBJECT"}},` +
		`{"name":"pkg:golang/example.com/lib@v0.36.2","digest":{"goModuleH1":"2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f"}}],` +
		`"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":"https://pkg.go.dev/k8s.io/publisher/provenance#v1",` +
		`"externalParameters":{"destination":"org/lib","sourceTag":"v1.36.2"},"resolvedDependencies":[{"name":"source","digest":{"gitCommit":"COMMIT","gitTag":"COMMIT"}},` +
		`{"name":"rules","digest":{"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}}]},` +
		`"runDetails":{"builder":{"id":"https://pkg.go.dev/k8s.io/publisher","version":{"publisher":"v1.0.0"}}}}}`
	if got := strings.NewReplacer(w.facts.Commit.String(), "COMMIT", w.facts.Object.String(), "OBJECT").Replace(string(one)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// And a signature by an ed25519 key, on its key too.
	k := sshKey(t, "ed25519")
	if a, b := w.record(k), w.record(k); a != b {
		t.Errorf("two signatures: %s and %s", a, b)
	}
}

func TestNoErrorTellsOfAKey(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, "", "ssh-keygen", "-q", "-t", "ed25519", "-N", "swordfish", "-f", "protected")
	for file, says := range map[string]string{
		filepath.Join(dir, "protected"):                                         "protected by a passphrase",
		filepath.Join(dir, "protected.pub"):                                     "neither a private key",
		filepath.Join(dir, "nonesuch"):                                          "no such file",
		write(t, dir, "token", "s3cr3t"):                                        "neither a private key",
		write(t, dir, "armor", "-----BEGIN PGP PRIVATE KEY BLOCK-----\ns3cr3t"): "is not one private key of OpenPGP",
	} {
		if _, err := provenance.LoadSigner(file); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v, want %q", file, err, says)
		}
	}
	public, err := os.ReadFile(filepath.Join(dir, "protected.pub"))
	if err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		"": "has none",
		"x@example.com namespaces=\"git\" " + string(public):        "has none",
		"x@example.com cert-authority " + string(public):            "the option cert-authority is not supported",
		"x@example.com valid-before=\"20200101\" " + string(public): "the option valid-before is not supported",
		"nonsense":                       "1: it is no key",
		"# comment\n\n" + string(public): "",
		"x@example.com,y@example.com " + string(public): "",
	} {
		if _, err := provenance.LoadTrusted(write(t, dir, "trusted", text)); says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}
