package certificate

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	certificates "k8s.io/api/certificates/v1"
	clientset "k8s.io/client-go/kubernetes"
)

// Config says what certificate a manager keeps, and how it gets it.
type Config struct {
	// ClientsetFn returns the client to ask for certificates with. It gets the
	// current certificate if there is one that is good. It is never called twice
	// at the same time. Nil: nothing is ever asked for.
	ClientsetFn ClientsetFunc
	// Template is what to ask for, as in [x509.CreateCertificateRequest].
	Template *x509.CertificateRequest
	// GetTemplate returns what to ask for now, in place of Template. Nil: there is
	// nothing to ask for yet. It is called every few seconds; what the certificate
	// does not satisfy is asked for at once.
	GetTemplate func() *x509.CertificateRequest
	// SignerName is who is to sign.
	SignerName string
	// RequestedCertificateLifetime is how long a certificate is to be good. It is
	// up to the signer. It may be nil.
	RequestedCertificateLifetime *time.Duration
	// Usages are what the certificate is for. Either it or GetUsages is set.
	Usages []certificates.KeyUsage
	// GetUsages returns what the certificate is for, given the key, such as a
	// *ecdsa.PrivateKey, that is made for it.
	GetUsages func(privateKey interface{}) []certificates.KeyUsage
	// CertificateStore has the current certificate, and gets each new one.
	CertificateStore Store
	// BootstrapCertificatePEM is used while the store has no certificate. It is
	// replaced at the first opportunity, however long it is good.
	BootstrapCertificatePEM []byte
	// BootstrapKeyPEM is the key of BootstrapCertificatePEM.
	BootstrapKeyPEM []byte `datapolicy:"security-key"`
	// CertificateRotation gets, in seconds, how long ago a certificate became good
	// when it was replaced. It may be nil.
	CertificateRotation Histogram
	// CertificateRenewFailure counts the attempts to get a new certificate that
	// have failed. It may be nil.
	CertificateRenewFailure Counter
	// Name is what the manager is called in log lines and errors. By default it is
	// SignerName; without that, "client auth" if the certificate is for clients,
	// and "server" if not.
	Name string
	// Ctx ends the manager as Stop does, and has the logger. It may be nil.
	Ctx *context.Context
}

// ClientsetFunc returns a client, for a program that has the certificate, or nil where
// it has none.
type ClientsetFunc func(current *tls.Certificate) (clientset.Interface, error)

// Histogram takes durations in seconds.
type Histogram interface {
	Observe(float64)
}

// Counter counts.
type Counter interface {
	Inc()
}

// Gauge takes a value that goes up and down, such as how long a certificate is still
// good.
type Gauge interface {
	Set(float64)
}

// Usages for the certificates of a kubelet, with which it serves, and with which it
// talks to the API server. With an RSA key peers may encipher keys; other keys only
// sign.
var (
	DefaultKubeletServingGetUsages = func(privateKey interface{}) []certificates.KeyUsage {
		return usagesFor(privateKey, certificates.UsageServerAuth)
	}
	DefaultKubeletClientGetUsages = func(privateKey interface{}) []certificates.KeyUsage {
		return usagesFor(privateKey, certificates.UsageClientAuth)
	}
)

func usagesFor(privateKey any, purpose certificates.KeyUsage) []certificates.KeyUsage {
	if _, ok := privateKey.(*rsa.PrivateKey); ok {
		return []certificates.KeyUsage{certificates.UsageKeyEncipherment, certificates.UsageDigitalSignature, purpose}
	}
	return []certificates.KeyUsage{certificates.UsageDigitalSignature, purpose}
}

func (c *Config) template() *x509.CertificateRequest {
	if c.GetTemplate != nil {
		return c.GetTemplate()
	}
	return c.Template
}

func (c *Config) usages(key any) []certificates.KeyUsage {
	if c.GetUsages != nil {
		return c.GetUsages(key)
	}
	return c.Usages
}

func (c *Config) name() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.SignerName != "":
		return c.SignerName
	case slices.Contains(c.usages(nil), certificates.UsageClientAuth):
		return "client auth"
	}
	return "server"
}

func (c *Config) validate() error {
	switch {
	case c.GetUsages != nil && c.Usages != nil:
		return errors.New("certificate manager: both Usages and GetUsages are set")
	case c.GetUsages == nil && c.Usages == nil:
		return errors.New("certificate manager: neither Usages nor GetUsages is set")
	case c.CertificateStore == nil:
		return errors.New("certificate manager: CertificateStore is nil")
	}
	return nil
}
