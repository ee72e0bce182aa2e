package transport_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/transport"
)

func refreshEvery(t *testing.T, period time.Duration) {
	before := transport.CertCallbackRefreshDuration
	transport.CertCallbackRefreshDuration = period
	t.Cleanup(func() { transport.CertCallbackRefreshDuration = before })
}

func TestConnectionsWithAnOldClientCertificateAreClosed(t *testing.T) {
	refreshEvery(t, 20*time.Millisecond)
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	dir := t.TempDir()
	cert, key := ca.pair("first")
	rt := newTransport(t, &transport.Config{TLS: transport.TLSConfig{
		CAData:   ca.pem,
		CertFile: write(t, dir, "cert", cert),
		KeyFile:  write(t, dir, "key", key),
	}})
	if got := get(t, rt, s.URL); got != "HTTP/2.0 first" {
		t.Fatalf("the answer is %q", got)
	}

	// Half of a pair changes nothing.
	cert, key = ca.pair("second")
	write(t, dir, "cert", cert)
	time.Sleep(100 * time.Millisecond) // several looks
	if ever, now := s.connections(); ever != 1 || now != 1 {
		t.Errorf("%d connections, %d open, want 1 that is open", ever, now)
	}

	write(t, dir, "key", key)
	eventually(t, "the connection is closed", func() bool {
		_, now := s.connections()
		return now == 0
	})
	if got := get(t, rt, s.URL); got != "HTTP/2.0 second" {
		t.Errorf("the answer is %q", got)
	}

	// The files are gone: the last certificate serves on.
	for _, name := range []string{"cert", "key"} {
		if err := os.Remove(dir + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
	rt.(*http.Transport).CloseIdleConnections()
	if got := get(t, rt, s.URL); got != "HTTP/2.0 second" {
		t.Errorf("the answer is %q", got)
	}
}

func TestConfigIsNotChanged(t *testing.T) {
	ca := newAuthority(t, "ca")
	dir := t.TempDir()
	cert, key := ca.pair("client")
	files := transport.TLSConfig{
		CAFile:   write(t, dir, "ca", ca.pem),
		CertFile: write(t, dir, "cert", cert),
		KeyFile:  write(t, dir, "key", key),
	}
	config := &transport.Config{TLS: files}
	newTransport(t, config)
	if _, err := transport.TLSConfigFor(config); err != nil {
		t.Fatal(err)
	}
	if got := config.TLS; got.CAData != nil || got.CertData != nil || got.KeyData != nil || got.ReloadCAFiles || got.ReloadTLSFiles {
		t.Errorf("it is now %+v", got)
	}
}

// Such a configuration comes from programs that read the files themselves, and
// say where they are.
func TestDataWithReloadIsReadAgain(t *testing.T) {
	refreshEvery(t, 20*time.Millisecond)
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	dir := t.TempDir()
	oldCert, oldKey := ca.pair("data")
	newCert, newKey := ca.pair("file")
	rt := newTransport(t, &transport.Config{TLS: transport.TLSConfig{
		ReloadTLSFiles: true,
		ReloadCAFiles:  true,
		CAData:         newAuthority(t, "old").pem,
		CertData:       oldCert,
		KeyData:        oldKey,
		CAFile:         write(t, dir, "ca", ca.pem),
		CertFile:       write(t, dir, "cert", newCert),
		KeyFile:        write(t, dir, "key", newKey),
	}})
	if got := get(t, rt, s.URL); got != "HTTP/2.0 file" {
		t.Errorf("the answer is %q", got)
	}
}

func TestNewAuthorityIsTrustedAtTheFirstRequestThatNeedsIt(t *testing.T) {
	ca, next := newAuthority(t, "ca"), newAuthority(t, "next")
	s := newServer(t, ca)
	dir := t.TempDir()
	config := &transport.Config{TLS: transport.TLSConfig{CAFile: write(t, dir, "ca", ca.pem)}}
	rt := newTransport(t, config)
	if got := get(t, rt, s.URL); got != "HTTP/2.0" {
		t.Fatalf("the answer is %q", got)
	}

	s.show(next.certificate("server"))
	s.CloseClientConnections()
	if _, err := tryGet(rt, s.URL); err == nil {
		t.Fatal("an unknown authority is trusted")
	}
	write(t, dir, "ca", next.pem)
	for name, body := range map[string]io.Reader{
		"no body":               nil,
		"body that can be had":  strings.NewReader("body"),
		"body that cannot be":   io.MultiReader(strings.NewReader("body")),
		"body, and no new file": bytes.NewReader([]byte("body")),
	} {
		resp, err := (&http.Client{Transport: rt}).Post(s.URL, "text/plain", body)
		if name == "body that cannot be" && err != nil {
			continue // may be the first one; the next one is well
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if answer, _ := io.ReadAll(resp.Body); resp.Proto != "HTTP/2.0" || string(answer) != "HTTP/2.0" {
			t.Errorf("%s: the answer is %q", name, answer)
		}
		resp.Body.Close()
	}
	if again := newTransport(t, config); again != rt {
		t.Error("the transport is no longer shared")
	}
}

func TestOldAuthorityIsNoLongerTrusted(t *testing.T) {
	refreshEvery(t, time.Nanosecond)
	ca, next := newAuthority(t, "ca"), newAuthority(t, "next")
	s := newServer(t, ca)
	dir := t.TempDir()
	rt := newTransport(t, &transport.Config{TLS: transport.TLSConfig{CAFile: write(t, dir, "ca", ca.pem)}})
	get(t, rt, s.URL)
	for _, useless := range []string{"", "nonsense"} {
		write(t, dir, "ca", []byte(useless))
		get(t, rt, s.URL)
	}
	if err := os.Remove(dir + "/ca"); err != nil {
		t.Fatal(err)
	}
	get(t, rt, s.URL)
	if ever, _ := s.connections(); ever != 1 {
		t.Errorf("there were %d connections, want 1", ever)
	}
	write(t, dir, "ca", next.pem)
	if _, err := tryGet(rt, s.URL); err == nil {
		t.Error("an authority that is not in the file is trusted")
	}
	eventually(t, "the connection is closed", func() bool {
		_, now := s.connections()
		return now == 0
	})
}

// A long response is not cut off when an authority is added.
func TestResponseOutlivesAChangeOfAuthorities(t *testing.T) {
	refreshEvery(t, time.Nanosecond)
	ca, next := newAuthority(t, "ca"), newAuthority(t, "next")
	s := newServer(t, ca)
	more := make(chan string)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for line := range more {
			io.WriteString(w, line)
			w.(http.Flusher).Flush()
		}
	})
	dir := t.TempDir()
	rt := newTransport(t, &transport.Config{TLS: transport.TLSConfig{CAFile: write(t, dir, "ca", ca.pem)}})
	go func() { more <- "a" }()
	long, err := (&http.Client{Transport: rt}).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer long.Body.Close()
	write(t, dir, "ca", append(bytes.Clone(next.pem), ca.pem...))
	go func() {
		more <- "b"
		close(more)
	}()
	get(t, rt, s.URL)
	if body, err := io.ReadAll(long.Body); err != nil || len(body) == 0 {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestNewClientTakesWhatIsInTheFileNow(t *testing.T) {
	ca, next := newAuthority(t, "ca"), newAuthority(t, "next")
	s := newServer(t, next)
	dir := t.TempDir()
	config := &transport.Config{TLS: transport.TLSConfig{CAFile: write(t, dir, "ca", ca.pem)}}
	first := newTransport(t, config)
	write(t, dir, "ca", next.pem)
	second := newTransport(t, config)
	if first != second {
		t.Error("the transport is not shared")
	}
	if got := get(t, first, s.URL); got != "HTTP/2.0" {
		t.Errorf("the answer is %q", got)
	}
}
