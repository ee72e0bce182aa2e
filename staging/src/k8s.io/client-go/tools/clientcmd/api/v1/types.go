package v1

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// Config is the contents of one kubeconfig file.
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
	// Clusters says how to reach each cluster.
	Clusters []NamedCluster `json:"clusters"`
	// AuthInfos says how each user identifies itself.
	AuthInfos []NamedAuthInfo `json:"users"`
	// Contexts pairs a cluster with a user.
	Contexts []NamedContext `json:"contexts"`
	// CurrentContext names the context in use unless another is asked for.
	CurrentContext string `json:"current-context"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions []NamedExtension `json:"extensions,omitempty"`
}

// Preferences are settings for command line programs. Kubernetes' own programs
// do not read them any more.
type Preferences struct {
	// +optional
	Colors bool `json:"colors,omitempty"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions []NamedExtension `json:"extensions,omitempty"`
}

// Cluster says how to reach an API server and how to know it is the right one.
type Cluster struct {
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
	Extensions []NamedExtension `json:"extensions,omitempty"`
}

// AuthInfo says how a user identifies itself to a cluster.
type AuthInfo struct {
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
	Impersonate string `json:"as,omitempty"`
	// ImpersonateUID is that user's UID.
	// +optional
	ImpersonateUID string `json:"as-uid,omitempty"`
	// ImpersonateGroups are that user's groups.
	// +optional
	ImpersonateGroups []string `json:"as-groups,omitempty"`
	// ImpersonateUserExtra is what else authorizers want to know of that user.
	// +optional
	ImpersonateUserExtra map[string][]string `json:"as-user-extra,omitempty"`
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
	Extensions []NamedExtension `json:"extensions,omitempty"`
}

// Context is a cluster, the user to be there, and the namespace to work in.
type Context struct {
	// Cluster names one of Config.Clusters.
	Cluster string `json:"cluster"`
	// AuthInfo names one of Config.AuthInfos.
	AuthInfo string `json:"user"`
	// Namespace is for requests that name none.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Extensions are values of other programs, kept as they are.
	// +optional
	Extensions []NamedExtension `json:"extensions,omitempty"`
}

// AuthProviderConfig chooses and configures an authentication plugin that is
// compiled in.
type AuthProviderConfig struct {
	Name   string            `json:"name"`
	Config map[string]string `json:"config"`
}

// NamedCluster is an item of Config.Clusters.
type NamedCluster struct {
	// Name is what contexts know the cluster by.
	Name string `json:"name"`
	// Cluster is the cluster of that name.
	Cluster Cluster `json:"cluster"`
}

// NamedContext is an item of Config.Contexts.
type NamedContext struct {
	// Name is what CurrentContext and the user know the context by.
	Name string `json:"name"`
	// Context is the context of that name.
	Context Context `json:"context"`
}

// NamedAuthInfo is an item of Config.AuthInfos.
type NamedAuthInfo struct {
	// Name is what contexts know the user by.
	Name string `json:"name"`
	// AuthInfo is the user of that name.
	AuthInfo AuthInfo `json:"user"`
}

// NamedExtension is a value of another program.
type NamedExtension struct {
	// Name tells the programs apart.
	Name string `json:"name"`
	// Extension is anything that JSON can express.
	Extension runtime.RawExtension `json:"extension"`
}
