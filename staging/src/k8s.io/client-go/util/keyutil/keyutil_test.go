package keyutil_test

import (
	"bytes"
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
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/util/keyutil"
)

var keys = sync.OnceValue(func() (k struct {
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}) {
	var errs [3]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.ecdsa, errs[1] = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, k.ed25519, errs[2] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return k
})

func block(kind string, der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func private(key any) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return block("PRIVATE KEY", der, err)
}

func public(key any) []byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	return block("PUBLIC KEY", der, err)
}

func certificate(key crypto.Signer) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return block("CERTIFICATE", der, err)
}

func marshal(t testing.TB, key crypto.PrivateKey) []byte {
	t.Helper()
	data, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestKeysAreFoundInPEM(t *testing.T) {
	k := keys()
	const (
		rsaKey     = "*rsa.PrivateKey"
		ecKey      = "*ecdsa.PrivateKey"
		edKey      = "ed25519.PrivateKey"
		rsaPublic  = "*rsa.PublicKey"
		ecPublic   = "*ecdsa.PublicKey"
		edPublic   = "ed25519.PublicKey"
		noPrivate  = ""
		badBlock   = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
		parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
	)
	tests := map[string]struct {
		data    []byte
		private string
		public  []string
	}{
		"RSA":                     {marshal(t, k.rsa), rsaKey, []string{rsaPublic}},
		"ECDSA":                   {marshal(t, k.ecdsa), ecKey, []string{ecPublic}},
		"Ed25519":                 {marshal(t, k.ed25519), edKey, []string{edPublic}},
		"RSA, PKCS 8":             {private(k.rsa), rsaKey, []string{rsaPublic}},
		"ECDSA, PKCS 8":           {private(k.ecdsa), ecKey, []string{ecPublic}},
		"public RSA":              {public(k.rsa.Public()), noPrivate, []string{rsaPublic}},
		"public ECDSA":            {public(k.ecdsa.Public()), noPrivate, []string{ecPublic}},
		"public Ed25519":          {public(k.ed25519.Public()), noPrivate, []string{edPublic}},
		"public RSA, PKCS 1":      {block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey), nil), noPrivate, []string{rsaPublic}},
		"certificate":             {certificate(k.ecdsa), noPrivate, []string{ecPublic}},
		"all in their order":      {slices.Concat(public(k.rsa.Public()), marshal(t, k.ecdsa), certificate(k.rsa)), ecKey, []string{rsaPublic, ecPublic, rsaPublic}},
		"parameters are no key":   {append([]byte(parameters), marshal(t, k.ecdsa)...), ecKey, []string{ecPublic}},
		"what is bad is no key":   {append([]byte(badBlock), marshal(t, k.rsa)...), rsaKey, []string{rsaPublic}},
		"text around is no key":   {slices.Concat([]byte("my key:\n"), marshal(t, k.rsa), []byte("bye")), rsaKey, []string{rsaPublic}},
		"nothing":                 {nil, noPrivate, nil},
		"nothing but a bad block": {[]byte(badBlock), noPrivate, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			key, err := keyutil.ParsePrivateKeyPEM(test.data)
			if test.private == noPrivate {
				if err == nil || key != nil || !strings.Contains(err.Error(), "does not contain a valid RSA or ECDSA private key") {
					t.Errorf("private key %T, %v", key, err)
				}
			} else if got := fmt.Sprintf("%T", key); got != test.private || err != nil {
				t.Errorf("private key %s, %v, want %s", got, err, test.private)
			}
			found, err := keyutil.ParsePublicKeysPEM(test.data)
			var got []string
			for _, key := range found {
				got = append(got, fmt.Sprintf("%T", key))
			}
			if !slices.Equal(got, test.public) || (err != nil) != (test.public == nil) {
				t.Errorf("public keys %q, %v, want %q", got, err, test.public)
			}
		})
	}
}

func TestOtherThingsAreNotMarshalled(t *testing.T) {
	for _, key := range []any{nil, "key", *keys().ecdsa, keys().rsa.Public()} {
		if data, err := keyutil.MarshalPrivateKeyToPEM(key); data != nil || err == nil {
			t.Errorf("%T became %q", key, data)
		}
	}
}

func TestKeysAreReadFromFiles(t *testing.T) {
	dir := t.TempDir()
	path, bad, missing := filepath.Join(dir, "sub", "key"), filepath.Join(dir, "bad"), filepath.Join(dir, "missing")
	if err := keyutil.WriteKey(path, marshal(t, keys().ecdsa)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	if err := os.WriteFile(bad, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := keyutil.PrivateKeyFromFile(path)
	if err != nil || !keys().ecdsa.Equal(key) {
		t.Errorf("got %v, %v", key, err)
	}
	public, err := keyutil.PublicKeysFromFile(path)
	if err != nil || len(public) != 1 || !keys().ecdsa.PublicKey.Equal(public[0]) {
		t.Errorf("got %v, %v", public, err)
	}
	if _, err := keyutil.PrivateKeyFromFile(bad); err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("the error is %v", err)
	}
	if _, err := keyutil.PublicKeysFromFile(bad); err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("the error is %v", err)
	}
	if _, err := keyutil.PrivateKeyFromFile(missing); !os.IsNotExist(err) {
		t.Errorf("the error is %v", err)
	}
	if _, err := keyutil.PublicKeysFromFile(missing); !os.IsNotExist(err) {
		t.Errorf("the error is %v", err)
	}
}

func TestAllGetTheKeyThatOneHasGenerated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "key")
	var (
		mu        sync.Mutex
		generated int
		found     [][]byte
		all       sync.WaitGroup
	)
	for range 16 {
		all.Go(func() {
			data, mine, err := keyutil.LoadOrGenerateKeyFile(path)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, data)
			if mine {
				generated++
			}
		})
	}
	all.Wait()
	if generated != 1 {
		t.Errorf("%d keys were generated", generated)
	}
	for _, data := range found {
		if !bytes.Equal(data, found[0]) {
			t.Error("there are two keys")
		}
	}
	if key, err := keyutil.ParsePrivateKeyPEM(found[0]); err != nil {
		t.Errorf("%T, %v", key, err)
	}
}

func TestFileWithoutAKeyIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := keyutil.LoadOrGenerateKeyFile(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v", err)
	}
	if content, _ := os.ReadFile(path); string(content) != "precious" {
		t.Errorf("it is now %q", content)
	}
}

func FuzzKeys(f *testing.F) {
	k := keys()
	f.Add(marshal(f, k.ecdsa))
	f.Add(private(k.ed25519))
	f.Add(slices.Concat(public(k.rsa.Public()), certificate(k.ecdsa)))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := keyutil.ParsePrivateKeyPEM(data)
		if (key == nil) != (err != nil) {
			t.Fatalf("got %T and %v", key, err)
		}
		public, err := keyutil.ParsePublicKeysPEM(data)
		if (len(public) == 0) != (err != nil) {
			t.Fatalf("got %d keys and %v", len(public), err)
		}
		if key == nil {
			return
		}
		again, err := keyutil.MarshalPrivateKeyToPEM(key)
		if err != nil {
			return // such as an X25519 key, which does not sign
		}
		same, err := keyutil.ParsePrivateKeyPEM(again)
		if err != nil || !same.(interface{ Equal(crypto.PrivateKey) bool }).Equal(key) {
			t.Fatalf("the key is another one after it was written: %v", err)
		}
	})
}

func ExampleLoadOrGenerateKeyFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for range 2 {
		data, generated, err := keyutil.LoadOrGenerateKeyFile(filepath.Join(dir, "tls.key"))
		if err != nil {
			fmt.Println(err)
			return
		}
		key, err := keyutil.ParsePrivateKeyPEM(data)
		fmt.Printf("%T, generated: %v, error: %v\n", key, generated, err)
	}
	// Output:
	// *ecdsa.PrivateKey, generated: true, error: <nil>
	// *ecdsa.PrivateKey, generated: false, error: <nil>
}
