package exec

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/connrotation"
)

// An Authenticator puts the credentials that a plugin returns into requests
// and connections. It may be used by many goroutines.
type Authenticator struct {
	plugin plugin

	// tracker knows the connections to close when the certificate changes.
	tracker *connrotation.ConnectionTracker
	// Transports are shared between configs that have equal holders. These
	// are the same for every config that this authenticator was put into.
	dial *transport.DialHolder
	cert *transport.GetCertHolder

	mu      sync.Mutex
	current *credentials // nil until the plugin has succeeded once
	running *refresh     // nil unless the plugin is running
}

// authenticators holds one authenticator for each configuration.
var authenticators struct {
	mu    sync.Mutex
	byKey map[[sha256.Size]byte]*Authenticator
}

// GetAuthenticator returns the authenticator for config: every time the same
// one, if config and cluster say the same. The cluster is what the plugin is
// told if config.ProvideClusterInfo is set; it may be nil.
//
// It does not run the plugin. It fails if config is not valid: an API version
// that is not supported, or a plugin policy that contradicts itself. Other
// mistakes show when the plugin is to run.
func GetAuthenticator(config *api.ExecConfig, cluster *clientauthentication.Cluster) (*Authenticator, error) {
	if config == nil {
		return nil, errors.New("exec plugin: there is no configuration")
	}
	key, err := keyOf(config, cluster)
	if err != nil {
		// Data that cannot be compared cannot be shared. It may still be
		// valid, if the plugin is not to see it.
		return newAuthenticator(config, cluster)
	}

	authenticators.mu.Lock()
	defer authenticators.mu.Unlock()
	if a, ok := authenticators.byKey[key]; ok {
		return a, nil
	}
	a, err := newAuthenticator(config, cluster)
	if err != nil {
		return nil, err
	}
	if authenticators.byKey == nil {
		authenticators.byKey = map[[sha256.Size]byte]*Authenticator{}
	}
	authenticators.byKey[key] = a
	return a, nil
}

// keyOf returns a hash of all that config and cluster say. A hash, because
// some of it may be secret, and certificates are long.
func keyOf(config *api.ExecConfig, cluster *clientauthentication.Cluster) (key [sha256.Size]byte, err error) {
	// The fields that a kubeconfig does not have are left out of JSON.
	text, err := json.Marshal(struct {
		Exec                    *api.ExecConfig
		Config                  runtime.Object
		StdinUnavailable        bool
		StdinUnavailableMessage string
		PolicyType              api.PolicyType
		Allowlist               []string
		Cluster                 *clientauthentication.Cluster
	}{
		config,
		config.Config,
		config.StdinUnavailable,
		config.StdinUnavailableMessage,
		config.PluginPolicy.PolicyType,
		commandsOf(config.PluginPolicy.Allowlist),
		cluster,
	})
	if err != nil {
		return key, err
	}
	return sha256.Sum256(text), nil
}

func newAuthenticator(config *api.ExecConfig, cluster *clientauthentication.Cluster) (*Authenticator, error) {
	version, err := parseVersion(config.APIVersion)
	if err != nil {
		return nil, err
	}
	if err := ValidatePluginPolicy(config.PluginPolicy); err != nil {
		return nil, fmt.Errorf("invalid plugin policy: %w", err)
	}

	a := &Authenticator{
		plugin:  newPlugin(config.DeepCopy(), version),
		tracker: connrotation.NewConnectionTracker(),
	}
	if config.ProvideClusterInfo {
		a.plugin.cluster = cluster.DeepCopy()
	}
	tcp := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	a.dial = &transport.DialHolder{Dial: connrotation.NewDialerWithTracker(tcp.DialContext, a.tracker).DialContext}
	a.cert = &transport.GetCertHolder{GetCert: a.certificate}
	return a, nil
}

// parseVersion checks that a version of the API is one that plugins can speak.
func parseVersion(apiVersion string) (schema.GroupVersion, error) {
	for _, version := range []schema.GroupVersion{v1, v1beta1} {
		if version.String() == apiVersion {
			return version, nil
		}
	}
	advice := "supported are"
	if apiVersion == v1.Group+"/v1alpha1" {
		advice = "it was removed; update the plugin and the kubeconfig to one of"
	}
	return schema.GroupVersion{}, fmt.Errorf("exec plugin: invalid apiVersion %q: %s %s and %s",
		apiVersion, advice, v1, v1beta1)
}
