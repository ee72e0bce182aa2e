package provenance

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/hiddeco/sshsig"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/crypto/ssh"
)

// Namespace is that of SSH signatures: it keeps them from passing for signatures of
// something else.
const Namespace = "publisher-provenance"

// Signer signs statements. It is safe for concurrent use.
type Signer struct{ key dsse.Signer }

// mostKeys bounds the size of a file of keys, in bytes.
const mostKeys = 1 << 20

func readKeys(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostKeys+1))
	if err == nil && len(data) > mostKeys {
		err = fmt.Errorf("%s has more than %d bytes", file, mostKeys)
	}
	return data, err
}

func isArmored(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN PGP ")) }

// LoadSigner reads a private key from a file: one of SSH, in any form that ssh takes, or
// one of OpenPGP in armor, as gpg --armor --export-secret-keys prints it. It must not be
// protected by a passphrase. No error has anything of it.
func LoadSigner(file string) (*Signer, error) {
	data, err := readKeys(file)
	if err != nil {
		return nil, fmt.Errorf("load signing key: %w", err)
	}
	failed := func(what string) error { return fmt.Errorf("load signing key: %s %s", file, what) }
	if isArmored(data) {
		keys, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(data))
		if err != nil || len(keys) != 1 || keys[0].PrivateKey == nil {
			return nil, failed("is not one private key of OpenPGP")
		}
		key, ok := keys[0].SigningKey(now())
		if !ok || key.PrivateKey == nil {
			return nil, failed("has no key to sign with that is still good")
		}
		if key.PrivateKey.Encrypted {
			return nil, failed("is protected by a passphrase; nobody is there to type it")
		}
		return &Signer{openPGP{keys[0]}}, nil
	}
	key, err := ssh.ParsePrivateKey(data)
	if _, protected := errors.AsType[*ssh.PassphraseMissingError](err); protected {
		return nil, failed("is protected by a passphrase; nobody is there to type it")
	}
	if err != nil {
		return nil, failed("is neither a private key of SSH nor one of OpenPGP in armor")
	}
	return &Signer{sshSigner{key}}, nil
}

// KeyID is who signs.
func (s *Signer) KeyID() string {
	id, _ := s.key.KeyID() // Ours have one.
	return id
}

// sshSigner signs with an SSH key.
type sshSigner struct{ ssh.Signer }

func (s sshSigner) KeyID() (string, error) { return ssh.FingerprintSHA256(s.PublicKey()), nil }

func (s sshSigner) Sign(_ context.Context, data []byte) ([]byte, error) {
	signature, err := sshsig.Sign(bytes.NewReader(data), s.Signer, sshsig.HashSHA512, Namespace)
	if err != nil {
		return nil, err
	}
	return sshsig.Armor(signature), nil
}

// openPGP signs and verifies with an OpenPGP key.
type openPGP struct{ *openpgp.Entity }

func (k openPGP) KeyID() (string, error) {
	return strings.ToUpper(hex.EncodeToString(k.PrimaryKey.Fingerprint)), nil
}

func (k openPGP) Public() crypto.PublicKey { return k.PrimaryKey.PublicKey }

func (k openPGP) Sign(_ context.Context, data []byte) ([]byte, error) {
	var out bytes.Buffer
	err := openpgp.ArmoredDetachSign(&out, k.Entity, bytes.NewReader(data), &packet.Config{DefaultHash: crypto.SHA512})
	return out.Bytes(), err
}

func (k openPGP) Verify(_ context.Context, data, sig []byte) error {
	_, err := openpgp.CheckArmoredDetachedSignature(openpgp.EntityList{k.Entity}, bytes.NewReader(data), bytes.NewReader(sig), nil)
	return err
}
