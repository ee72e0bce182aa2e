package cert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newCA(t testing.TB, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := newKey(t)
	ca, err := cert.NewSelfSignedCACert(cert.Config{CommonName: name, Organization: []string{"org"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return ca, key
}

func encode(t testing.TB, certs ...*x509.Certificate) []byte {
	t.Helper()
	data, err := cert.EncodeCertificates(certs...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAuthorityCanSign(t *testing.T) {
	ca, key := newCA(t, "my-ca")
	if ca.Subject.String() != "CN=my-ca,O=org" || ca.Issuer.String() != ca.Subject.String() || !slices.Equal(ca.DNSNames, []string{"my-ca"}) {
		t.Errorf("it is %s by %s for %q", ca.Subject, ca.Issuer, ca.DNSNames)
	}
	if left := time.Until(ca.NotAfter); left < 3649*24*time.Hour || left > 3650*24*time.Hour {
		t.Errorf("it is valid for %v", left)
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"leaf"}, NotAfter: time.Now().Add(time.Hour)}
	leafKey := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, ca, leafKey.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "leaf"}); err != nil {
		t.Error(err)
	}

	other, _ := newCA(t, "my-ca")
	if other.SerialNumber.Cmp(ca.SerialNumber) == 0 {
		t.Error("two certificates have the same number")
	}
	from := time.Now().Add(time.Hour).Truncate(time.Second)
	later, err := cert.NewSelfSignedCACert(cert.Config{NotBefore: from}, key)
	if err != nil || !later.NotBefore.Equal(from) || later.DNSNames != nil {
		t.Errorf("it is valid from %v, want %v, for %q: %v", later.NotBefore, from, later.DNSNames, err)
	}
}

func TestGeneratedCertificateIsGoodForItsHosts(t *testing.T) {
	certPEM, keyPEM, err := cert.GenerateSelfSignedCertKey("server.test", []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"other.test"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	pool, err := cert.NewPoolFromBytes(certPEM)
	if err != nil {
		t.Fatal(err)
	}
	for name, good := range map[string]bool{"server.test": true, "other.test": true, "127.0.0.1": true, "third.test": false, "127.0.0.2": false} {
		conn, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: name})
		if (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	leaf := pair.Leaf
	if left := time.Until(leaf.NotAfter); left > 365*24*time.Hour || left < 364*24*time.Hour {
		t.Errorf("it is valid for %v", left)
	}
	if since := time.Since(leaf.NotBefore); since < 59*time.Minute {
		t.Errorf("it is valid since %v ago", since)
	}
}

func TestGeneratedCertificateExpiresAsAskedFor(t *testing.T) {
	data, _, err := cert.GenerateSelfSignedCertKeyWithOptions(cert.SelfSignedCertKeyOptions{Host: "10.0.0.1", MaxAge: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := cert.ParseCertsPEM(data)
	if err != nil || len(parsed) != 2 {
		t.Fatalf("%d certificates, %v", len(parsed), err)
	}
	if left := time.Until(parsed[0].NotAfter); left > time.Hour || left < 50*time.Minute {
		t.Errorf("it is valid for %v", left)
	}
	if len(parsed[0].IPAddresses) != 1 || parsed[0].IPAddresses[0].String() != "10.0.0.1" || parsed[0].DNSNames != nil {
		t.Errorf("it is for %v %v", parsed[0].IPAddresses, parsed[0].DNSNames)
	}
}

func TestFixturesAreGeneratedOnce(t *testing.T) {
	dir := t.TempDir()
	generate := func() []byte {
		data, key, err := cert.GenerateSelfSignedCertKeyWithFixtures("server.test", []net.IP{{10, 0, 0, 1}, net.IPv6loopback}, []string{"a", "b"}, dir)
		if err != nil {
			t.Error(err)
			return nil
		}
		if _, err := tls.X509KeyPair(data, key); err != nil {
			t.Error(err)
		}
		return data
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { generate() }) // no one gets a key that does not match
	}
	all.Wait()
	first := generate()
	if !bytes.Equal(generate(), first) {
		t.Error("there is another certificate")
	}
	base := filepath.Join(dir, "server.test_10.0.0.1-::1_a-b")
	if stored, err := os.ReadFile(base + ".crt"); err != nil || !bytes.Equal(stored, first) {
		t.Errorf("another certificate is stored: %v", err)
	}
	if info, err := os.Stat(base + ".key"); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key is %v, %v", info, err)
	}
	if parsed, err := cert.CertsFromFile(base + ".crt"); err != nil || time.Until(parsed[0].NotAfter) < 99*365*24*time.Hour {
		t.Errorf("it expires on %v, %v", parsed[0].NotAfter, err)
	}
	missing := filepath.Join(dir, "missing")
	if _, _, err := cert.GenerateSelfSignedCertKeyWithFixtures("server.test", nil, nil, missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("the error is %v", err)
	}
}

func TestRequestHasWhatIsAskedFor(t *testing.T) {
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []any{newKey(t), edKey} {
		data, err := cert.MakeCSR(key, &pkix.Name{CommonName: "name"}, []string{"a.test"}, []net.IP{{1, 2, 3, 4}})
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		if block == nil || block.Type != cert.CertificateRequestBlockType {
			t.Fatalf("it is %q", data)
		}
		request, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if err := request.CheckSignature(); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(request.Subject, request.DNSNames, request.IPAddresses); got != "CN=name [a.test] [1.2.3.4]" {
			t.Errorf("it is for %s", got)
		}
	}
	for _, key := range []any{nil, "key"} {
		if _, err := cert.MakeCSR(key, nil, nil, nil); err == nil {
			t.Errorf("%T can sign", key)
		}
	}
}

func TestCertificatesAreParsed(t *testing.T) {
	a, key := newCA(t, "a")
	b, _ := newCA(t, "b")
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	bad := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("bad")})
	withHeaders := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Raw, Headers: map[string]string{"a": "b"}})
	const none = "data does not contain any valid RSA or ECDSA certificates"
	tests := map[string]struct {
		data []byte
		want []*x509.Certificate
		err  string
	}{
		"two in order":       {encode(t, b, a), []*x509.Certificate{b, a}, ""},
		"among other things": {slices.Concat([]byte("text\n"), keyPEM, encode(t, a), withHeaders), []*x509.Certificate{a}, ""},
		"a bad one":          {append(encode(t, a), bad...), nil, "x509"},
		"a key":              {keyPEM, nil, none},
		"with headers":       {withHeaders, nil, none},
		"nothing":            {nil, nil, none},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sub", "certs")
			if err := cert.WriteCert(path, test.data); err != nil {
				t.Fatal(err)
			}
			parsed, err := cert.ParseCertsPEM(test.data)
			if !slices.EqualFunc(parsed, test.want, (*x509.Certificate).Equal) {
				t.Errorf("got %d certificates", len(parsed))
			}
			_, fileErr := cert.CertsFromFile(path)
			pool, poolErr := cert.NewPool(path)
			_, bytesErr := cert.NewPoolFromBytes(test.data)
			if test.err == "" {
				if err != nil || fileErr != nil || poolErr != nil || bytesErr != nil {
					t.Errorf("errors %v, %v, %v, %v", err, fileErr, poolErr, bytesErr)
				}
				want := x509.NewCertPool()
				for _, c := range test.want {
					want.AddCert(c)
				}
				if !pool.Equal(want) {
					t.Error("the pool has other certificates")
				}
				return
			}
			for _, err := range []error{err, fileErr, poolErr, bytesErr} {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("the error is %v", err)
				}
			}
			if !strings.Contains(fileErr.Error(), path) || !strings.Contains(poolErr.Error(), path) {
				t.Errorf("errors do not tell the file: %v, %v", fileErr, poolErr)
			}
		})
	}
	if _, err := cert.NewPool("missing"); !os.IsNotExist(err) {
		t.Errorf("the error is %v", err)
	}
	if _, err := cert.CertsFromFile("missing"); !os.IsNotExist(err) {
		t.Errorf("the error is %v", err)
	}
}

func TestCertificateAndKeyAreAPair(t *testing.T) {
	dir := t.TempDir()
	certPath, keyPath, missing := filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "missing")
	for _, write := range []error{cert.WriteCert(certPath, nil), keyutil.WriteKey(keyPath, nil)} {
		if write != nil {
			t.Fatal(write)
		}
	}
	if info, err := os.Stat(certPath); err != nil || info.Mode()&0o600 != 0o600 || info.Mode()&0o022 != 0 {
		t.Errorf("the certificate is %v, %v", info, err)
	}
	tests := []struct {
		cert, key string
		want      bool
		err       string
	}{
		{certPath, keyPath, true, ""},
		{missing, missing, false, ""},
		{missing, keyPath, false, "error reading " + missing + ", certificate and key must be supplied as a pair"},
		{certPath, missing, false, "error reading " + missing + ", certificate and key must be supplied as a pair"},
	}
	for _, test := range tests {
		got, err := cert.CanReadCertAndKey(test.cert, test.key)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%s and %s: %v, %v", test.cert, test.key, got, err)
		}
	}
}

func TestServerIsInspected(t *testing.T) {
	accepted, _ := newCA(t, "accepted")
	clients := x509.NewCertPool()
	clients.AddCert(accepted)
	certPEM, keyPEM, err := cert.GenerateSelfSignedCertKey("server.test", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		config *tls.Config
		want   []string
	}{
		"asks for no one":          {&tls.Config{}, []string{}},
		"asks":                     {&tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients}, []string{string(accepted.RawSubject)}},
		"demands":                  {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}, []string{string(accepted.RawSubject)}},
		"demands, with old TLS":    {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MaxVersion: tls.VersionTLS12}, []string{string(accepted.RawSubject)}},
		"demands, whomever it is ": {&tls.Config{ClientAuth: tls.RequireAnyClientCert}, []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.TLS = test.config
			var asked sync.Map
			s.TLS.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				asked.Store(hello.ServerName, true)
				return &pair, nil
			}
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.StartTLS()
			defer s.Close()
			s.TLS.Certificates = nil // that of httptest, which would win

			names, err := cert.GetClientCANamesForURL(s.URL)
			if err != nil || !slices.Equal(names, test.want) || names == nil {
				t.Errorf("accepts %q, %v, want %q", names, err, test.want)
			}
			shown, encoded, err := cert.GetServingCertificatesForURL(s.URL, "name.test")
			if err != nil || !bytes.Equal(slices.Concat(encoded...), certPEM) || len(shown) != 2 {
				t.Errorf("shows %d certificates, %v", len(shown), err)
			}
			if _, ok := asked.Load("name.test"); !ok {
				t.Error("the name was not asked for")
			}
		})
	}
}

func TestServerThatIsNotThereCannotBeInspected(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if _, err := cert.GetClientCANames(listener.Addr().String()); err == nil {
		t.Error("there is no error")
	}
	if _, _, err := cert.GetServingCertificates(listener.Addr().String(), ""); err == nil {
		t.Error("there is no error")
	}
	if _, err := cert.GetClientCANamesForURL("http://[::1"); err == nil {
		t.Error("there is no error")
	}
}

func FuzzParseCertsPEM(f *testing.F) {
	a, _ := newCA(f, "a")
	b, _ := newCA(f, "b")
	f.Add(encode(f, a, b))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := cert.ParseCertsPEM(data)
		if (len(parsed) == 0) != (err != nil) {
			t.Fatalf("%d certificates, %v", len(parsed), err)
		}
		if err != nil {
			return
		}
		again, err := cert.ParseCertsPEM(encode(t, parsed...))
		if err != nil || !slices.EqualFunc(again, parsed, (*x509.Certificate).Equal) {
			t.Fatalf("they are others after they were written: %v", err)
		}
	})
}

func ExampleGenerateSelfSignedCertKey() {
	certPEM, keyPEM, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pair.Leaf.DNSNames, pair.Leaf.IPAddresses)
	// Output: [localhost] [127.0.0.1]
}
