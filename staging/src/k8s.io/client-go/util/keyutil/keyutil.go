// Package keyutil reads, writes and generates private and public keys in PEM.
//
// The functions that parse take the first key, or all keys, out of data in which
// there may be other things, such as certificates or the parameters of a curve.
// Keys are RSA, ECDSA or Ed25519.
package keyutil

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"k8s.io/client-go/internal/atomicfile"
)

// These are the types of PEM blocks that have keys in them.
const (
	// ECPrivateKeyBlockType is for an ECDSA key, see RFC 5915.
	ECPrivateKeyBlockType = "EC PRIVATE KEY"
	// RSAPrivateKeyBlockType is for an RSA key, see PKCS #1 in RFC 8017.
	RSAPrivateKeyBlockType = "RSA PRIVATE KEY"
	// PrivateKeyBlockType is for any private key, see PKCS #8 in RFC 5208.
	PrivateKeyBlockType = "PRIVATE KEY"
	// PublicKeyBlockType is for any public key, see PKIX in RFC 5280.
	PublicKeyBlockType = "PUBLIC KEY"

	rsaPublicKeyBlockType = "RSA PUBLIC KEY" // PKCS #1 again
	certificateBlockType  = "CERTIFICATE"
)

var (
	errNoPrivateKey = errors.New("data does not contain a valid RSA or ECDSA private key")
	errNoPublicKey  = errors.New("data does not contain any valid RSA or ECDSA public keys")
)

// keyMode lets only the owner read a key.
const keyMode fs.FileMode = 0o600

// MakeEllipticPrivateKeyPEM generates an ECDSA key on the curve P-256 and returns
// it as an EC PRIVATE KEY block.
func MakeEllipticPrivateKeyPEM() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return MarshalPrivateKeyToPEM(key)
}

// MarshalPrivateKeyToPEM returns a key as a PEM block. It takes an
// [*ecdsa.PrivateKey], an [*rsa.PrivateKey] or an [ed25519.PrivateKey], and
// returns an error for anything else.
func MarshalPrivateKeyToPEM(privateKey crypto.PrivateKey) ([]byte, error) {
	var (
		der   []byte
		block string
		err   error
	)
	switch key := privateKey.(type) {
	case *rsa.PrivateKey:
		block, der = RSAPrivateKeyBlockType, x509.MarshalPKCS1PrivateKey(key)
	case *ecdsa.PrivateKey:
		block = ECPrivateKeyBlockType
		der, err = x509.MarshalECPrivateKey(key)
	case ed25519.PrivateKey:
		block = PrivateKeyBlockType
		der, err = x509.MarshalPKCS8PrivateKey(key)
	default:
		err = fmt.Errorf("private key is not a recognized type: %T", privateKey)
	}
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}), nil
}

// WriteKey writes data, a key in PEM, to the file keyPath. A new file can be
// read by its owner only. One that exists is replaced, at once, and keeps its
// mode. Directories that are missing are made with mode 0755.
func WriteKey(keyPath string, data []byte) error {
	return atomicfile.Write(keyPath, data, keyMode)
}

// LoadOrGenerateKeyFile returns the private key in the file keyPath, in PEM. If
// there is no such file, it generates an ECDSA key and writes it there. All who
// do that at the same time get the same key, and wasGenerated is true for the
// one whose key it is. It returns an error if the file has no key in it.
func LoadOrGenerateKeyFile(keyPath string) (data []byte, wasGenerated bool, err error) {
	data, err = loadKey(keyPath)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, false, err
	}
	if data, err = MakeEllipticPrivateKeyPEM(); err != nil {
		return nil, false, fmt.Errorf("error generating key: %w", err)
	}
	switch err = atomicfile.Create(keyPath, data, keyMode); {
	case err == nil:
		return data, true, nil
	case errors.Is(err, fs.ErrExist):
		data, err = loadKey(keyPath)
		return data, false, err
	}
	return nil, false, fmt.Errorf("error writing key to %s: %w", keyPath, err)
}

func loadKey(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		_, err = ParsePrivateKeyPEM(data)
	}
	if err != nil {
		return nil, fmt.Errorf("error loading key from %s: %w", path, err)
	}
	return data, nil
}

// PrivateKeyFromFile returns the first private key in a file. See
// ParsePrivateKeyPEM.
func PrivateKeyFromFile(file string) (interface{}, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := ParsePrivateKeyPEM(data)
	if err != nil {
		return nil, fmt.Errorf("error reading private key file %s: %w", file, err)
	}
	return key, nil
}

// PublicKeysFromFile returns the public keys in a file. See ParsePublicKeysPEM.
func PublicKeysFromFile(file string) ([]interface{}, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	keys, err := ParsePublicKeysPEM(data)
	if err != nil {
		return nil, fmt.Errorf("error reading public key file %s: %w", file, err)
	}
	return keys, nil
}

// ParsePrivateKeyPEM returns the first private key in keyData: an
// [*ecdsa.PrivateKey], an [*rsa.PrivateKey] or an [ed25519.PrivateKey]. Blocks
// that cannot be parsed are passed over.
func ParsePrivateKeyPEM(keyData []byte) (interface{}, error) {
	for block := range blocks(keyData) {
		if key := privateKeyIn(block); key != nil {
			return key, nil
		}
	}
	return nil, errNoPrivateKey
}

// ParsePublicKeysPEM returns the public keys in keyData, in their order: each an
// [*rsa.PublicKey], an [*ecdsa.PublicKey] or an [ed25519.PublicKey]. Private keys
// and certificates count as their public keys. Blocks that cannot be parsed are
// passed over. It is an error if there is no key at all.
func ParsePublicKeysPEM(keyData []byte) ([]interface{}, error) {
	var keys []interface{}
	for block := range blocks(keyData) {
		if key := publicKeyIn(block); key != nil {
			keys = append(keys, key)
		}
	}
	if keys == nil {
		return nil, errNoPublicKey
	}
	return keys, nil
}

func blocks(data []byte) iter.Seq[*pem.Block] {
	return func(yield func(*pem.Block) bool) {
		for {
			var block *pem.Block
			if block, data = pem.Decode(data); block == nil || !yield(block) {
				return
			}
		}
	}
}

// privateKeyIn returns the private key in block, or nil if there is none.
func privateKeyIn(block *pem.Block) crypto.PrivateKey {
	switch block.Type {
	case ECPrivateKeyBlockType:
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key
		}
	case RSAPrivateKeyBlockType:
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key
		}
	case PrivateKeyBlockType:
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return key
		}
	}
	return nil
}

// publicKeyIn returns the public key in block, or nil if there is none of a type
// that signs.
func publicKeyIn(block *pem.Block) crypto.PublicKey {
	var key any
	switch block.Type {
	case PublicKeyBlockType:
		key, _ = x509.ParsePKIXPublicKey(block.Bytes)
	case rsaPublicKeyBlockType:
		if rsaKey, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
			key = rsaKey
		}
	case certificateBlockType:
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	default:
		if signer, ok := privateKeyIn(block).(crypto.Signer); ok {
			key = signer.Public()
		}
	}
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return key
	}
	return nil
}
