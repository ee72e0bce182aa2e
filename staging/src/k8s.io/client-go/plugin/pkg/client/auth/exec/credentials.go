package exec

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"time"

	"k8s.io/client-go/tools/metrics"
)

// credentials are what one run of the plugin returned. They are never changed;
// a pointer to them tells one run's from another's.
type credentials struct {
	authorization []string         // the header's value; nil without a token
	cert          *tls.Certificate // nil without one
	expiry        time.Time        // zero if they do not expire by themselves
}

func (c *credentials) usable(now time.Time) bool {
	return c != nil && (c.expiry.IsZero() || now.Before(c.expiry))
}

// refresh is one run of the plugin. Its results can be read once done is
// closed.
type refresh struct {
	done  chan struct{}
	creds *credentials
	err   error
}

// credentials returns credentials for a request, and waits for the plugin if
// it has to.
func (a *Authenticator) credentials(ctx context.Context) (*credentials, error) {
	a.mu.Lock()
	current, run := a.current, a.running
	if run == nil {
		if current.usable(time.Now()) {
			a.mu.Unlock()
			return current, nil
		}
		run = a.startLocked()
	}
	a.mu.Unlock()

	err := run.wait(ctx)
	if err == nil {
		return run.creds, nil
	}
	if ctx.Err() == nil && current.usable(time.Now()) {
		return current, nil
	}
	return nil, err
}

// refused gets new credentials after the server refused these, unless there
// are newer ones already.
func (a *Authenticator) refused(ctx context.Context, creds *credentials) error {
	a.mu.Lock()
	if a.current != creds {
		a.mu.Unlock()
		return nil
	}
	run := a.running
	if run == nil {
		run = a.startLocked()
	}
	a.mu.Unlock()
	return run.wait(ctx)
}

// certificate returns the client certificate for a new connection, or nil if
// the plugin returns none.
func (a *Authenticator) certificate() (*tls.Certificate, error) {
	creds, err := a.credentials(context.Background())
	if err != nil {
		return nil, err
	}
	return creds.cert, nil
}

func (r *refresh) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startLocked starts the plugin. It outlives the request that needed it, as a
// user may be typing a password. a.mu is held.
func (a *Authenticator) startLocked() *refresh {
	run, old := &refresh{done: make(chan struct{})}, a.current
	a.running = run
	go func() {
		defer close(run.done)
		run.creds, run.err = a.plugin.run()
		if run.err == nil {
			// Nobody has the new credentials yet, so what is closed here
			// was made with the old ones.
			a.rotated(old, run.creds)
		}

		a.mu.Lock()
		defer a.mu.Unlock()
		a.running = nil
		if run.err == nil {
			a.current = run.creds
		}
	}()
	return run
}

// rotated does what has to be done when credentials take the place of old
// ones, which are nil at first.
func (a *Authenticator) rotated(old, creds *credentials) {
	expiries.set(a, creds.cert)
	if old == nil || sameCertificate(old.cert, creds.cert) {
		return
	}
	if old.cert != nil && old.cert.Leaf != nil {
		metrics.ClientCertRotationAge.Observe(time.Since(old.cert.Leaf.NotBefore))
	}
	a.tracker.CloseAll()
}

func sameCertificate(a, b *tls.Certificate) bool {
	if a == nil || b == nil {
		return a == b
	}
	if len(a.Certificate) != len(b.Certificate) {
		return false
	}
	for i := range a.Certificate {
		if !bytes.Equal(a.Certificate[i], b.Certificate[i]) {
			return false
		}
	}
	key, ok := a.PrivateKey.(interface{ Equal(crypto.PrivateKey) bool })
	return ok && key.Equal(b.PrivateKey)
}
