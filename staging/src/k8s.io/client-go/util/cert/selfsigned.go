package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/util/keyutil"
)

const (
	day  = 24 * time.Hour
	year = 365 * day

	caLifetime      = 10 * year
	fixtureLifetime = 100 * year

	// clockSkew is how far the clocks of others may be behind ours.
	clockSkew = time.Hour

	serverKeyBits = 2048
)

// AltNames are the names and addresses that a certificate is for.
type AltNames struct {
	DNSNames []string
	IPs      []net.IP
}

// Config says what is to be in a certificate.
type Config struct {
	CommonName   string
	Organization []string
	AltNames     AltNames
	Usages       []x509.ExtKeyUsage
	// NotBefore is when the certificate becomes valid. The default is now.
	NotBefore time.Time
}

// NewSelfSignedCACert returns the certificate of an authority whose key is key.
// It has the names and the time in cfg, and is valid for 10 years from now. The
// alternative names and the usages in cfg do not apply to an authority.
func NewSelfSignedCACert(cfg Config, key crypto.Signer) (*x509.Certificate, error) {
	now := time.Now().UTC()
	ca := newAuthority(pkix.Name{CommonName: cfg.CommonName, Organization: cfg.Organization})
	ca.NotBefore, ca.NotAfter = now, now.Add(caLifetime)
	if !cfg.NotBefore.IsZero() {
		ca.NotBefore = cfg.NotBefore.UTC()
	}
	if cfg.CommonName != "" {
		ca.DNSNames = []string{cfg.CommonName}
	}
	return sign(ca, ca, key.Public(), key)
}

// newAuthority returns a template for the certificate of an authority.
func newAuthority(name pkix.Name) *x509.Certificate {
	return &x509.Certificate{
		Subject:               name,
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
}

// sign returns the certificate of template as the issuer gives it to the owner
// of public. Its serial number is random.
func sign(template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// SelfSignedCertKeyOptions says what GenerateSelfSignedCertKeyWithOptions makes.
type SelfSignedCertKeyOptions struct {
	// Host is the name or the address of the server.
	Host string
	// AlternateIPs are further addresses of it.
	AlternateIPs []net.IP
	// AlternateDNS are further names of it.
	AlternateDNS []string

	// MaxAge is how long the certificate is valid. The default is a year.
	// With a FixtureDirectory it is 100 years, whatever MaxAge is.
	MaxAge time.Duration

	// FixtureDirectory, if not empty, is where certificates are kept from one
	// call to the next, as generating them takes long. It is for tests: whoever
	// reads the directory has the keys. It must exist. The names of the files
	// are made of the host, the addresses and the names:
	//
	//	<host>_<ip>-<ip>_<dns>-<dns>.crt
	//	<host>_<ip>-<ip>_<dns>-<dns>.key
	FixtureDirectory string
}

// GenerateSelfSignedCertKey makes a certificate for a server with that name or
// address, host, and those others. It returns, both in PEM, the certificate
// followed by that of the authority that signed it, and the key, which is RSA.
// Clients are to trust the authority, or either certificate. No one has the
// authority's key.
func GenerateSelfSignedCertKey(host string, alternateIPs []net.IP, alternateDNS []string) ([]byte, []byte, error) {
	return GenerateSelfSignedCertKeyWithFixtures(host, alternateIPs, alternateDNS, "")
}

// GenerateSelfSignedCertKeyWithFixtures is GenerateSelfSignedCertKey with a
// FixtureDirectory, see SelfSignedCertKeyOptions.
func GenerateSelfSignedCertKeyWithFixtures(host string, alternateIPs []net.IP, alternateDNS []string, fixtureDirectory string) ([]byte, []byte, error) {
	return GenerateSelfSignedCertKeyWithOptions(SelfSignedCertKeyOptions{
		Host:             host,
		AlternateIPs:     alternateIPs,
		AlternateDNS:     alternateDNS,
		FixtureDirectory: fixtureDirectory,
	})
}

// GenerateSelfSignedCertKeyWithOptions is GenerateSelfSignedCertKey for opts.
func GenerateSelfSignedCertKeyWithOptions(opts SelfSignedCertKeyOptions) ([]byte, []byte, error) {
	if opts.FixtureDirectory == "" {
		if opts.MaxAge == 0 {
			opts.MaxAge = year
		}
		return generate(&opts)
	}
	opts.MaxAge = fixtureLifetime
	base := filepath.Join(opts.FixtureDirectory, fixtureName(&opts))
	cert, key, err := readFixture(base)
	if err != nil || cert != nil {
		return cert, key, err
	}
	if cert, key, err = generate(&opts); err != nil {
		return nil, nil, err
	}
	// Not a directory that is made on the way: that would be in a wrong place.
	if _, err := os.Stat(opts.FixtureDirectory); err != nil {
		return nil, nil, fmt.Errorf("failed to write cert fixture to %s.crt: %w", base, err)
	}
	if err := keyutil.WriteKey(base+".key", key); err != nil {
		return nil, nil, fmt.Errorf("failed to write key fixture to %s.key: %w", base, err)
	}
	if err := WriteCert(base+".crt", cert); err != nil {
		return nil, nil, fmt.Errorf("failed to write cert fixture to %s.crt: %w", base, err)
	}
	return cert, key, nil
}

func fixtureName(opts *SelfSignedCertKeyOptions) string {
	addresses := make([]string, 0, len(opts.AlternateIPs))
	for _, ip := range opts.AlternateIPs {
		addresses = append(addresses, ip.String())
	}
	return opts.Host + "_" + strings.Join(addresses, "-") + "_" + strings.Join(opts.AlternateDNS, "-")
}

// readFixture returns a certificate that was kept, or nil if there is none.
// Files that do not match count as none: two tests may have written them at the
// same time.
func readFixture(base string) (cert, key []byte, err error) {
	if cert, err = os.ReadFile(base + ".crt"); err == nil {
		key, err = os.ReadFile(base + ".key")
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("failed to read cert fixture: %w", err)
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return nil, nil, nil
	}
	return cert, key, nil
}

func generate(opts *SelfSignedCertKeyOptions) (certPEM, keyPEM []byte, err error) {
	now := time.Now()
	from := now.Add(-clockSkew)
	to := from.Add(opts.MaxAge)
	named := func(format string) pkix.Name {
		return pkix.Name{CommonName: fmt.Sprintf(format, opts.Host, now.Unix())}
	}

	// The authority signs once. Its key need not be of the kind that the oldest
	// of clients know.
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	caTemplate := newAuthority(named("%s-ca@%d"))
	caTemplate.NotBefore, caTemplate.NotAfter = from, to
	ca, err := sign(caTemplate, caTemplate, caKey.Public(), caKey)
	if err != nil {
		return nil, nil, err
	}

	key, err := rsa.GenerateKey(rand.Reader, serverKeyBits)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject:               named("%s@%d"),
		NotBefore:             from,
		NotAfter:              to,
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(opts.Host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else if opts.Host != "" {
		template.DNSNames = []string{opts.Host}
	}
	template.IPAddresses = append(template.IPAddresses, opts.AlternateIPs...)
	template.DNSNames = append(template.DNSNames, opts.AlternateDNS...)
	server, err := sign(template, ca, key.Public(), caKey)
	if err != nil {
		return nil, nil, err
	}

	if certPEM, err = EncodeCertificates(server, ca); err != nil {
		return nil, nil, err
	}
	if keyPEM, err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
		return nil, nil, err
	}
	return certPEM, keyPEM, nil
}
