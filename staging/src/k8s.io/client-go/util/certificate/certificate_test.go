package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/klog/v2"
)

// sign returns a certificate, in PEM, for a key; signed by a key nobody has.
func sign(t *testing.T, subject pkix.Name, dns []string, key any, lifetime time.Duration) []byte {
	t.Helper()
	ca, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	template := &x509.Certificate{SerialNumber: serial, Subject: subject, DNSNames: dns,
		NotBefore: time.Now().Add(-time.Second), NotAfter: time.Now().Add(lifetime)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key, ca)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func pair(t *testing.T, name string, lifetime time.Duration) (certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if keyPEM, err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
		t.Fatal(err)
	}
	return sign(t, pkix.Name{CommonName: name}, nil, &key.PublicKey, lifetime), keyPEM
}

// signer is a cluster that approves and signs each request as it is made.
func signer(t *testing.T, lifetime time.Duration) *fake.Clientset {
	client := fake.NewClientset()
	client.PrependReactor("create", "certificatesigningrequests", func(action kubetesting.Action) (bool, runtime.Object, error) {
		request := action.(kubetesting.CreateAction).GetObject().(*certificatesv1.CertificateSigningRequest)
		block, _ := pem.Decode(request.Spec.Request)
		parsed, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			return true, nil, err
		}
		request.Name, request.UID = "csr-1", types.UID(rand.Text())
		request.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue}}
		request.Status.Certificate = sign(t, parsed.Subject, parsed.DNSNames, parsed.PublicKey, lifetime)
		tracker := client.Tracker()
		gvr := certificatesv1.SchemeGroupVersion.WithResource("certificatesigningrequests")
		if err := tracker.Create(gvr, request, ""); apierrors.IsAlreadyExists(err) {
			err = tracker.Update(gvr, request, "")
			return true, request, err
		} else if err != nil {
			return true, nil, err
		}
		return true, request, nil
	})
	return client
}

func fileStoreIn(t *testing.T, dir string) FileStore {
	t.Helper()
	store, err := NewFileStore("client", dir, dir, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func config(t *testing.T, store Store, client clientset.Interface) *Config {
	ctx := klog.NewContext(t.Context(), klog.Logger{})
	return &Config{
		Ctx:              &ctx,
		Template:         &x509.CertificateRequest{Subject: pkix.Name{CommonName: "one"}},
		GetUsages:        DefaultKubeletClientGetUsages,
		SignerName:       certificatesv1.KubeAPIServerClientSignerName,
		CertificateStore: store,
		ClientsetFn:      func(*tls.Certificate) (clientset.Interface, error) { return client, nil },
	}
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

type count struct{ atomic.Int32 }

func (c *count) Inc()            { c.Add(1) }
func (c *count) Observe(float64) { c.Add(1) }

func TestCertificateIsRenewedBeforeItExpires(t *testing.T) {
	store := fileStoreIn(t, t.TempDir())
	var rotations count
	c := config(t, store, signer(t, 2*time.Second))
	c.CertificateRotation = &rotations
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	if m.Current() != nil || m.ServerHealthy() {
		t.Error("there is a certificate before there is one")
	}
	m.Start()
	defer m.Stop()
	eventually(t, "a certificate", func() bool { return m.Current() != nil })
	eventually(t, "two more", func() bool { return rotations.Load() >= 2 && m.Current() != nil })
	stored, err := store.Current()
	if err != nil || stored.Leaf.Subject.CommonName != "one" {
		t.Errorf("the store has %v, %v", stored, err)
	}
	if !m.ServerHealthy() {
		t.Error("the server is not healthy")
	}
}

func TestWhatTheTemplateAsksForIsHad(t *testing.T) {
	var name atomic.Pointer[string]
	c := config(t, fileStoreIn(t, t.TempDir()), signer(t, time.Hour))
	c.Template = nil
	c.GetTemplate = func() *x509.CertificateRequest {
		if name.Load() == nil {
			return nil
		}
		return &x509.CertificateRequest{DNSNames: []string{*name.Load()}}
	}
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	m.Start()
	defer m.Stop()
	for _, wanted := range []string{"a.example", "b.example"} {
		name.Store(&wanted)
		eventually(t, "a certificate for "+wanted, func() bool {
			current := m.Current()
			return current != nil && current.Leaf.VerifyHostname(wanted) == nil
		})
	}
}

func TestBootstrapCertificateIsReplacedAtOnce(t *testing.T) {
	store := fileStoreIn(t, t.TempDir())
	c := config(t, store, signer(t, time.Hour))
	c.BootstrapCertificatePEM, c.BootstrapKeyPEM = pair(t, "bootstrap", time.Hour)
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	if current := m.Current(); current == nil || current.Leaf.Subject.CommonName != "bootstrap" {
		t.Fatalf("the certificate is %v", current)
	}
	if stored, err := store.Current(); err != nil || stored.Leaf.Subject.CommonName != "bootstrap" {
		t.Errorf("the store has %v, %v", stored, err)
	}
	m.Start()
	defer m.Stop()
	eventually(t, "another", func() bool { return m.Current().Leaf.Subject.CommonName == "one" })
}

func TestFailuresAreCountedAndTriedAgain(t *testing.T) {
	client := signer(t, time.Hour)
	var asked, failures count
	client.PrependReactor("create", "certificatesigningrequests", func(kubetesting.Action) (bool, runtime.Object, error) {
		asked.Inc()
		return asked.Load() == 1, nil, apierrors.NewServiceUnavailable("not now")
	})
	c := config(t, fileStoreIn(t, t.TempDir()), client)
	c.CertificateRenewFailure = &failures
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	m.Start()
	defer m.Stop()
	eventually(t, "a certificate", func() bool { return m.Current() != nil })
	if failures.Load() != 1 {
		t.Errorf("%d failures", failures.Load())
	}
}

func TestExpiredCertificateIsNone(t *testing.T) {
	store := fileStoreIn(t, t.TempDir())
	certPEM, keyPEM := pair(t, "old", -time.Minute)
	if _, err := store.Update(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	c := config(t, store, nil)
	c.ClientsetFn = nil
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	m.Start() // does nothing
	defer m.Stop()
	if m.Current() != nil {
		t.Error("there is one")
	}
}

func TestConfigThatCannotWorkIsRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"both Usages and":     func(c *Config) { c.Usages = []certificatesv1.KeyUsage{} },
		"neither Usages nor":  func(c *Config) { c.GetUsages = nil },
		"CertificateStore is": func(c *Config) { c.CertificateStore = nil },
		"bootstrap":           func(c *Config) { c.BootstrapCertificatePEM, c.BootstrapKeyPEM = []byte("x"), []byte("y") },
	} {
		c := config(t, fileStoreIn(t, t.TempDir()), nil)
		change(c)
		if _, err := NewManager(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestStoreFindsTheFirstThatIsThere(t *testing.T) {
	dir := t.TempDir()
	write := func(file string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store, err := NewFileStore("client", dir, dir, filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Current(); !errors.As(err, new(*NoCertKeyError)) {
		t.Errorf("of nothing: %v", err)
	}
	for _, step := range []struct{ name, cert, key string }{{"third", "client.crt", "client.key"}, {"second", "a.crt", "a.key"}} {
		certPEM, keyPEM := pair(t, step.name, time.Hour)
		write(step.cert, certPEM)
		write(step.key, keyPEM)
		if got, err := store.Current(); err != nil || got.Leaf.Subject.CommonName != step.name {
			t.Errorf("%v, %v, want %s", got, err, step.name)
		}
	}
	certPEM, keyPEM := pair(t, "first", time.Hour)
	if got, err := store.Update(certPEM, keyPEM); err != nil || got.Leaf.Subject.CommonName != "first" {
		t.Fatalf("%v, %v", got, err)
	}
	// What cannot be used changes nothing.
	if _, err := store.Update(certPEM, []byte("x")); err == nil {
		t.Error("a certificate without its key is stored")
	}
	if got, err := store.Current(); err != nil || got.Leaf.Subject.CommonName != "first" {
		t.Errorf("%v, %v", got, err)
	}
	target, err := os.Readlink(store.CurrentPath())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(target); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
}

func TestStoreNeverReplacesAFileByALink(t *testing.T) {
	store := fileStoreIn(t, t.TempDir())
	certPEM, keyPEM := pair(t, "one", time.Hour)
	if err := os.WriteFile(store.CurrentPath(), append(certPEM, keyPEM...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Update(certPEM, keyPEM); err == nil {
		t.Error("it does")
	}
}

func TestStopEndsAWait(t *testing.T) {
	c := config(t, fileStoreIn(t, t.TempDir()), fake.NewClientset()) // nobody signs
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	m.Start()
	eventually(t, "a request", m.ServerHealthy)
	stopped, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() { m.Stop(); cancel() }()
	<-stopped.Done()
	if stopped.Err() == context.DeadlineExceeded {
		t.Error("it goes on")
	}
}

// A signer may leave out what was asked for. It is not asked again and again.
func TestWhatTheSignerRefusesIsAskedForOnce(t *testing.T) {
	client := signer(t, time.Hour)
	c := config(t, fileStoreIn(t, t.TempDir()), client)
	var asked count
	client.PrependReactor("create", "certificatesigningrequests", func(kubetesting.Action) (bool, runtime.Object, error) {
		asked.Inc()
		return false, nil, nil
	})
	c.Template = nil
	c.GetTemplate = func() *x509.CertificateRequest {
		return &x509.CertificateRequest{Subject: pkix.Name{CommonName: "one"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}} // our signer knows no addresses
	}
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	m.Start()
	defer m.Stop()
	eventually(t, "a certificate", func() bool { return m.Current() != nil })
	time.Sleep(templatePeriod * 5 / 4)
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}
