package cert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"time"
)

// inspectTimeout is how long a server has to show itself.
const inspectTimeout = 30 * time.Second

// GetClientCANames returns the names of the authorities whose client
// certificates the server at apiHost, "host:port", says it accepts. If it does
// not ask for certificates, or does not say, there are none.
//
// A name is in DER, as it is on the wire and as the RawSubject of the authority's
// certificate. Programs compare it to that.
func GetClientCANames(apiHost string) ([]string, error) {
	server, err := inspect(apiHost, "")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(server.accepts))
	for _, der := range server.accepts {
		names = append(names, string(der))
	}
	return names, nil
}

// GetClientCANamesForURL is GetClientCANames for the server in a URL, as it is
// in a kubeconfig file.
func GetClientCANamesForURL(kubeConfigURL string) ([]string, error) {
	host, err := hostOf(kubeConfigURL)
	if err != nil {
		return nil, err
	}
	return GetClientCANames(host)
}

// GetServingCertificates returns the certificates that the server at apiHost,
// "host:port", shows, and each of them in PEM. It shows those for serverName, or
// for the host if that is empty. They are not verified.
func GetServingCertificates(apiHost, serverName string) ([]*x509.Certificate, [][]byte, error) {
	server, err := inspect(apiHost, serverName)
	if err != nil {
		return nil, nil, err
	}
	var encoded [][]byte
	for _, shown := range server.shows {
		text, err := EncodeCertificates(shown)
		if err != nil {
			return nil, nil, err
		}
		encoded = append(encoded, text)
	}
	return server.shows, encoded, nil
}

// GetServingCertificatesForURL is GetServingCertificates for the server in a URL,
// as it is in a kubeconfig file.
func GetServingCertificatesForURL(kubeConfigURL, serverName string) ([]*x509.Certificate, [][]byte, error) {
	host, err := hostOf(kubeConfigURL)
	if err != nil {
		return nil, nil, err
	}
	return GetServingCertificates(host, serverName)
}

func hostOf(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", err
	}
	if u.Port() == "" && u.Hostname() != "" {
		return net.JoinHostPort(u.Hostname(), "443"), nil
	}
	return u.Host, nil
}

// inspected is what a server says in a handshake.
type inspected struct {
	shows   []*x509.Certificate
	accepts [][]byte // names of authorities, in DER
}

// inspect begins a handshake. It does not matter if that fails later: a server
// may well not like that there is no client certificate.
func inspect(address, serverName string) (*inspected, error) {
	ctx, cancel := context.WithTimeout(context.Background(), inspectTimeout)
	defer cancel()
	server := &inspected{}
	dialer := tls.Dialer{Config: &tls.Config{
		ServerName:         serverName,
		InsecureSkipVerify: true, // nothing is sent, and what is shown is looked at only
		VerifyConnection: func(state tls.ConnectionState) error {
			server.shows = state.PeerCertificates
			return nil
		},
		GetClientCertificate: func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			server.accepts = asked.AcceptableCAs
			return &tls.Certificate{}, nil
		},
	}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		conn.Close()
	} else if server.shows == nil {
		return nil, err
	}
	return server, nil
}
