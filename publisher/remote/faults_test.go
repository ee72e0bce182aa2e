package remote_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/remote"
)

func always(*http.Request) bool { return true }

// TestPushOutlivesFaults has faults that pass. All arrives.
func TestPushOutlivesFaults(t *testing.T) {
	t.Parallel()
	answer := func(status int) func(http.ResponseWriter, *http.Request) {
		return func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "later", status) }
	}
	for name, test := range map[string]struct {
		which func(*http.Request) bool
		do    func(http.ResponseWriter, *http.Request)
	}{
		"cut in the middle of a pack": {gitserver.IsPush, func(rw http.ResponseWriter, r *http.Request) { gitserver.Cut(rw, r, 300) }},
		"cut before the pack":         {gitserver.IsPush, func(rw http.ResponseWriter, r *http.Request) { gitserver.Cut(rw, r, 0) }},
		"503":                         {always, answer(http.StatusServiceUnavailable)},
		"429":                         {always, answer(http.StatusTooManyRequests)},
		"502 for the pack":            {gitserver.IsPush, answer(http.StatusBadGateway)},
		"slow": {always, func(rw http.ResponseWriter, r *http.Request) {
			time.Sleep(300 * time.Millisecond)
			http.Error(rw, "later", http.StatusGatewayTimeout)
		}},
		"no answer": {always, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.times(2, test.which, test.do)
			_, err := w.push(w.read(), w.all())
			w.must(err)
			w.has(w.all())
		})
	}
}

// TestLostAnswer has the server do what it was asked for, and the answer get lost.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := w.read()
	// That of curl, which asks once more on its own, too.
	w.server.Set(func(s *gitserver.HTTP) { s.Lose = 2 })
	done, err := w.push(read, w.all())
	w.must(err)
	if done.Refs != 5 {
		t.Errorf("%d refs arrived, want 5", done.Refs)
	}
	w.has(w.all())
}

// TestFaultsThatStayEnd counts how often something is tried.
func TestFaultsThatStayEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status, tries int
		kind          remote.Kind
	}{
		"forbidden":   {http.StatusForbidden, 1, remote.Denied},
		"not found":   {http.StatusNotFound, 1, remote.Missing},
		"unavailable": {http.StatusServiceUnavailable, 5, remote.Unreachable},
		"too many":    {http.StatusTooManyRequests, 5, remote.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.times(1000, always, func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "no", test.status) })
			_, err := w.client.Refs(t.Context(), w.url)
			w.fails(err, test.kind, w.url)
			if n := len(w.server.Requests); n != test.tries {
				t.Errorf("it was asked %d times, want %d", n, test.tries)
			}
		})
	}
}

func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := httptest.NewTLSServer(nil)
	gone.Close()
	_, err := w.client.Refs(t.Context(), gone.URL+"/mirror.git")
	w.fails(err, remote.Unreachable)
	for template, kind := range map[string]remote.Kind{w.remote.File(): remote.Missing, w.remote.Daemon(): remote.Missing} {
		_, err = w.client.Refs(t.Context(), strings.Replace(template, "{{.Destination}}", "other", 1))
		w.fails(err, kind, "create it")
	}
}

// TestStrangeCertificateIsRefused reaches a server without its certificate.
func TestStrangeCertificateIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.newClient().Refs(t.Context(), w.url)
	w.fails(err, remote.Denied, "certificate")
	if len(w.server.Requests) != 0 {
		t.Error("the server was asked all the same")
	}
}

// TestSilentServer has a server take a request and not answer.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.Silence, w.client.Attempts = 300*time.Millisecond, 2
	w.times(1000, always, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := w.client.Refs(t.Context(), w.url)
	w.fails(err, remote.Unreachable, "said nothing for 300ms")
}

// TestEndsWithItsContext interrupts what waits for a server.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.times(1000, always, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := w.client.Refs(ctx, w.url)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
