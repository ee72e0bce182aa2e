package clientcmd

import (
	"io"
	"sync"

	restclient "k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// DeferredLoadingClientConfig is the [ClientConfig] of a program whose flags
// have not been parsed yet: it looks at its loader and its overrides when it is
// first used, and keeps what it has loaded.
//
// If there is no configuration, or nothing but the default one, and the program
// runs in a pod, the pod's service account takes its place.
type DeferredLoadingClientConfig struct {
	loader         ClientConfigLoader
	overrides      *ConfigOverrides
	fallbackReader io.Reader
	icc            InClusterConfig

	mu     sync.Mutex
	loaded ClientConfig
}

var _ ClientConfig = &DeferredLoadingClientConfig{}

// InClusterConfig is the configuration that a pod gets from its surroundings.
type InClusterConfig interface {
	ClientConfig
	// Possible tells whether the program runs in a pod with a service account.
	Possible() bool
}

// NewNonInteractiveDeferredLoadingClientConfig returns a ClientConfig that
// loads when it is first used. Until then, loader and overrides may change.
func NewNonInteractiveDeferredLoadingClientConfig(loader ClientConfigLoader, overrides *ConfigOverrides) ClientConfig {
	return NewInteractiveDeferredLoadingClientConfig(loader, overrides, nil)
}

// NewInteractiveDeferredLoadingClientConfig is like
// [NewNonInteractiveDeferredLoadingClientConfig], and asks for a user name and a
// password on standard output if there are no credentials. It reads them from
// fallbackReader.
func NewInteractiveDeferredLoadingClientConfig(loader ClientConfigLoader, overrides *ConfigOverrides, fallbackReader io.Reader) ClientConfig {
	return &DeferredLoadingClientConfig{
		loader:         loader,
		overrides:      overrides,
		fallbackReader: fallbackReader,
		icc:            &inClusterClientConfig{overrides: overrides},
	}
}

func (config *DeferredLoadingClientConfig) load() (ClientConfig, error) {
	config.mu.Lock()
	defer config.mu.Unlock()
	if config.loaded != nil {
		return config.loaded, nil
	}
	merged, err := config.loader.Load()
	if err != nil {
		return nil, err
	}
	contextName := ""
	if config.overrides != nil {
		contextName = config.overrides.CurrentContext
	}
	config.loaded = NewInteractiveClientConfig(*merged, contextName, config.overrides, config.fallbackReader, config.loader)
	return config.loaded, nil
}

// RawConfig returns what the loader loads.
func (config *DeferredLoadingClientConfig) RawConfig() (clientcmdapi.Config, error) {
	loaded, err := config.load()
	if err != nil {
		return clientcmdapi.Config{}, err
	}
	return loaded.RawConfig()
}

// ConfigAccess returns the loader.
func (config *DeferredLoadingClientConfig) ConfigAccess() ConfigAccess {
	return config.loader
}

// ClientConfig returns what a client is made from: the configuration's, or else
// the pod's. If there is neither, [IsEmptyConfig] holds for the error.
func (config *DeferredLoadingClientConfig) ClientConfig() (*restclient.Config, error) {
	loaded, err := config.load()
	if err != nil {
		return nil, err
	}
	client, err := loaded.ClientConfig()
	if err != nil && !IsEmptyConfig(err) {
		return nil, err
	}
	if err == nil && !config.loader.IsDefaultConfig(client) {
		return client, nil
	}
	if config.icc.Possible() {
		klog.V(4).Info("Using the in-cluster configuration")
		return config.icc.ClientConfig()
	}
	return client, err
}

// Namespace returns the namespace of the override, or else of the context, or
// else of the pod, or else "default".
func (config *DeferredLoadingClientConfig) Namespace() (string, bool, error) {
	loaded, err := config.load()
	if err != nil {
		return "", false, err
	}
	namespace, overridden, err := loaded.Namespace()
	switch {
	case err != nil && !IsEmptyConfig(err):
		return "", false, err
	case overridden, !config.icc.Possible():
		return namespace, overridden, err
	case err == nil && (namespace != "default" || config.namesNamespace(loaded)):
		return namespace, false, nil
	}
	klog.V(4).Info("Using the in-cluster namespace")
	return config.icc.Namespace()
}

// namesNamespace tells whether the context names its namespace. If it does not,
// the pod's is meant.
func (config *DeferredLoadingClientConfig) namesNamespace(loaded ClientConfig) bool {
	raw, err := loaded.RawConfig()
	if err != nil {
		return false
	}
	name := raw.CurrentContext
	if config.overrides != nil && config.overrides.CurrentContext != "" {
		name = config.overrides.CurrentContext
	}
	context := raw.Contexts[name]
	return context != nil && context.Namespace != ""
}
