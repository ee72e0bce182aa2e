package certificate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/certificate/csr"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/klog/v2"
)

const (
	// patience is how long to wait for a request to be approved and signed.
	patience = 15 * time.Minute
	// templatePeriod is how often to look whether what is asked for has changed.
	templatePeriod = time.Second
)

// rotate gets new certificates, one after another, until the manager is stopped.
func (m *manager) rotate() {
	logger := klog.FromContext(m.ctx)
	for {
		at := m.deadline()
		logger.V(2).Info("The certificate is to be renewed", "at", at)
		if !m.sleepUntil(at) {
			return
		}
		if m.config.template() == nil {
			// Nothing to ask for. followTemplate tells when there is.
			if !m.sleepUntil(time.Now().Add(time.Minute)) {
				return
			}
			continue
		}
		pause := wait.Backoff{Duration: 2 * time.Second, Factor: 2, Jitter: 0.1, Steps: 8, Cap: 5 * time.Minute}
		for {
			err := m.renew(m.ctx)
			if err == nil {
				break
			}
			if m.ctx.Err() != nil {
				return
			}
			logger.Error(err, "The certificate could not be renewed; trying again")
			if m.config.CertificateRenewFailure != nil {
				m.config.CertificateRenewFailure.Inc()
			}
			if !m.sleepUntil(time.Now().Add(pause.Step())) {
				return
			}
			if m.config.template() == nil {
				break
			}
		}
	}
}

// sleepUntil waits, but not longer than until the template changes. It returns false if
// the manager is stopped.
func (m *manager) sleepUntil(at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-m.ctx.Done():
		return false
	case <-timer.C:
	case <-m.changed:
	}
	return m.ctx.Err() == nil
}

// followTemplate has the certificate renewed when it is not what the template asks for.
func (m *manager) followTemplate() {
	wait.UntilWithContext(m.ctx, func(context.Context) {
		template := m.config.template()
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.asksForMore(template) {
			m.signal()
		}
	}, templatePeriod)
}

func (m *manager) signal() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// asksForMore reports whether the template asks for what the certificate does not have.
// What was asked for already, and was not given, is not asked for again before its
// time. It is called with the lock held.
func (m *manager) asksForMore(template *x509.CertificateRequest) bool {
	return template != nil && !satisfies(m.current, template) && !reflect.DeepEqual(template, m.asked)
}

// deadline returns when to ask for the next certificate: now where there is none that
// is as it should be, otherwise at some time between 70 % and 90 % of its time, so that
// many programs that started together do not ask together.
func (m *manager) deadline() time.Time {
	template := m.config.template()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.due || m.current == nil || m.asksForMore(template) {
		return time.Now()
	}
	leaf := m.current.Leaf
	whole := float64(leaf.NotAfter.Sub(leaf.NotBefore))
	return leaf.NotBefore.Add(time.Duration(whole * (0.7 + 0.2*mathrand.Float64())))
}

// satisfies reports whether the certificate has all that the template asks for.
func satisfies(current *tls.Certificate, template *x509.CertificateRequest) bool {
	if current == nil {
		return false
	}
	leaf := current.Leaf
	has := func(all []string, wanted []string) bool {
		return !slices.ContainsFunc(wanted, func(w string) bool { return !slices.Contains(all, w) })
	}
	hasIP := func(wanted net.IP) bool {
		return slices.ContainsFunc(leaf.IPAddresses, func(ip net.IP) bool { return ip.Equal(wanted) })
	}
	return leaf.Subject.CommonName == template.Subject.CommonName &&
		has(leaf.Subject.Organization, template.Subject.Organization) &&
		has(leaf.DNSNames, template.DNSNames) &&
		!slices.ContainsFunc(template.IPAddresses, func(ip net.IP) bool { return !hasIP(ip) })
}

// ask notes what is asked for now. That the template had changed before is no news
// any more.
func (m *manager) ask(template *x509.CertificateRequest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = template
	select {
	case <-m.changed:
	default:
	}
}

// renew gets a new certificate and stores it.
func (m *manager) renew(ctx context.Context) error {
	template := m.config.template()
	if template == nil {
		return errors.New("there is nothing to ask for")
	}
	m.ask(template)
	key, keyPEM, requestPEM, err := newRequest(template)
	if err != nil {
		return err
	}
	client, err := m.config.ClientsetFn(m.Current())
	if err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	name, uid, err := csr.RequestCertificateWithContext(ctx, client, requestPEM, "", m.config.SignerName,
		m.config.RequestedCertificateLifetime, m.config.usages(key), key)
	m.heard(err)
	if err != nil {
		return err
	}
	klog.FromContext(ctx).V(2).Info("Waiting for a certificate", "csr", name)
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// A certificate that is not what is asked for any more is not waited for.
	go func() {
		select {
		case <-m.changed:
			m.signal()
			cancel()
		case <-waiting.Done():
		}
	}()
	certPEM, err := csr.WaitForCertificate(waiting, client, name, uid)
	if err != nil {
		return err
	}
	next, err := m.config.CertificateStore.Update(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("storing the certificate: %w", err)
	}
	if next, err = withLeaf(next); err != nil {
		return err
	}
	m.replace(next)
	return nil
}

// replace makes a certificate the current one.
func (m *manager) replace(next *tls.Certificate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.current; old != nil && m.config.CertificateRotation != nil && !bytes.Equal(old.Certificate[0], next.Certificate[0]) {
		m.config.CertificateRotation.Observe(time.Since(old.Leaf.NotBefore).Seconds())
	}
	m.current, m.due = next, false
}

// newRequest makes a key, and a request that it signs.
func newRequest(template *x509.CertificateRequest) (key *ecdsa.PrivateKey, keyPEM, requestPEM []byte, err error) {
	key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("making a private key: %w", err)
	}
	if keyPEM, err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
		return nil, nil, nil, fmt.Errorf("encoding the private key: %w", err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("signing the certificate request: %w", err)
	}
	return key, keyPEM, pem.EncodeToMemory(&pem.Block{Type: cert.CertificateRequestBlockType, Bytes: request}), nil
}
