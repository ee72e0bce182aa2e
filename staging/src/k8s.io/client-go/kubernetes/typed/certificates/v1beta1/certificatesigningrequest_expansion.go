package v1beta1

import (
	"context"

	certificatesv1beta1 "k8s.io/api/certificates/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CertificateSigningRequestExpansion has the methods of certificate signing
// requests that go to sub-resources.
type CertificateSigningRequestExpansion interface {
	// UpdateApproval writes the request's conditions, by which it is approved or
	// denied, and returns the request.
	UpdateApproval(ctx context.Context, certificateSigningRequest *certificatesv1beta1.CertificateSigningRequest, opts metav1.UpdateOptions) (result *certificatesv1beta1.CertificateSigningRequest, err error)
}

func (c *certificateSigningRequests) UpdateApproval(ctx context.Context, request *certificatesv1beta1.CertificateSigningRequest, opts metav1.UpdateOptions) (*certificatesv1beta1.CertificateSigningRequest, error) {
	result := &certificatesv1beta1.CertificateSigningRequest{}
	err := c.GetClient().Put().
		Resource("certificatesigningrequests").Name(request.Name).SubResource("approval").
		VersionedParams(&opts, groupScheme.ParameterCodec()).
		Body(request).
		Do(ctx).Into(result)
	return result, err
}
