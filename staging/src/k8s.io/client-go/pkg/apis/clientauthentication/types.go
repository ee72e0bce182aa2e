package clientauthentication

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ExecCredential is the message between a client and a credential plugin. The
// client fills in the spec, the plugin answers with the status.
type ExecCredential struct {
	metav1.TypeMeta

	// Spec is what the client tells the plugin.
	Spec ExecCredentialSpec

	// Status is what the plugin answers: the credentials. It is nil in the
	// client's message.
	// +optional
	Status *ExecCredentialStatus
}

// ExecCredentialSpec tells a plugin under which circumstances it is called.
type ExecCredentialSpec struct {
	// Cluster is the cluster that the credentials are for. It is nil unless
	// the kubeconfig asks for it with provideClusterInfo.
	// +optional
	Cluster *Cluster

	// Interactive says that the plugin's standard input is the user's
	// terminal, so that it may ask questions.
	// +optional
	Interactive bool
}

// ExecCredentialStatus holds credentials: a token, or a certificate with its
// key, or all three. Token and key are secrets: they pass through a pipe and
// stay in memory, never on disk.
type ExecCredentialStatus struct {
	// ExpirationTimestamp is when the credentials stop working, and the
	// plugin is to be called again. Without it they are kept until the server
	// refuses them.
	// +optional
	ExpirationTimestamp *metav1.Time
	// Token is a bearer token.
	// +optional
	Token string `datapolicy:"token"`
	// ClientCertificateData is a TLS client certificate in PEM form, followed
	// by intermediate ones if there are any. It comes with ClientKeyData.
	// +optional
	ClientCertificateData string
	// ClientKeyData is the private key of that certificate, in PEM form.
	// +optional
	ClientKeyData string `datapolicy:"secret-key"`
}

// Cluster is what a plugin needs to talk to a cluster itself. The fields are
// those of a cluster in a kubeconfig, except that certificates are always
// passed as data, never as the name of a file.
type Cluster struct {
	// Server is the URL of the API server, as https://host:port.
	Server string
	// TLSServerName is the name that the server's certificate has to bear,
	// also sent as SNI. If it is empty, that is the host in Server.
	// +optional
	TLSServerName string
	// InsecureSkipTLSVerify accepts whatever certificate the server shows.
	// Anybody on the way can then read and change what is said.
	// +optional
	InsecureSkipTLSVerify bool
	// CertificateAuthorityData holds the certificates, in PEM form, of the
	// authorities that the server's certificate is checked against. If it is
	// empty, those of the system count.
	// +listType=atomic
	// +optional
	CertificateAuthorityData []byte
	// ProxyURL is the proxy that every request to the cluster goes through.
	// +optional
	ProxyURL string
	// DisableCompression asks the server for responses that are not
	// compressed, which is faster where bandwidth is ample.
	// +optional
	DisableCompression bool
	// Config is data for this plugin about this cluster, from the kubeconfig's
	// cluster extension that is named client.authentication.k8s.io/exec:
	//
	//	clusters:
	//	- name: production
	//	  cluster:
	//	    server: https://production.example.com
	//	    extensions:
	//	    - name: client.authentication.k8s.io/exec
	//	      extension:
	//	        audience: production
	//
	// So one user entry serves many clusters. It is no place for secrets:
	// with a plugin, a kubeconfig needs none.
	// +optional
	Config runtime.Object
}
