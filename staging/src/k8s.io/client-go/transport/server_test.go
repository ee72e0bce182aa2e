package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/transport"
)

// An authority issues certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	a := &authority{t: t, cert: template}
	der, key := a.issue(template)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, a.key = cert, key
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func (a *authority) issue(template *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// pair returns a certificate of that name, and its key, in PEM.
func (a *authority) pair(name string) (certPEM, keyPEM []byte) {
	a.t.Helper()
	der, key := a.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(time.Hour),
		DNSNames:    []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
}

func (a *authority) certificate(name string) *tls.Certificate {
	a.t.Helper()
	pair, err := tls.X509KeyPair(a.pair(name))
	if err != nil {
		a.t.Fatal(err)
	}
	return &pair
}

// A server answers with the protocol of the request and the name in the client's
// certificate, and knows its connections.
type server struct {
	*httptest.Server
	ca *authority

	mu       sync.Mutex
	shows    *tls.Certificate
	opened   int
	open     map[net.Conn]bool
	requests []*http.Request
}

func newServer(t testing.TB, ca *authority) *server {
	t.Helper()
	s := &server{ca: ca, shows: ca.certificate("server"), open: map[net.Conn]bool{}}
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = discardLog
	s.TLS = &tls.Config{
		ClientAuth: tls.VerifyClientCertIfGiven,
		ClientCAs:  clients,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.shows, nil
		},
	}
	watched := s.Config.ConnState
	s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if watched != nil {
			watched(conn, state)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		switch state {
		case http.StateNew:
			s.opened++
			s.open[conn] = true
		case http.StateClosed, http.StateHijacked:
			delete(s.open, conn)
		}
	}
	s.StartTLS()
	// httptest adds a certificate of its own, which would win.
	s.TLS.Certificates = nil
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, req)
	s.mu.Unlock()
	io.WriteString(w, req.Proto)
	if certs := req.TLS.PeerCertificates; len(certs) > 0 {
		io.WriteString(w, " "+certs[0].Subject.CommonName)
	}
}

func (s *server) show(cert *tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shows = cert
}

// connections returns how many there ever were, and how many are open.
func (s *server) connections() (ever, now int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened, len(s.open)
}

func newTransport(t testing.TB, config *transport.Config) http.RoundTripper {
	t.Helper()
	rt, err := transport.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// get returns what the server answers.
func get(t testing.TB, rt http.RoundTripper, url string) string {
	t.Helper()
	body, err := tryGet(rt, url)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func tryGet(rt http.RoundTripper, url string) (string, error) {
	resp, err := (&http.Client{Transport: rt, Timeout: time.Minute}).Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// write replaces a file at once, and returns its path.
func write(t testing.TB, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never came true: " + what)
		}
	}
}
