package provenance

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/hiddeco/sshsig"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/crypto/ssh"
)

// now is for when keys expire.
var now = time.Now

// Trusted are the keys of which one must have signed.
type Trusted struct{ keys []dsse.Verifier }

// LoadTrusted reads public keys from a file: of SSH, one a line as in an allowed signers
// file of ssh-keygen, with or without principals; or of OpenPGP, in armor, as gpg --armor
// --export prints them.
func LoadTrusted(file string) (*Trusted, error) {
	data, err := readKeys(file)
	if err != nil {
		return nil, fmt.Errorf("load trusted keys: %w", err)
	}
	t := new(Trusted)
	if isArmored(data) {
		for block := range strings.SplitAfterSeq(string(data), "-----END PGP PUBLIC KEY BLOCK-----") {
			if strings.TrimSpace(block) == "" {
				continue
			}
			keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(block))
			if err != nil {
				return nil, fmt.Errorf("load trusted keys: %s: %w", file, err)
			}
			for _, key := range keys {
				t.keys = append(t.keys, openPGP{key})
			}
		}
	} else {
		number := 0
		for line := range bytes.Lines(data) {
			number++
			if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
				continue
			}
			key, good, err := allowedSigner(line)
			if err != nil {
				return nil, fmt.Errorf("load trusted keys: %s:%d: %w", file, number, err)
			}
			if good {
				t.keys = append(t.keys, sshVerifier{key})
			}
		}
	}
	if len(t.keys) == 0 {
		return nil, fmt.Errorf("load trusted keys: %s has none for the namespace %s", file, Namespace)
	}
	return t, nil
}

// allowedSigner reads a line of an allowed signers file (ssh-keygen(1)). It is not good
// for us where it is for other namespaces.
func allowedSigner(line []byte) (_ ssh.PublicKey, good bool, _ error) {
	key, _, options, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil || len(options) > 0 {
		// The first word are principals. They may look like options.
		_, rest, ok := bytes.Cut(line, []byte(" "))
		if !ok {
			return nil, false, errors.New("it is no key")
		}
		if key, _, options, _, err = ssh.ParseAuthorizedKey(bytes.TrimSpace(rest)); err != nil {
			return nil, false, err
		}
	}
	good = true
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		if strings.ToLower(name) != "namespaces" {
			// It may be there to limit the key.
			return nil, false, fmt.Errorf("the option %s is not supported", name)
		}
		good = slices.ContainsFunc(strings.Split(strings.Trim(value, `"`), ","), func(pattern string) bool {
			ok, err := path.Match(pattern, Namespace)
			return ok && err == nil
		})
	}
	return key, good, nil
}

// verify checks that a trusted key has signed.
func (t *Trusted) verify(ctx context.Context, e *dsse.Envelope) error {
	v, err := dsse.NewEnvelopeVerifier(t.keys...)
	if err != nil {
		return err
	}
	_, err = v.Verify(ctx, e)
	return err
}

// sshVerifier verifies with an SSH key.
type sshVerifier struct{ key ssh.PublicKey }

func (v sshVerifier) KeyID() (string, error) { return ssh.FingerprintSHA256(v.key), nil }

func (v sshVerifier) Public() crypto.PublicKey {
	if key, ok := v.key.(ssh.CryptoPublicKey); ok {
		return key.CryptoPublicKey()
	}
	return nil
}

func (v sshVerifier) Verify(_ context.Context, data, sig []byte) error {
	signature, err := sshsig.Unarmor(sig)
	if err != nil {
		return err
	}
	return sshsig.Verify(bytes.NewReader(data), signature, v.key, signature.HashAlgorithm, Namespace)
}
