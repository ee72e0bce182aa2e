// Package csr asks a cluster to sign a certificate: it makes a
// CertificateSigningRequest, and waits until somebody has approved and signed it.
//
//	name, uid, err := csr.RequestCertificateWithContext(ctx, client, pemRequest, "", signer, nil, usages, key)
//	…
//	pemCertificate, err := csr.WaitForCertificate(ctx, client, name, uid)
//
// It uses certificates.k8s.io/v1 alone. Servers before Kubernetes 1.19 have only v1beta1,
// which went away with 1.22; on them the request fails with an error that
// errors.IsNotFound of apimachinery tells.
package csr

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"
)

// RequestCertificate is [RequestCertificateWithContext] without a context.
//
// Deprecated: use RequestCertificateWithContext.
func RequestCertificate(client clientset.Interface, csrData []byte, name, signerName string, requestedDuration *time.Duration, usages []certificatesv1.KeyUsage, privateKey interface{}) (reqName string, reqUID types.UID, err error) {
	return RequestCertificateWithContext(context.Background(), client, csrData, name, signerName, requestedDuration, usages, privateKey)
}

// RequestCertificateWithContext makes a CertificateSigningRequest, and returns its
// name and UID. The request is csrData, in PEM. An empty name has the server choose
// one. Signers may ignore requestedDuration, how long the certificate is to be good,
// which may be nil.
//
// Where there is a request of that name already, because an earlier run has made it,
// it is taken if it asks for the same subject, from the same signer, and for the same
// key, and no certificate in it has expired. Otherwise that is an error.
func RequestCertificateWithContext(ctx context.Context, client clientset.Interface, csrData []byte, name, signerName string, requestedDuration *time.Duration, usages []certificatesv1.KeyUsage, privateKey interface{}) (reqName string, reqUID types.UID, err error) {
	wanted := &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			Request:    csrData,
			Usages:     usages,
			SignerName: signerName,
		},
	}
	if name == "" {
		wanted.GenerateName = "csr-"
	}
	if requestedDuration != nil {
		wanted.Spec.ExpirationSeconds = DurationToExpirationSeconds(*requestedDuration)
	}
	requests := client.CertificatesV1().CertificateSigningRequests()
	made, err := requests.Create(ctx, wanted, metav1.CreateOptions{})
	switch {
	case err == nil:
		return made.Name, made.UID, nil
	case name == "" || !apierrors.IsAlreadyExists(err):
		return "", "", fmt.Errorf("cannot create certificate signing request: %w", err)
	}
	there, err := requests.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", "", fmt.Errorf("cannot retrieve certificate signing request %q: %w", name, err)
	}
	if err := usable(there, wanted, privateKey, time.Now()); err != nil {
		return "", "", fmt.Errorf("certificate signing request %q exists, and cannot be used: %w", name, err)
	}
	klog.FromContext(ctx).Info("Using a certificate signing request that exists", "csr", name)
	return there.Name, there.UID, nil
}

// usable returns why a request that exists does not do for the one that is wanted.
func usable(there, wanted *certificatesv1.CertificateSigningRequest, privateKey any, now time.Time) error {
	old, err := parse(there.Spec.Request)
	if err != nil {
		return fmt.Errorf("parsing it: %w", err)
	}
	mine, err := parse(wanted.Spec.Request)
	if err != nil {
		return fmt.Errorf("parsing the new one: %w", err)
	}
	signer, ok := privateKey.(crypto.Signer)
	if !ok {
		return fmt.Errorf("the private key is a %T, which cannot sign", privateKey)
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !reflect.DeepEqual(old.Subject, mine.Subject):
		return fmt.Errorf("it is for %q, not %q", old.Subject, mine.Subject)
	case wanted.Spec.SignerName != "" && there.Spec.SignerName != wanted.Spec.SignerName:
		return fmt.Errorf("it is for the signer %q, not %q", there.Spec.SignerName, wanted.Spec.SignerName)
	case !ok || !public.Equal(old.PublicKey):
		return errors.New("it is for another private key")
	}
	if len(there.Status.Certificate) == 0 {
		return nil
	}
	issued, err := cert.ParseCertsPEM(there.Status.Certificate)
	if err != nil {
		return fmt.Errorf("parsing its certificate: %w", err)
	}
	for _, c := range issued {
		if now.After(c.NotAfter) {
			return fmt.Errorf("its certificate has expired at %v", c.NotAfter)
		}
	}
	return nil
}

func parse(data []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != cert.CertificateRequestBlockType {
		return nil, fmt.Errorf("there is no PEM block of type %s", cert.CertificateRequestBlockType)
	}
	return x509.ParseCertificateRequest(block.Bytes)
}

// DurationToExpirationSeconds returns a duration in whole seconds, as the API has it.
func DurationToExpirationSeconds(duration time.Duration) *int32 {
	return new(int32(duration / time.Second))
}

// ExpirationSecondsToDuration is the reverse of [DurationToExpirationSeconds].
func ExpirationSecondsToDuration(expirationSeconds int32) time.Duration {
	return time.Duration(expirationSeconds) * time.Second
}
