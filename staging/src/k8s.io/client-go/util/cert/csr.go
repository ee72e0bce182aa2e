package cert

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
)

// MakeCSR returns a request, in PEM, for a certificate with that subject and
// those names. privateKey must be a [crypto.Signer]: it signs the request, and
// its public key is the one to be certified.
func MakeCSR(privateKey interface{}, subject *pkix.Name, dnsSANs []string, ipSANs []net.IP) (csr []byte, err error) {
	request := x509.CertificateRequest{DNSNames: dnsSANs, IPAddresses: ipSANs}
	if subject != nil {
		request.Subject = *subject
	}
	return MakeCSRFromTemplate(privateKey, &request)
}

// MakeCSRFromTemplate is MakeCSR with all that can be requested. If template does
// not name an algorithm, the key decides.
func MakeCSRFromTemplate(privateKey interface{}, template *x509.CertificateRequest) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, template, privateKey)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: CertificateRequestBlockType, Bytes: der}), nil
}
