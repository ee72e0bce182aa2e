package exec

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os/exec"
	"sync"
	"time"

	"k8s.io/client-go/tools/metrics"
)

// The statuses that calls are counted under.
const (
	statusNoError       = "no_error"
	statusFailed        = "plugin_execution_error"
	statusNotFound      = "plugin_not_found_error"
	statusInternalError = "client_internal_error"
)

// countCall counts a run of a plugin that returned err, with the plugin's exit
// code, or 1 if it did not even start.
func countCall(err error) {
	exit, exited := errors.AsType[*exec.ExitError](err)
	_, notFound := errors.AsType[*exec.Error](err)
	_, notStarted := errors.AsType[*fs.PathError](err)
	switch {
	case err == nil:
		metrics.ExecPluginCalls.Increment(0, statusNoError)
	case exited:
		metrics.ExecPluginCalls.Increment(exit.ExitCode(), statusFailed)
	case notFound || notStarted:
		metrics.ExecPluginCalls.Increment(1, statusNotFound)
	default:
		metrics.ExecPluginCalls.Increment(1, statusInternalError)
	}
}

// expiryTracker keeps the metric of when the first of all authenticators'
// certificates expires.
type expiryTracker struct {
	mu sync.Mutex
	at map[*Authenticator]time.Time
}

var expiries expiryTracker

func (t *expiryTracker) set(a *Authenticator, cert *tls.Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cert == nil || cert.Leaf == nil {
		delete(t.at, a)
	} else {
		if t.at == nil {
			t.at = map[*Authenticator]time.Time{}
		}
		t.at[a] = cert.Leaf.NotAfter
	}

	var first *time.Time
	for _, at := range t.at {
		if first == nil || at.Before(*first) {
			first = &at
		}
	}
	metrics.ClientCertExpiry.Set(first)
}
