package cert

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"k8s.io/client-go/internal/atomicfile"
)

// These are the types of PEM blocks.
const (
	// CertificateBlockType is for a certificate.
	CertificateBlockType = "CERTIFICATE"
	// CertificateRequestBlockType is for a request for a certificate.
	CertificateRequestBlockType = "CERTIFICATE REQUEST"
)

var errNoCertificates = errors.New("data does not contain any valid RSA or ECDSA certificates")

// ParseCertsPEM returns the certificates in pemCerts, in their order. Other
// blocks, and those with headers, are passed over. It is an error if there is a
// certificate that cannot be parsed, or none at all.
func ParseCertsPEM(pemCerts []byte) ([]*x509.Certificate, error) {
	var parsed []*x509.Certificate
	for block, rest := pem.Decode(pemCerts); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != CertificateBlockType || len(block.Headers) > 0 {
			continue
		}
		// There may be several certificates in one block.
		found, err := x509.ParseCertificates(block.Bytes)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, found...)
	}
	if len(parsed) == 0 {
		return nil, errNoCertificates
	}
	return parsed, nil
}

// EncodeCertificates returns certificates in PEM, in their order.
func EncodeCertificates(certs ...*x509.Certificate) ([]byte, error) {
	var encoded bytes.Buffer
	for _, c := range certs {
		if err := pem.Encode(&encoded, &pem.Block{Type: CertificateBlockType, Bytes: c.Raw}); err != nil {
			return nil, err
		}
	}
	return encoded.Bytes(), nil
}

// CertsFromFile returns the certificates in a file. See ParseCertsPEM.
func CertsFromFile(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	parsed, err := ParseCertsPEM(data)
	if err != nil {
		return nil, fmt.Errorf("error reading %s: %w", file, err)
	}
	return parsed, nil
}

// NewPool returns a pool of the certificates in a file. See ParseCertsPEM.
func NewPool(filename string) (*x509.CertPool, error) {
	data, err := os.ReadFile(filename)
	if err != nil {
		return nil, err
	}
	pool, err := NewPoolFromBytes(data)
	if err != nil {
		return nil, fmt.Errorf("error creating pool from %s: %w", filename, err)
	}
	return pool, nil
}

// NewPoolFromBytes returns a pool of the certificates in pemBlock. See
// ParseCertsPEM.
func NewPoolFromBytes(pemBlock []byte) (*x509.CertPool, error) {
	parsed, err := ParseCertsPEM(pemBlock)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for i := range parsed {
		pool.AddCert(parsed[i])
	}
	return pool, nil
}

// CanReadCertAndKey reports whether there are files at both paths that can be
// read. It returns an error if there is one of them only.
func CanReadCertAndKey(certPath, keyPath string) (bool, error) {
	cert, key := readable(certPath), readable(keyPath)
	missing := certPath
	switch {
	case cert == key:
		return cert, nil
	case cert:
		missing = keyPath
	}
	return false, fmt.Errorf("error reading %s, certificate and key must be supplied as a pair", missing)
}

func readable(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	file.Close()
	return true
}

// WriteCert writes data, certificates in PEM, to the file certPath. A new file
// gets mode 0644. One that exists is replaced, at once, and keeps its mode.
// Directories that are missing are made with mode 0755.
func WriteCert(certPath string, data []byte) error {
	return atomicfile.Write(certPath, data, 0o644)
}
