package exec

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/pkg/apis/clientauthentication"
)

// infoVariable is the environment variable by which plugins are told what is
// wanted of them.
const infoVariable = "KUBERNETES_EXEC_INFO"

// encodeInfo returns what is told to a plugin, as JSON on one line.
func encodeInfo(version schema.GroupVersion, interactive bool, of *clientauthentication.Cluster) ([]byte, error) {
	info := message{TypeMeta: metav1.TypeMeta{APIVersion: version.String(), Kind: "ExecCredential"}}
	info.Spec.Interactive = interactive
	if of != nil {
		info.Spec.Cluster = &cluster{
			Server:                   of.Server,
			TLSServerName:            of.TLSServerName,
			InsecureSkipTLSVerify:    of.InsecureSkipTLSVerify,
			CertificateAuthorityData: of.CertificateAuthorityData,
			ProxyURL:                 of.ProxyURL,
			DisableCompression:       of.DisableCompression,
		}
		if err := runtime.Convert_runtime_Object_To_runtime_RawExtension(&of.Config, &info.Spec.Cluster.Config, nil); err != nil {
			return nil, fmt.Errorf("the cluster's config: %w", err)
		}
	}
	return json.Marshal(info)
}
