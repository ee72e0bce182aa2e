package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// authority is a certificate authority of this control plane.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// A day of skew keeps certificates good where clocks differ; they end long after
// anybody still plays with the control plane.
const (
	skew     = 24 * time.Hour
	validity = 365 * 24 * time.Hour
)

// makeCertificates makes the authorities and every certificate and key that the
// servers and the admin need. In a directory that is continued the authorities
// stay, and so does the key that signs service account tokens, so that what was
// handed out goes on working.
func (cp *ControlPlane) makeCertificates() (err error) {
	if cp.ca, err = loadOrMakeAuthority(cp.path("ca"), "controlplane"); err != nil {
		return err
	}
	if cp.etcdCA, err = loadOrMakeAuthority(cp.path("etcd-ca"), "controlplane-etcd"); err != nil {
		return err
	}
	cp.CAFile = cp.path("ca.crt")

	loopback := []string{"127.0.0.1", "localhost"}
	server := append([]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", firstServiceIP}, loopback...)
	now := time.Now()
	for _, c := range []struct {
		file  string
		from  *authority
		hosts []string
		cn    string
		orgs  []string
	}{
		{"server", cp.ca, server, "kube-apiserver", nil},
		{"admin", cp.ca, nil, AdminUser, []string{"system:masters"}},
		{"etcd-server", cp.etcdCA, loopback, "etcd", nil},
		{"etcd-client", cp.etcdCA, nil, "kube-apiserver", nil},
	} {
		cert, key, err := c.from.issue(pkix.Name{CommonName: c.cn, Organization: c.orgs}, c.hosts, now.Add(-skew), now.Add(validity))
		if err != nil {
			return fmt.Errorf("make the certificate of %s: %w", c.cn, err)
		}
		if err := writePair(cp.path(c.file), cert, key); err != nil {
			return err
		}
	}
	return cp.makeServiceAccountKey()
}

// makeServiceAccountKey makes the key that signs and checks service account
// tokens.
func (cp *ControlPlane) makeServiceAccountKey() error {
	path := cp.path("service-account.key")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	_, keyPEM, err := newKey()
	if err != nil {
		return err
	}
	return writeSecret(path, keyPEM)
}

// ClientCertificate issues a certificate that authenticates as a user with groups
// from notBefore to notAfter, and its key, both in PEM.
func (cp *ControlPlane) ClientCertificate(user string, groups []string, notBefore, notAfter time.Time) (cert, key []byte, err error) {
	return cp.ca.issue(pkix.Name{CommonName: user, Organization: groups}, nil, notBefore, notAfter)
}

// SignClient issues a certificate, in PEM, for whom a request is: its subject and its
// key, as the signer kubernetes.io/kube-apiserver-client of a cluster does.
func (cp *ControlPlane) SignClient(request *x509.CertificateRequest, notBefore, notAfter time.Time) ([]byte, error) {
	if err := request.CheckSignature(); err != nil {
		return nil, err
	}
	return cp.ca.sign(request.PublicKey, request.Subject, nil, notBefore, notAfter)
}

// ServerCertificate issues a certificate with which a server in front of the API
// server is trusted by those who trust CAFile, under each of the names and
// addresses given.
func (cp *ControlPlane) ServerCertificate(hosts ...string) (tls.Certificate, error) {
	now := time.Now()
	cert, key, err := cp.ca.issue(pkix.Name{CommonName: "proxy"}, hosts, now.Add(-skew), now.Add(validity))
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

func loadOrMakeAuthority(base, name string) (*authority, error) {
	if pair, err := tls.LoadX509KeyPair(base+".crt", base+".key"); err == nil {
		key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("%s.key is a %T; remove it and %[1]s.crt, new ones are made then", base, pair.PrivateKey)
		}
		return newAuthority(pair.Certificate[0], key)
	} else if !os.IsNotExist(err) {
		return nil, fmt.Errorf("load the authority %s.crt: %w", base, err)
	}

	key, keyPEM, err := newKey()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(10 * validity),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	a, err := newAuthority(der, key)
	if err != nil {
		return nil, err
	}
	return a, writePair(base, a.pem, keyPEM)
}

func newAuthority(der []byte, key *ecdsa.PrivateKey) (*authority, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key, pem: encode("CERTIFICATE", der)}, nil
}

// issue makes a key, and a certificate of it for clients and, with hosts, for servers
// too.
func (a *authority) issue(subject pkix.Name, hosts []string, notBefore, notAfter time.Time) (cert, keyPEM []byte, err error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	cert, err = a.sign(key.Public(), subject, hosts, notBefore, notAfter)
	return cert, keyPEM, err
}

// sign makes a certificate of a public key.
func (a *authority) sign(key any, subject pkix.Name, hosts []string, notBefore, notAfter time.Time) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      subject,
		NotBefore:    notBefore,
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if len(hosts) > 0 {
		// etcd's gateway calls etcd itself with the server's certificate.
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
	if err != nil {
		return nil, err
	}
	return encode("CERTIFICATE", der), nil
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, encode("EC PRIVATE KEY", der), nil
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func writePair(base string, cert, key []byte) error {
	if err := writeSecret(base+".crt", cert); err != nil {
		return err
	}
	return writeSecret(base+".key", key)
}
