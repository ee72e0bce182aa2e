package exec

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	v1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
)

// infoVariable is the environment variable by which plugins are told what is
// wanted of them.
const infoVariable = "KUBERNETES_EXEC_INFO"

// encodeInfo returns what is told to a plugin, as JSON on one line. It goes
// without a scheme, as every program that has a REST client links it.
func encodeInfo(version schema.GroupVersion, interactive bool, cluster *clientauthentication.Cluster) ([]byte, error) {
	kind := metav1.TypeMeta{APIVersion: version.String(), Kind: "ExecCredential"}
	info := &clientauthentication.ExecCredential{
		Spec: clientauthentication.ExecCredentialSpec{Interactive: interactive, Cluster: cluster},
	}
	var versioned runtime.Object
	var err error
	switch version {
	case v1.SchemeGroupVersion:
		out := &v1.ExecCredential{TypeMeta: kind}
		versioned, err = out, v1.Convert_clientauthentication_ExecCredential_To_v1_ExecCredential(info, out, nil)
	case v1beta1.SchemeGroupVersion:
		out := &v1beta1.ExecCredential{TypeMeta: kind}
		versioned, err = out, v1beta1.Convert_clientauthentication_ExecCredential_To_v1beta1_ExecCredential(info, out, nil)
	default:
		return nil, fmt.Errorf("there is no ExecCredential of version %s", version)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(versioned)
}
