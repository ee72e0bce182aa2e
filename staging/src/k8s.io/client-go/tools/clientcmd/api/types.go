package api

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// Where a cluster, a user or a context carries LocationOfOrigin, it is the
// file that the stanza was read from, and the directory of that file is what
// its relative paths are relative to. It is never written to a file.

// Config is the contents of one kubeconfig file, or of several that were
// merged.
//
// A field that is added here must be added to [IsConfigEmpty] too.
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type Config struct {
	// Kind is "Config" or empty.
	// +k8s:conversion-gen=false
	// +optional
	Kind string `json:"kind,omitempty"`
	// APIVersion is "v1" or empty.
	// +k8s:conversion-gen=false
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
	// Preferences are settings for command line programs. Kubernetes' own
	// programs do not read them any more.
	Preferences Preferences `json:"preferences,omitzero"`
	// Clusters says, by name, how to reach each cluster.
	Clusters map[string]*Cluster `json:"clusters"`
	// AuthInfos says, by name, how each user identifies itself.
	AuthInfos map[string]*AuthInfo `json:"users"`
	// Contexts pairs, by name, a cluster with a user.
	Contexts map[string]*Context `json:"contexts"`
	// CurrentContext names the context in use unless another is asked for.
	CurrentContext string `json:"current-context"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions map[string]runtime.Object `json:"extensions,omitempty"`
}

// Preferences are settings for command line programs. Kubernetes' own programs
// do not read them any more.
//
// A field that is added here must be added to [IsConfigEmpty] too.
type Preferences struct {
	// +optional
	Colors bool `json:"colors,omitempty"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions map[string]runtime.Object `json:"extensions,omitempty"`
}

// Cluster says how to reach an API server and how to know it is the right one.
type Cluster struct {
	// LocationOfOrigin is the file this cluster was read from.
	// +k8s:conversion-gen=false
	LocationOfOrigin string `json:"-"`
	// Server is the API server's URL, such as https://hostname:port.
	Server string `json:"server"`
	// TLSServerName is the name that the server's certificate must be valid
	// for. If empty, it is the host name in Server.
	// +optional
	TLSServerName string `json:"tls-server-name,omitempty"`
	// InsecureSkipTLSVerify accepts any certificate. Whoever can intercept the
	// connection can then read and change everything, credentials included.
	// +optional
	InsecureSkipTLSVerify bool `json:"insecure-skip-tls-verify,omitempty"`
	// CertificateAuthority is the path of a PEM file with the certificates of
	// the authorities to trust.
	// +optional
	CertificateAuthority string `json:"certificate-authority,omitempty"`
	// CertificateAuthorityData is what such a file holds. It has precedence
	// over CertificateAuthority.
	// +optional
	CertificateAuthorityData []byte `json:"certificate-authority-data,omitempty"`
	// ProxyURL is the proxy for all requests to this cluster: an http, https
	// or socks5 URL. If empty, the environment variables that net/http knows
	// (HTTPS_PROXY, NO_PROXY and so on) decide.
	// +optional
	ProxyURL string `json:"proxy-url,omitempty"`
	// DisableCompression asks the server not to compress its responses. This
	// saves time where bandwidth is no concern.
	// +optional
	DisableCompression bool `json:"disable-compression,omitempty"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions map[string]runtime.Object `json:"extensions,omitempty"`
}

// AuthInfo says how a user identifies itself to a cluster.
type AuthInfo struct {
	// LocationOfOrigin is the file this user was read from.
	// +k8s:conversion-gen=false
	LocationOfOrigin string `json:"-"`
	// ClientCertificate is the path of a PEM file with a client certificate.
	// +optional
	ClientCertificate string `json:"client-certificate,omitempty"`
	// ClientCertificateData is what such a file holds. It has precedence over
	// ClientCertificate.
	// +optional
	ClientCertificateData []byte `json:"client-certificate-data,omitempty"`
	// ClientKey is the path of a PEM file with the client certificate's key.
	// +optional
	ClientKey string `json:"client-key,omitempty"`
	// ClientKeyData is what such a file holds. It has precedence over
	// ClientKey.
	// +optional
	ClientKeyData []byte `json:"client-key-data,omitempty" datapolicy:"security-key"`
	// Token is a bearer token.
	// +optional
	Token string `json:"token,omitempty" datapolicy:"token"`
	// TokenFile is the path of a file with a bearer token. It is read again
	// from time to time. If Token is given as well, it is used until the file
	// has been read.
	// +optional
	TokenFile string `json:"tokenFile,omitempty"`
	// Impersonate is the name of a user to act as.
	// +optional
	Impersonate string `json:"act-as,omitempty"`
	// ImpersonateUID is that user's UID.
	// +optional
	ImpersonateUID string `json:"act-as-uid,omitempty"`
	// ImpersonateGroups are that user's groups.
	// +optional
	ImpersonateGroups []string `json:"act-as-groups,omitempty"`
	// ImpersonateUserExtra is what else authorizers want to know of that user.
	// +optional
	ImpersonateUserExtra map[string][]string `json:"act-as-user-extra,omitempty"`
	// Username is for basic authentication.
	// +optional
	Username string `json:"username,omitempty"`
	// Password is for basic authentication.
	// +optional
	Password string `json:"password,omitempty" datapolicy:"password"`
	// AuthProvider names an authentication plugin that is compiled in.
	// +optional
	AuthProvider *AuthProviderConfig `json:"auth-provider,omitempty"`
	// Exec is a command that prints credentials.
	// +optional
	Exec *ExecConfig `json:"exec,omitempty"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions map[string]runtime.Object `json:"extensions,omitempty"`
}

// Context is a cluster, the user to be there, and the namespace to work in.
type Context struct {
	// LocationOfOrigin is the file this context was read from.
	// +k8s:conversion-gen=false
	LocationOfOrigin string `json:"-"`
	// Cluster is a key of Config.Clusters.
	Cluster string `json:"cluster"`
	// AuthInfo is a key of Config.AuthInfos.
	AuthInfo string `json:"user"`
	// Namespace is for requests that name none.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions map[string]runtime.Object `json:"extensions,omitempty"`
}

// AuthProviderConfig chooses and configures an authentication plugin that is
// compiled in. It prints without its configuration, which may be secret.
type AuthProviderConfig struct {
	Name string `json:"name"`
	// +optional
	Config map[string]string `json:"config,omitempty"`
}
