package v1beta1_test

import (
	"context"
	"testing"

	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcertificatesv1beta1 "k8s.io/client-go/kubernetes/typed/certificates/v1beta1"
	"k8s.io/client-go/kubernetes/typed/internal/servertest"
	"k8s.io/client-go/rest"
)

func TestUpdateApprovalWritesTheConditions(t *testing.T) {
	request := &certificatesv1beta1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: "kiosk", ResourceVersion: "7"},
		Spec:       certificatesv1beta1.CertificateSigningRequestSpec{Request: []byte("pem")},
		Status: certificatesv1beta1.CertificateSigningRequestStatus{
			Conditions: []certificatesv1beta1.CertificateSigningRequestCondition{{Type: certificatesv1beta1.CertificateApproved, Reason: "Known"}},
		},
	}
	approved := request.DeepCopy()
	approved.ResourceVersion = "8"
	servertest.Run(t, map[string]servertest.Call{"UpdateApproval": {
		Do: func(ctx context.Context, config *rest.Config) (any, error) {
			requests := typedcertificatesv1beta1.NewForConfigOrDie(config).CertificateSigningRequests()
			return requests.UpdateApproval(ctx, request, metav1.UpdateOptions{FieldManager: "approver"})
		},
		Want: servertest.Request{
			Method: "PUT", Path: "/apis/certificates.k8s.io/v1beta1/certificatesigningrequests/kiosk/approval", Query: "fieldManager=approver",
			Kind: "certificates.k8s.io/v1beta1, Kind=CertificateSigningRequest", Object: request,
		},
		Answer: approved,
	}})
}
