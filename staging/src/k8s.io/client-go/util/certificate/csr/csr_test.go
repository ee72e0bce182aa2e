package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func request(t *testing.T, name string, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func TestRequestThatExistsIsTakenIfItIsOurs(t *testing.T) {
	client, key := fake.NewClientset(), newKey(t)
	ask := func(subject, signer string, key any, data []byte) error {
		_, _, err := RequestCertificateWithContext(t.Context(), client, data, "x", signer, new(90*time.Minute), nil, key)
		return err
	}
	for range 2 {
		if err := ask("a", "s", key, request(t, "a", key)); err != nil {
			t.Fatal(err)
		}
	}
	made, err := client.CertificatesV1().CertificateSigningRequests().Get(t.Context(), "x", metav1.GetOptions{})
	if err != nil || *made.Spec.ExpirationSeconds != 5400 || ExpirationSecondsToDuration(5400) != 90*time.Minute {
		t.Errorf("%v, %v", made, err)
	}
	other := newKey(t)
	for want, err := range map[string]error{
		"another private key": ask("a", "s", other, request(t, "a", other)),
		`not "CN=b"`:          ask("b", "s", key, request(t, "b", key)),
		`not "other"`:         ask("a", "other", key, request(t, "a", key)),
		"cannot sign":         ask("a", "s", "no key", request(t, "a", key)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestServerWithoutTheAPIIsTold(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	if _, _, err := RequestCertificateWithContext(t.Context(), client, request(t, "a", key), "", "s", nil, nil, key); !apierrors.IsNotFound(err) {
		t.Errorf("got error %v", err)
	}
}

func TestWaitEndsWithWhatHappensToTheRequest(t *testing.T) {
	condition := func(kind certificatesv1.RequestConditionType) func(*certificatesv1.CertificateSigningRequest) {
		return func(r *certificatesv1.CertificateSigningRequest) {
			r.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: kind, Status: "True", Reason: "Because"}}
			r.Status.Certificate = []byte("certificate")
		}
	}
	for name, tc := range map[string]struct {
		change func(*certificatesv1.CertificateSigningRequest)
		want   string
	}{
		"signed":   {condition(certificatesv1.CertificateApproved), "certificate"},
		"denied":   {condition(certificatesv1.CertificateDenied), "was denied: Because"},
		"failed":   {condition(certificatesv1.CertificateFailed), "has failed: Because"},
		"replaced": {func(r *certificatesv1.CertificateSigningRequest) { r.UID = "2" }, "another one now"},
		"deleted":  {nil, "was deleted"},
	} {
		for _, before := range []bool{true, false} {
			object := &certificatesv1.CertificateSigningRequest{ObjectMeta: metav1.ObjectMeta{Name: "x", UID: "1"}}
			client := fake.NewClientset(object)
			requests := client.CertificatesV1().CertificateSigningRequests()
			happen := func() {
				var err error
				if tc.change == nil {
					err = requests.Delete(t.Context(), "x", metav1.DeleteOptions{})
				} else {
					changed := object.DeepCopy()
					tc.change(changed)
					_, err = requests.Update(t.Context(), changed, metav1.UpdateOptions{})
				}
				if err != nil {
					t.Error(err)
				}
			}
			if before {
				happen()
			} else {
				timer := time.AfterFunc(100*time.Millisecond, happen)
				defer timer.Stop()
			}
			got, err := WaitForCertificate(t.Context(), client, "x", "1")
			if err != nil && !strings.Contains(err.Error(), tc.want) || err == nil && string(got) != tc.want {
				t.Errorf("%s, before the wait %v: %q, %v", name, before, got, err)
			}
		}
	}
}
