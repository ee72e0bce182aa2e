package transport

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	clientfeatures "k8s.io/client-go/features"
)

// TLSConfigFor returns the TLS configuration that c asks for, or nil if it asks
// for nothing special. The files that c names are read; a client certificate
// from files is read again at each handshake. Errors are those of New.
func TLSConfigFor(c *Config) (*tls.Config, error) {
	if err := checkHolders(c); err != nil {
		return nil, err
	}
	found, err := loadTLS(c)
	if err != nil {
		return nil, err
	}
	return found.config(c)
}

// tlsMaterial is what the files and the data in a TLSConfig come to.
type tlsMaterial struct {
	ca, cert, key     []byte
	caFile            string // not empty if the authorities can change
	certFile, keyFile string // not empty if the client certificate can change

	// clientCert returns the client certificate as it is now. It is nil if
	// there is none, and before config was called.
	clientCert func() *tls.Certificate
}

func loadTLS(c *Config) (m tlsMaterial, err error) {
	for _, source := range []struct {
		into *[]byte
		data []byte
		file string
	}{
		{&m.ca, c.TLS.CAData, c.TLS.CAFile},
		{&m.cert, c.TLS.CertData, c.TLS.CertFile},
		{&m.key, c.TLS.KeyData, c.TLS.KeyFile},
	} {
		*source.into = source.data
		if len(source.data) > 0 || source.file == "" {
			continue
		}
		content, err := os.ReadFile(source.file)
		if err != nil {
			return m, err // it names the file and says what was tried
		}
		*source.into = content
	}
	if c.TLS.CAFile != "" && (c.TLS.ReloadCAFiles || len(c.TLS.CAData) == 0) &&
		clientfeatures.FeatureGates().Enabled(clientfeatures.ClientsAllowCARotation) {
		m.caFile = c.TLS.CAFile
	}
	noData := len(c.TLS.CertData) == 0 && len(c.TLS.KeyData) == 0
	if c.TLS.CertFile != "" && c.TLS.KeyFile != "" && (c.TLS.ReloadTLSFiles || noData) {
		m.certFile, m.keyFile = c.TLS.CertFile, c.TLS.KeyFile
	}
	return m, nil
}

func (m *tlsMaterial) config(c *Config) (*tls.Config, error) {
	if c.HasCA() && c.TLS.Insecure {
		return nil, errors.New("specifying a root certificates file with the insecure flag is not allowed")
	}
	hasCert, hasCallback := c.HasCertAuth(), c.HasCertCallback()
	if !c.HasCA() && !hasCert && !hasCallback && !c.TLS.Insecure && c.TLS.ServerName == "" && len(c.TLS.NextProtos) == 0 {
		return nil, nil
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: c.TLS.Insecure,
		ServerName:         c.TLS.ServerName,
		NextProtos:         slices.Clip(c.TLS.NextProtos), // it is appended to
	}
	if c.HasCA() {
		roots, err := parseRoots(m.ca)
		if err != nil {
			return nil, fmt.Errorf("unable to load root certificates: %w", err)
		}
		config.RootCAs = roots
	}
	switch {
	case hasCert:
		current, err := m.clientCertificate()
		if err != nil {
			return nil, fmt.Errorf("unable to load the client certificate: %w", err)
		}
		m.clientCert = current
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return current(), nil
		}
	case hasCallback:
		ask := c.TLS.GetCertHolder.GetCert
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := ask()
			if err == nil && cert == nil {
				cert = &tls.Certificate{} // nil is not allowed: this one means none
			}
			return cert, err
		}
	}
	return config, nil
}

func parseRoots(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("unable to parse bytes as PEM block")
	}
	return pool, nil
}

// clientCertificate returns a function that returns the client certificate as it
// is now.
func (m *tlsMaterial) clientCertificate() (func() *tls.Certificate, error) {
	if m.certFile != "" {
		files, err := newCertFiles(m)
		if err != nil {
			return nil, err
		}
		return files.current, nil
	}
	pair, err := tls.X509KeyPair(m.cert, m.key)
	if err != nil {
		return nil, err
	}
	return func() *tls.Certificate { return &pair }, nil
}

// certFiles are a client certificate and its key in files that can change.
type certFiles struct {
	certFile, keyFile string

	mu        sync.Mutex
	cert, key []byte // what the files had in them
	pair      *tls.Certificate
}

func newCertFiles(m *tlsMaterial) (*certFiles, error) {
	f := &certFiles{certFile: m.certFile, keyFile: m.keyFile}
	if err := f.take(m.cert, m.key); err == nil {
		return f, nil
	} else if again := f.read(); again != nil {
		// The material may be a mixture of two generations, or old data that
		// came with the file names, but the files are no better.
		return nil, err
	}
	return f, nil
}

// current returns the certificate in the files, or the last good one. It is the
// same pointer as long as the files are the same.
func (f *certFiles) current() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	// The files are replaced one after the other. Where they do not match, or
	// are not there, they soon will.
	if err := f.read(); err != nil {
		logStale(err, "client certificate", f.certFile)
	}
	return f.pair
}

func (f *certFiles) read() error {
	cert, err := os.ReadFile(f.certFile)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(f.keyFile)
	if err != nil {
		return err
	}
	return f.take(cert, key)
}

func (f *certFiles) take(cert, key []byte) error {
	if f.pair != nil && bytes.Equal(cert, f.cert) && bytes.Equal(key, f.key) {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	f.cert, f.key, f.pair = cert, key, &pair
	return nil
}
