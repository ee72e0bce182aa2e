package exec

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The versions of the API that plugins can speak. Their messages have the same
// fields, which are below once more: the packages of the versions also have
// conversions and registration, and would add them to every program that has a
// REST client.
var (
	v1      = schema.GroupVersion{Group: "client.authentication.k8s.io", Version: "v1"}
	v1beta1 = schema.GroupVersion{Group: v1.Group, Version: "v1beta1"}
)

// message is an ExecCredential as it is sent: to the plugin with a spec, and
// back with a status.
type message struct {
	metav1.TypeMeta `json:",inline"`

	Spec struct {
		Cluster     *cluster `json:"cluster,omitempty"`
		Interactive bool     `json:"interactive"`
	} `json:"spec"`
}

// cluster is what a plugin may be told of the cluster.
type cluster struct {
	Server                   string               `json:"server"`
	TLSServerName            string               `json:"tls-server-name,omitempty"`
	InsecureSkipTLSVerify    bool                 `json:"insecure-skip-tls-verify,omitempty"`
	CertificateAuthorityData []byte               `json:"certificate-authority-data,omitempty"`
	ProxyURL                 string               `json:"proxy-url,omitempty"`
	DisableCompression       bool                 `json:"disable-compression,omitempty"`
	Config                   runtime.RawExtension `json:"config,omitempty"`
}

// answer is what a plugin's message is read for. The spec, if it has one, may be
// anything.
type answer struct {
	Status *status `json:"status"`
}

type status struct {
	ExpirationTimestamp   *metav1.Time `json:"expirationTimestamp"`
	Token                 string       `json:"token"`
	ClientCertificateData string       `json:"clientCertificateData"`
	ClientKeyData         string       `json:"clientKeyData"`
}
