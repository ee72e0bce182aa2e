package csr

import (
	"context"
	"fmt"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	clientset "k8s.io/client-go/kubernetes"
	certificatesclient "k8s.io/client-go/kubernetes/typed/certificates/v1"
	"k8s.io/klog/v2"
)

// WaitForCertificate waits until the request of that name and UID has a certificate,
// and returns it in PEM. It is an error if the request is denied or fails, if it is
// deleted, or if another one takes its name, and if the context ends. A server that
// cannot be reached is waited for.
func WaitForCertificate(ctx context.Context, client clientset.Interface, reqName string, reqUID types.UID) (certData []byte, err error) {
	w := waiter{client.CertificatesV1().CertificateSigningRequests(), reqName, reqUID}
	pause := wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 10, Cap: 10 * time.Second}
	for {
		certificate, err := w.once(ctx)
		if certificate != nil {
			return certificate, nil
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the certificate of %q: %w", reqName, context.Cause(ctx))
		case <-time.After(pause.Step()):
		}
	}
}

type waiter struct {
	client certificatesclient.CertificateSigningRequestInterface
	name   string
	uid    types.UID
}

// once looks at the request, and then watches it until there is a certificate, or an
// error that will not go away. It returns neither where it is to be called again.
func (w *waiter) once(ctx context.Context) ([]byte, error) {
	options := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, w.name).String()}
	list, err := w.client.List(ctx, options)
	if err != nil {
		return nil, w.again(ctx, "list", err)
	}
	found := false
	for i := range list.Items {
		if list.Items[i].Name == w.name {
			found = true
			if certificate, err := w.certificate(&list.Items[i]); certificate != nil || err != nil {
				return certificate, err
			}
		}
	}
	if !found {
		return nil, fmt.Errorf("certificate signing request %q was deleted", w.name)
	}
	options.ResourceVersion = list.ResourceVersion
	events, err := w.client.Watch(ctx, options)
	if err != nil {
		return nil, w.again(ctx, "watch", err)
	}
	defer events.Stop()
	for {
		var event watch.Event
		var open bool
		select {
		case <-ctx.Done():
			return nil, nil
		case event, open = <-events.ResultChan():
		}
		if !open {
			return nil, nil
		}
		request, ok := event.Object.(*certificatesv1.CertificateSigningRequest)
		switch {
		case !ok: // an error, such as that the version is too old
			return nil, nil
		case request.Name != w.name:
		case event.Type == watch.Deleted:
			return nil, fmt.Errorf("certificate signing request %q was deleted", w.name)
		default:
			if certificate, err := w.certificate(request); certificate != nil || err != nil {
				return certificate, err
			}
		}
	}
}

// again decides whether an error may go away.
func (w *waiter) again(ctx context.Context, verb string, err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		return fmt.Errorf("cannot %s certificate signing request %q: %w", verb, w.name, err)
	}
	klog.FromContext(ctx).V(2).Info("Waiting for a certificate: a request has failed", "csr", w.name, "verb", verb, "err", err)
	return nil
}

// certificate returns the request's certificate if it has one.
func (w *waiter) certificate(request *certificatesv1.CertificateSigningRequest) ([]byte, error) {
	if w.uid != "" && request.UID != w.uid {
		return nil, fmt.Errorf("certificate signing request %q is another one now: its UID is %s, not %s", w.name, request.UID, w.uid)
	}
	approved := false
	for _, c := range request.Status.Conditions {
		if c.Status != "" && c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case certificatesv1.CertificateDenied:
			return nil, fmt.Errorf("certificate signing request %q was denied: %s: %s", w.name, c.Reason, c.Message)
		case certificatesv1.CertificateFailed:
			return nil, fmt.Errorf("certificate signing request %q has failed: %s: %s", w.name, c.Reason, c.Message)
		case certificatesv1.CertificateApproved:
			approved = true
		}
	}
	if !approved || len(request.Status.Certificate) == 0 {
		return nil, nil
	}
	return request.Status.Certificate, nil
}
