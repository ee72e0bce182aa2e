package rest

import (
	"fmt"
	"net/http"
	"sync"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// AuthProvider is a plugin that authenticates.
type AuthProvider interface {
	// WrapTransport puts around a transport what authenticates its requests.
	WrapTransport(http.RoundTripper) http.RoundTripper
	// Login lets the plugin get ready. It must not ask the user anything.
	Login() error
}

// AuthProviderConfigPersister keeps a plugin's settings.
type AuthProviderConfigPersister interface {
	// Persist replaces the settings.
	Persist(map[string]string) error
}

// Factory makes a plugin for a server. Config has the plugin's settings, and persister
// keeps them when they change.
type Factory func(clusterAddress string, config map[string]string, persister AuthProviderConfigPersister) (AuthProvider, error)

var providers struct {
	sync.Mutex
	byName map[string]Factory
}

// RegisterAuthProviderPlugin makes a plugin known under name. It returns an error if there
// is one of that name.
func RegisterAuthProviderPlugin(name string, plugin Factory) error {
	providers.Lock()
	defer providers.Unlock()
	if _, taken := providers.byName[name]; taken {
		return fmt.Errorf("auth provider plugin %q was registered twice", name)
	}
	if providers.byName == nil {
		providers.byName = map[string]Factory{}
	}
	providers.byName[name] = plugin
	klog.V(4).InfoS("Registered auth provider plugin", "name", name)
	return nil
}

// GetAuthProvider returns the plugin that apc names, for the server at clusterAddress. It
// returns the plugin's error, or one if there is no such plugin.
func GetAuthProvider(clusterAddress string, apc *clientcmdapi.AuthProviderConfig, persister AuthProviderConfigPersister) (AuthProvider, error) {
	providers.Lock()
	factory, known := providers.byName[apc.Name]
	providers.Unlock()
	if !known {
		return nil, fmt.Errorf("no auth provider found for name %q: import the package that registers it, or use an exec plugin", apc.Name)
	}
	return factory(clusterAddress, apc.Config, persister)
}
