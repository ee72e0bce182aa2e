// Package exec is for credential plugins written in Go: it reads what the
// client tells a plugin, so that the plugin can talk to the cluster that it is
// to get credentials for.
//
//	_, config, err := exec.LoadExecCredentialFromEnv()
//	if err != nil {
//		return err
//	}
//	// config is anonymous, and has the cluster's address and certificates.
//
// The client tells about the cluster only if the kubeconfig asks for it, with
// provideClusterInfo: true beside the plugin's command.
package exec

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/pkg/apis/clientauthentication/install"
	"k8s.io/client-go/rest"
)

const infoVariable = "KUBERNETES_EXEC_INFO"

var errNoCluster = errors.New("ExecCredential does not contain cluster information: the kubeconfig has to set provideClusterInfo for the plugin")

// plugins holds the scheme of the group client.authentication.k8s.io, for those
// programs that are plugins.
var plugins = sync.OnceValue(func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return scheme
})

// LoadExecCredentialFromEnv is [LoadExecCredential] for the variable
// KUBERNETES_EXEC_INFO, by which clients pass the object to plugins. It fails
// if that is not set, as when a user starts the plugin by hand.
func LoadExecCredentialFromEnv() (runtime.Object, *rest.Config, error) {
	info := os.Getenv(infoVariable)
	if info == "" {
		return nil, nil, fmt.Errorf("%s env var is unset or empty", infoVariable)
	}
	return LoadExecCredential([]byte(info))
}

// LoadExecCredential decodes an ExecCredential. It returns the object in the
// version that it has, a *v1.ExecCredential or a *v1beta1.ExecCredential, in
// which the plugin has to answer; and a config for the cluster that the object
// tells of, without credentials.
//
// It fails if data is something else, or does not tell of a cluster.
func LoadExecCredential(data []byte) (runtime.Object, *rest.Config, error) {
	scheme := plugins()
	versioned, kind, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode(data, nil, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("decode: %w", err)
	}
	var internal clientauthentication.ExecCredential
	if err := scheme.Convert(versioned, &internal, nil); err != nil {
		return nil, nil, fmt.Errorf("reading a %s: %w", kind, err)
	}
	if internal.Spec.Cluster == nil {
		return nil, nil, errNoCluster
	}
	config, err := rest.ExecClusterToConfig(internal.Spec.Cluster)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot create rest.Config: %w", err)
	}
	return versioned, config, nil
}
