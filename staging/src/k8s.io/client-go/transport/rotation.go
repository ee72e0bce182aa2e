package transport

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"k8s.io/client-go/util/connrotation"
)

// CertCallbackRefreshDuration is how often files with certificates are looked
// at. Transports go by what it is when they are made. Tests set it, before they
// make any.
var CertCallbackRefreshDuration = 5 * time.Minute

// A certRotation closes the connections that were opened with a client
// certificate once there is a newer one. A certificate is shown at the handshake
// only, so an open connection would go by the old one for as long as it lives.
//
// There is something to look after only while there are connections. So a timer
// runs from the first one on and, at the latest, one period longer than the last
// one. There is no goroutine.
type certRotation struct {
	latest func() *tls.Certificate
	dial   connrotation.DialFunc
	period time.Duration
	open   *connrotation.ConnectionTracker

	mu      sync.Mutex
	current *tls.Certificate // that of the connections, unless they are newer
	timer   *time.Timer      // nil if it does not run
	retired bool
}

func newCertRotation(latest func() *tls.Certificate, dial connrotation.DialFunc) *certRotation {
	return &certRotation{
		latest:  latest,
		dial:    dial,
		period:  CertCallbackRefreshDuration,
		open:    connrotation.NewConnectionTracker(),
		current: latest(),
	}
}

// DialContext opens a connection that is closed when the certificate changes.
func (r *certRotation) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := r.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tracked := r.open.Track(conn)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil && !r.retired {
		r.timer = time.AfterFunc(r.period, r.look)
	}
	return tracked, nil
}

func (r *certRotation) look() {
	latest := r.latest()
	r.mu.Lock()
	changed := latest != r.current
	r.current = latest
	r.mu.Unlock()
	if changed {
		r.open.CloseAll()
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.retired:
	case r.open.Len() == 0:
		r.timer = nil
	default:
		r.timer.Reset(r.period)
	}
}

// retire stops the timer, for when there will be no more connections.
func (r *certRotation) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = true
	if r.timer != nil {
		r.timer.Stop()
	}
}
