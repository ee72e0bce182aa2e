package fake

import (
	"context"

	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/testing"
)

func (c *fakeCertificateSigningRequests) UpdateApproval(ctx context.Context, request *certificatesv1beta1.CertificateSigningRequest, opts metav1.UpdateOptions) (*certificatesv1beta1.CertificateSigningRequest, error) {
	action := testing.NewRootUpdateSubresourceActionWithOptions(c.Resource(), "approval", request, opts)
	return answer.Of[*certificatesv1beta1.CertificateSigningRequest](c.Fake, action, &certificatesv1beta1.CertificateSigningRequest{}, nil)
}
