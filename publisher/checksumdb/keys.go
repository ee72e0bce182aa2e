package checksumdb

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// KeyError reports a key file that cannot be used.
type KeyError struct {
	File string
	Err  error
}

func (e *KeyError) Error() string { return fmt.Sprintf("key file %s: %v", e.File, e.Err) }
func (e *KeyError) Unwrap() error { return e.Err }

// keys are those of a key file, in its order.
type keys struct {
	signers   []note.Signer
	verifiers []string // their verifier keys
	known     note.Verifiers
}

// validName is the form of host names. The go command would also take a path behind it.
var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// openKeys reads a key file, or makes it where that is allowed.
func openKeys(o Options, served string, make bool) (*keys, error) {
	if o.KeyFile == "" {
		return nil, errors.New("no key file is named")
	}
	fail := func(err error) (*keys, error) { return nil, &KeyError{o.KeyFile, err} }
	if err := outside(o.KeyFile, served); err != nil {
		return fail(err)
	}
	k, err := readKeys(o.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if !make {
			return fail(errors.New("it is missing, and another key's signature would not be accepted by who knows the database: put it back where it was"))
		}
		if _, err := Rotate(o.KeyFile, o.Name); err != nil {
			return nil, err
		}
		k, err = readKeys(o.KeyFile)
	}
	if err != nil {
		return fail(err)
	}
	if name := k.signers[0].Name(); o.Name != "" && o.Name != name {
		return fail(fmt.Errorf("its first key is that of %s, not of %s", name, o.Name))
	}
	return k, nil
}

// outside makes sure that a key is not among the files that are served.
func outside(keyFile, served string) error {
	folder, err := filepath.Abs(filepath.Dir(keyFile))
	if err != nil {
		return err
	}
	if resolved, err := filepath.EvalSymlinks(folder); err == nil {
		folder = resolved
	}
	if served, err = filepath.EvalSymlinks(served); err != nil {
		return err
	}
	if rel, err := filepath.Rel(served, folder); err == nil && filepath.IsLocal(rel) {
		return errors.New("it is among the files that are served: the private key must be elsewhere")
	}
	return nil
}

func readKeys(name string) (*keys, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others than its owner can use it (mode %#o): chmod 600 it, or rotate the key where somebody may have read it", info.Mode().Perm())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	k := new(keys)
	var known []note.Verifier
	for _, line := range keyLines(data) {
		s, err := note.NewSigner(line)
		if err != nil {
			return nil, errors.New("it has a line that is no private key")
		}
		verifierKey, err := verifierKey(line)
		if err != nil {
			return nil, err
		}
		v, err := note.NewVerifier(verifierKey)
		if err != nil {
			return nil, err
		}
		k.signers, k.verifiers, known = append(k.signers, s), append(k.verifiers, verifierKey), append(known, v)
	}
	if len(known) == 0 {
		return nil, errors.New("it has no key")
	}
	k.known = note.VerifierList(known...)
	return k, nil
}

// keyLines are the private keys in a key file: one on a line.
func keyLines(data []byte) (lines []string) {
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// verifierKey is the public half of a private key, which package note has written as
// PRIVATE+KEY+<name>+<hash>+<algorithm and seed>.
func verifierKey(private string) (string, error) {
	fields := strings.SplitN(private, "+", 5)
	data, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(data) != 1+ed25519.SeedSize {
		return "", errors.New("it has a key that is none of Ed25519")
	}
	public := ed25519.NewKeyFromSeed(data[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(fields[2], public)
}

// sign signs a head by all keys.
func (k *keys) sign(head tlog.Tree) ([]byte, error) {
	return note.Sign(&note.Note{Text: string(tlog.FormatTree(head))}, k.signers...)
}

// open reads a head that one of the keys has signed.
func (k *keys) open(head []byte) (tlog.Tree, error) {
	tree, err := parseHead(head, k.known)
	if _, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		err = fmt.Errorf("none of the keys in the key file, %s, has signed the head: use the key file that belongs to the database", strings.Join(k.names(), ", "))
	}
	if err != nil {
		return tlog.Tree{}, &DamageError{latestFile, err}
	}
	return tree, nil
}

func (k *keys) names() (names []string) {
	for _, s := range k.signers {
		names = append(names, s.Name())
	}
	return names
}

// complete tells whether all keys, and no others, have signed a head.
func (k *keys) complete(head []byte) bool {
	n, err := note.Open(head, k.known)
	return err == nil && len(n.Sigs) == len(k.signers) && len(n.UnverifiedSigs) == 0
}

// Rotate puts a new key before those in a key file, or makes the file, and returns its
// verifier key. From the next [Open] on, all keys sign all heads, those in the lookups
// included, and consumers can go over from one key to the other at any time. [Retire] ends
// that.
//
// The new key has a name of its own. Go commands keep what they know of a database by its
// name, and would not accept what another key has signed.
func Rotate(keyFile, name string) (verifierKey string, err error) {
	fail := func(err error) (string, error) { return "", &KeyError{keyFile, err} }
	if !validName.MatchString(name) {
		return fail(fmt.Errorf("%q does not do for the name of a checksum database: it is a host name, such as sum.example.org", name))
	}
	data, err := os.ReadFile(keyFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	if err == nil {
		k, err := readKeys(keyFile)
		if err != nil {
			return fail(err)
		}
		if slices.Contains(k.names(), name) {
			return fail(fmt.Errorf("there is a key of the name %s already: a new one needs another name, such as new-%s", name, name))
		}
	}
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return fail(err)
	}
	return public, writeKeys(keyFile, append([]string{private}, keyLines(data)...))
}

// Retire removes the keys of a name from a key file. From the next [Open] on, go commands
// that know no other key do not accept the database any more.
func Retire(keyFile, name string) error {
	k, err := readKeys(keyFile)
	if err != nil {
		return &KeyError{keyFile, err}
	}
	data, err := os.ReadFile(keyFile)
	if err != nil {
		return &KeyError{keyFile, err}
	}
	var kept []string
	for i, line := range keyLines(data) {
		if k.signers[i].Name() != name {
			kept = append(kept, line)
		}
	}
	switch len(kept) {
	case 0:
		return &KeyError{keyFile, fmt.Errorf("it would have no key without that of %s: make a new one first", name)}
	case len(k.signers):
		return &KeyError{keyFile, fmt.Errorf("it has no key of %s: it has those of %s", name, strings.Join(k.names(), ", "))}
	}
	return writeKeys(keyFile, kept)
}

func writeKeys(keyFile string, lines []string) error {
	folder := filepath.Dir(keyFile)
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		err = renameio.WriteFile(keyFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600, renameio.WithTempDir(folder), renameio.IgnoreUmask())
	}
	if err != nil {
		return &KeyError{keyFile, err}
	}
	return nil
}
