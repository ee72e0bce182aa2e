package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typedcertificates "k8s.io/client-go/kubernetes/typed/certificates/v1"
	"k8s.io/client-go/util/certificate"
	"k8s.io/client-go/util/certificate/csr"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/publisher/hack/e2e/controlplane"
	"k8s.io/publisher/hack/e2e/faults"
)

// A signer approves and signs requests of one user, in the place of people and of
// kube-controller-manager.
type signer struct {
	cp       *controlplane.ControlPlane
	requests typedcertificates.CertificateSigningRequestInterface
	validity time.Duration

	mu   sync.Mutex
	deny int // how many of the next requests
}

// run signs until the context ends.
func (s *signer) run(ctx context.Context, user string) error {
	w, err := s.requests.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		request, ok := event.Object.(*certificatesv1.CertificateSigningRequest)
		if !ok || event.Type != watch.Added {
			continue
		}
		block, _ := pem.Decode(request.Spec.Request)
		asked, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			return err
		}
		if asked.Subject.CommonName != user {
			continue // another test's
		}
		if err := s.decide(ctx, request, asked); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (s *signer) decide(ctx context.Context, request *certificatesv1.CertificateSigningRequest, asked *x509.CertificateRequest) error {
	s.mu.Lock()
	decision := certificatesv1.CertificateApproved
	if s.deny > 0 {
		s.deny--
		decision = certificatesv1.CertificateDenied
	}
	s.mu.Unlock()
	request = request.DeepCopy()
	request.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: decision, Status: corev1.ConditionTrue, Reason: "Tested"}}
	request, err := s.requests.UpdateApproval(ctx, request.Name, request, metav1.UpdateOptions{})
	if err != nil || decision == certificatesv1.CertificateDenied {
		return err
	}
	now := time.Now()
	if request.Status.Certificate, err = s.cp.SignClient(asked, now, now.Add(s.validity)); err != nil {
		return err
	}
	_, err = s.requests.UpdateStatus(ctx, request, metav1.UpdateOptions{})
	return err
}

// TestCertificateIsKeptGood by a manager, though its first request is denied and its
// connections break: the server takes the certificate, and each next one before the one
// before has expired.
func TestCertificateIsKeptGood(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	user := fmt.Sprintf("rotated-%d", number())
	s := &signer{
		cp: cp, requests: clientset(t, adminConfig(t)).CertificatesV1().CertificateSigningRequests(),
		validity: 30 * time.Second, deny: 1,
	}
	ctx, cancel := context.WithCancel(t.Context())
	signed := make(chan error, 1)
	go func() { signed <- s.run(ctx, user) }()
	defer func() {
		cancel()
		if err := <-signed; err != nil {
			t.Error(err)
		}
	}()

	network, through := throughTCP(t, cp.URL, adminConfig(t))
	cs := clientset(t, through)
	store, err := certificate.NewFileStore("client", t.TempDir(), t.TempDir(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	manager, err := certificate.NewManager(&certificate.Config{
		ClientsetFn:      func(*tls.Certificate) (kubernetes.Interface, error) { return cs, nil },
		Template:         &x509.CertificateRequest{Subject: pkix.Name{CommonName: user}},
		SignerName:       certificatesv1.KubeAPIServerClientSignerName,
		GetUsages:        certificate.DefaultKubeletClientGetUsages,
		CertificateStore: store,
	})
	if err != nil {
		t.Fatal(err)
	}
	manager.Start()
	defer manager.Stop()

	// next waits for another certificate than last, and uses it.
	next := func(last *tls.Certificate) *tls.Certificate {
		t.Helper()
		var now *tls.Certificate
		eventually(t, "a certificate", func(context.Context) error {
			if now = manager.Current(); now == nil || last != nil && now.Leaf.Equal(last.Leaf) {
				return fmt.Errorf("it is %v", now)
			}
			return nil
		})
		config := anonymous(adminConfig(t))
		pair, err := os.ReadFile(store.CurrentPath())
		if err != nil {
			t.Fatal(err)
		}
		config.CertData, config.KeyData = pair, pair
		mustBeUser(t, config, user)
		return now
	}
	first := next(nil)
	if !manager.ServerHealthy() {
		t.Error("the server is not healthy, though it has answered")
	}
	network.ResetAll()
	second := next(first)
	if second.Leaf.NotBefore.After(first.Leaf.NotAfter) {
		t.Errorf("the next certificate is from %v, the one before was good until %v", second.Leaf.NotBefore, first.Leaf.NotAfter)
	}
}

// TestWaitForACertificateOutlivesFaults: the server is away, or the watch that tells
// that a request was signed breaks, or is refused, and the certificate is seen all the
// same.
func TestWaitForACertificateOutlivesFaults(t *testing.T) {
	t.Parallel()
	proxy, config := throughHTTP(t)
	cs := clientset(t, config)
	ctx := deadline(t)
	user := fmt.Sprintf("waits-%d", number())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: user}}, key)
	if err != nil {
		t.Fatal(err)
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	// The second time is that of a program that was started anew.
	var uid types.UID
	for range 2 {
		_, made, err := csr.RequestCertificateWithContext(ctx, cs, data, user, certificatesv1.KubeAPIServerClientSignerName, nil,
			[]certificatesv1.KeyUsage{certificatesv1.UsageClientAuth}, key)
		if err != nil || uid != "" && made != uid {
			t.Fatalf("%s, then %s, %v", uid, made, err)
		}
		uid = made
	}
	before := len(proxy.Requests())
	proxy.Inject(1, isGet, faults.Fault{Status: http.StatusServiceUnavailable, Body: "away"})
	proxy.Inject(1, isWatch, faults.Fault{Status: http.StatusGone, Body: "gone"})
	proxy.Inject(1, isWatch, faults.Fault{Status: http.StatusInternalServerError, Body: "broken"})
	proxy.Inject(1, isWatch, faults.Fault{CutBody: 1})
	got := make(chan []byte, 1)
	go func() {
		certificate, err := csr.WaitForCertificate(ctx, cs, user, uid)
		if err != nil {
			t.Error(err)
		}
		got <- certificate
	}()
	// A list that fails; and two of a list and a watch each, and a watch that is to be cut.
	if err := proxy.WaitRequests(ctx, before+7); err != nil {
		t.Fatal(err)
	}
	requests := clientset(t, adminConfig(t)).CertificatesV1().CertificateSigningRequests()
	request, err := requests.Get(ctx, user, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{cp: ownCluster(t), requests: requests, validity: time.Hour}
	if err := s.decide(ctx, request, asked); err != nil {
		t.Fatal(err)
	}
	through := anonymous(adminConfig(t))
	through.CertData = <-got
	if through.KeyData, err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
		t.Fatal(err)
	}
	mustBeUser(t, through, user)
}
