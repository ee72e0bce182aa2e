package clientcmd

import (
	"errors"
	"os"
	"strings"

	restclient "k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Where a pod finds its service account.
const (
	serviceAccountToken     = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	serviceAccountNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// inClusterClientConfig is the [InClusterConfig] of this process.
type inClusterClientConfig struct {
	overrides *ConfigOverrides
	// provider is restclient.InClusterConfig unless it is set.
	provider func() (*restclient.Config, error)
}

var _ InClusterConfig = &inClusterClientConfig{}

// RawConfig fails: there is no kubeconfig.
func (config *inClusterClientConfig) RawConfig() (clientcmdapi.Config, error) {
	return clientcmdapi.Config{}, errors.New("inClusterConfig doesn't have a raw config")
}

// ClientConfig returns the pod's configuration, with those overrides that it
// makes sense with.
func (config *inClusterClientConfig) ClientConfig() (*restclient.Config, error) {
	provider := config.provider
	if provider == nil {
		provider = restclient.InClusterConfig
	}
	client, err := provider()
	if err != nil || config.overrides == nil {
		return client, err
	}
	over(&client.Host, config.overrides.ClusterInfo.Server)
	if user := config.overrides.AuthInfo; user.Token != "" || user.TokenFile != "" {
		// The pod's own token must not hide the one that was asked for.
		client.BearerToken, client.BearerTokenFile = user.Token, user.TokenFile
	}
	over(&client.TLSClientConfig.CAFile, config.overrides.ClusterInfo.CertificateAuthority)
	return client, nil
}

// Namespace returns the namespace of the override, or else of the environment
// variable POD_NAMESPACE, or else of the service account, or else "default".
func (config *inClusterClientConfig) Namespace() (string, bool, error) {
	if config.overrides != nil && config.overrides.Context.Namespace != "" {
		return config.overrides.Context.Namespace, true, nil
	}
	if namespace := os.Getenv("POD_NAMESPACE"); namespace != "" {
		return namespace, false, nil
	}
	if content, err := os.ReadFile(serviceAccountNamespace); err == nil {
		if namespace := strings.TrimSpace(string(content)); namespace != "" {
			return namespace, false, nil
		}
	}
	return "default", false, nil
}

// ConfigAccess returns rules for the files that are read outside of a pod.
func (config *inClusterClientConfig) ConfigAccess() ConfigAccess {
	return NewDefaultClientConfigLoadingRules()
}

// Possible tells whether the API server's address and a token are there.
func (config *inClusterClientConfig) Possible() bool {
	if os.Getenv("KUBERNETES_SERVICE_HOST") == "" || os.Getenv("KUBERNETES_SERVICE_PORT") == "" {
		return false
	}
	token, err := os.Stat(serviceAccountToken)
	return err == nil && !token.IsDir()
}
