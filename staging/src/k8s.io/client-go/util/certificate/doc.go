// Package certificate keeps a program's own certificate good: a [Manager] has a
// cluster sign a new one well before the old one expires, and a [Store] keeps it.
//
//	store, err := certificate.NewFileStore("kubelet-client", "/var/lib/pki", "/var/lib/pki", "", "")
//	…
//	manager, err := certificate.NewManager(&certificate.Config{
//		ClientsetFn:      clientFor,
//		Template:         &x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:" + name}},
//		SignerName:       certificatesv1.KubeAPIServerClientSignerName,
//		GetUsages:        certificate.DefaultKubeletClientGetUsages,
//		CertificateStore: store,
//	})
//	…
//	manager.Start()
//	defer manager.Stop()
//	config := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return manager.Current(), nil }}
//
// A manager makes a new key for each certificate. It begins to ask for the next one
// when between 70 % and 90 % of the certificate's time are over, at once where there is
// none or where the template asks for what the certificate does not have, and asks
// again, with growing pauses, until it gets one.
package certificate
