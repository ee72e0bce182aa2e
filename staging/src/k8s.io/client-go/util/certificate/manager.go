package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
)

// Manager keeps a certificate good.
type Manager interface {
	// Start begins to renew the certificate in the background.
	Start()
	// Stop ends that, and waits until it has ended. It may be called more than
	// once, and without Start.
	Stop()
	// Current returns the certificate, or nil where there is none that is good.
	Current() *tls.Certificate
	// ServerHealthy reports whether the API server gave a sensible answer when it
	// was last asked for a certificate, be it a refusal. It is false before that.
	ServerHealthy() bool
}

// NewManager returns a manager. It reads the store, and returns an error if that
// fails otherwise than by having no certificate.
func NewManager(config *Config) (Manager, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	m := &manager{config: *config, changed: make(chan struct{}, 1)}
	parent := context.Background()
	if config.Ctx != nil {
		parent = *config.Ctx
	}
	logger := klog.LoggerWithName(klog.FromContext(parent), m.config.name())
	m.ctx, m.cancel = context.WithCancel(klog.NewContext(parent, logger))
	current, bootstrap, err := m.config.first()
	if err != nil {
		return nil, fmt.Errorf("certificate manager %s: %w", m.config.name(), err)
	}
	m.current, m.due = current, bootstrap
	return m, nil
}

type manager struct {
	config  Config
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	changed chan struct{} // has something in it when the template has changed

	mu      sync.Mutex
	started bool
	current *tls.Certificate
	due     bool // to be replaced whatever its time
	healthy bool
	asked   *x509.CertificateRequest // what was asked for last
}

// first returns the certificate to begin with, and whether it must be replaced at
// once.
func (c *Config) first() (current *tls.Certificate, bootstrap bool, err error) {
	current, err = c.CertificateStore.Current()
	if err == nil {
		if current, err = withLeaf(current); err != nil {
			return nil, false, err
		}
		return current, false, nil
	}
	if none := (*NoCertKeyError)(nil); !errors.As(err, &none) {
		return nil, false, err
	}
	if len(c.BootstrapCertificatePEM) == 0 || len(c.BootstrapKeyPEM) == 0 {
		return nil, true, nil
	}
	pair, err := tls.X509KeyPair(c.BootstrapCertificatePEM, c.BootstrapKeyPEM)
	if err != nil {
		return nil, false, fmt.Errorf("the bootstrap certificate cannot be used: %w", err)
	}
	// Programs that read the store's files find it there.
	if _, err := c.CertificateStore.Update(c.BootstrapCertificatePEM, c.BootstrapKeyPEM); err != nil {
		klog.Background().Error(err, "The bootstrap certificate could not be stored")
	}
	current, err = withLeaf(&pair)
	return current, true, err
}

func (m *manager) Current() *tls.Certificate {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil && time.Now().After(m.current.Leaf.NotAfter) {
		return nil
	}
	return m.current
}

func (m *manager) ServerHealthy() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.healthy
}

// heard takes in what came of a request.
func (m *manager) heard(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	status := apierrors.APIStatus(nil)
	// What is unexpected comes from something in between, a proxy for example.
	m.healthy = err == nil || apierrors.IsUnauthorized(err) ||
		errors.As(err, &status) && !apierrors.IsUnexpectedServerError(err)
}

func (m *manager) Start() {
	logger := klog.FromContext(m.ctx)
	if m.config.ClientsetFn == nil {
		logger.Info("The certificate will not be renewed: there is no client")
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		return
	}
	m.started = true
	m.running.Go(m.rotate)
	if m.config.GetTemplate != nil {
		m.running.Go(m.followTemplate)
	}
}

func (m *manager) Stop() {
	m.cancel()
	m.running.Wait()
}
