package clientcmd

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	restclient "k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// These are kept for programs that were written when they were needed.
var (
	// ClusterDefaults is the server named by the environment variable
	// KUBERNETES_MASTER, or else http://localhost:8080.
	//
	// Deprecated: name the server in a kubeconfig.
	ClusterDefaults = clientcmdapi.Cluster{Server: getDefaultServer()}
	// DefaultClientConfig is the configuration of a client of that server.
	//
	// Deprecated: use [NewDefaultClientConfig].
	DefaultClientConfig = DirectClientConfig{
		config:       *clientcmdapi.NewConfig(),
		overrides:    &ConfigOverrides{ClusterDefaults: ClusterDefaults},
		configAccess: NewDefaultClientConfigLoadingRules(),
	}
)

func getDefaultServer() string {
	if server := os.Getenv("KUBERNETES_MASTER"); server != "" {
		return server
	}
	return "http://localhost:8080"
}

// ClientConfig is the configuration of a client, in the forms that different
// parts of a program need.
type ClientConfig interface {
	// RawConfig returns what the files say, merged, without overrides.
	RawConfig() (clientcmdapi.Config, error)
	// ClientConfig returns what a client is made from.
	ClientConfig() (*restclient.Config, error)
	// Namespace returns the namespace to work in if a request names none, and
	// whether it comes from an override.
	Namespace() (string, bool, error)
	// ConfigAccess returns the files, for those who change them.
	ConfigAccess() ConfigAccess
}

// OverridingClientConfig is a [ClientConfig] that can show its overrides.
type OverridingClientConfig interface {
	ClientConfig
	// MergedRawConfig returns what RawConfig returns, with the overrides put
	// on top of the current context, its cluster and its user.
	MergedRawConfig() (clientcmdapi.Config, error)
}

// DirectClientConfig is the [ClientConfig] of a config that has been read
// already, with overrides.
type DirectClientConfig struct {
	config         clientcmdapi.Config
	contextName    string
	overrides      *ConfigOverrides
	fallbackReader io.Reader
	configAccess   ConfigAccess
	prompted       promptedCredentials
}

var _ OverridingClientConfig = &DirectClientConfig{}

// promptedCredentials are what the user has typed, so as not to ask twice.
type promptedCredentials struct {
	username string
	password string `datapolicy:"password"`
}

// NewDefaultClientConfig returns the ClientConfig of config's current context.
func NewDefaultClientConfig(config clientcmdapi.Config, overrides *ConfigOverrides) OverridingClientConfig {
	return &DirectClientConfig{config: config, contextName: config.CurrentContext, overrides: overrides}
}

// NewNonInteractiveClientConfig returns the ClientConfig of a context of config,
// or of the current one if contextName is empty.
func NewNonInteractiveClientConfig(config clientcmdapi.Config, contextName string, overrides *ConfigOverrides, configAccess ConfigAccess) OverridingClientConfig {
	return &DirectClientConfig{config: config, contextName: contextName, overrides: overrides, configAccess: configAccess}
}

// NewInteractiveClientConfig is like [NewNonInteractiveClientConfig], and asks
// for a user name and a password on standard output if there are no
// credentials. It reads them from fallbackReader.
func NewInteractiveClientConfig(config clientcmdapi.Config, contextName string, overrides *ConfigOverrides, fallbackReader io.Reader, configAccess ConfigAccess) OverridingClientConfig {
	return &DirectClientConfig{config: config, contextName: contextName, overrides: overrides, fallbackReader: fallbackReader, configAccess: configAccess}
}

// NewClientConfigFromBytes returns the ClientConfig of the current context of a
// kubeconfig.
func NewClientConfigFromBytes(configBytes []byte) (OverridingClientConfig, error) {
	config, err := Load(configBytes)
	if err != nil {
		return nil, err
	}
	return &DirectClientConfig{config: *config}, nil
}

// RESTConfigFromKubeConfig returns what a client is made from, from the current
// context of a kubeconfig.
func RESTConfigFromKubeConfig(configBytes []byte) (*restclient.Config, error) {
	config, err := NewClientConfigFromBytes(configBytes)
	if err != nil {
		return nil, err
	}
	return config.ClientConfig()
}

// RawConfig returns the config without overrides.
func (config *DirectClientConfig) RawConfig() (clientcmdapi.Config, error) {
	return config.config, nil
}

// ConfigAccess returns what the constructor was given.
func (config *DirectClientConfig) ConfigAccess() ConfigAccess {
	return config.configAccess
}

// MergedRawConfig returns the config with the overrides put on top of the
// context, its cluster and its user. Where there is no context, or it names no
// cluster or no user, what the overrides say of them is under the empty name, where
// a client of the result finds it. Errors are those of
// [DirectClientConfig.ClientConfig]: what no client could use is not merged.
func (config *DirectClientConfig) MergedRawConfig() (clientcmdapi.Config, error) {
	chosen, err := config.choose()
	if err != nil {
		return clientcmdapi.Config{}, err
	}
	if err := config.ConfirmUsable(); err != nil {
		return clientcmdapi.Config{}, err
	}
	merged := *config.config.DeepCopy()
	addEntries(&merged.Contexts, nil)
	addEntries(&merged.Clusters, nil)
	addEntries(&merged.AuthInfos, nil)
	merged.CurrentContext = chosen.contextName
	merged.Contexts[chosen.contextName] = chosen.context.DeepCopy()
	merged.Clusters[chosen.context.Cluster] = chosen.cluster.DeepCopy()
	merged.AuthInfos[chosen.context.AuthInfo] = chosen.user.DeepCopy()
	return merged, nil
}

// Namespace returns the namespace of the override, or else of the context, or
// else "default".
func (config *DirectClientConfig) Namespace() (string, bool, error) {
	if config.overrides != nil && config.overrides.Context.Namespace != "" {
		return config.overrides.Context.Namespace, true, nil
	}
	if err := config.ConfirmUsable(); err != nil {
		return "", false, err
	}
	context, _, err := config.context()
	if err != nil {
		return "", false, err
	}
	if context.Namespace == "" {
		return "default", false, nil
	}
	return context.Namespace, false, nil
}

// ConfirmUsable returns everything that is wrong with the context, its cluster
// and its user, overrides included, as an error for which
// [IsConfigurationInvalid] holds, or nil. What else config holds may be wrong.
// If nothing is known of the cluster, [IsEmptyConfig] holds for the error.
func (config *DirectClientConfig) ConfirmUsable() error {
	var problems []error
	if name, _ := config.nameOfContext(); name != "" && config.config.Contexts[name] == nil {
		problems = append(problems, &errContextNotFound{ContextName: name})
	}
	// What does not exist is looked at as if it were empty.
	context, _, _ := config.context()
	user, _ := config.user(context)
	cluster, _ := config.cluster(context)
	problems = append(problems, validateAuthInfo(context.AuthInfo, user)...)
	problems = append(problems, validateClusterInfo(context.Cluster, cluster)...)
	if len(problems) == 1 && problems[0] == ErrEmptyCluster {
		problems[0] = ErrEmptyConfig
	}
	return invalid(problems)
}

// ClientConfig returns what a client is made from. Errors are those of
// [DirectClientConfig.ConfirmUsable], or tell of a context, cluster or user that
// an override names and that does not exist, or of a file that cannot be read.
//
// Credentials are left out unless the connection is encrypted.
func (config *DirectClientConfig) ClientConfig() (*restclient.Config, error) {
	chosen, err := config.choose()
	if err != nil {
		return nil, err
	}
	if err := config.ConfirmUsable(); err != nil {
		return nil, err
	}
	client := &restclient.Config{Host: withoutQuery(chosen.cluster.Server)}
	client.DisableCompression = chosen.cluster.DisableCompression
	if chosen.cluster.ProxyURL != "" {
		proxy, err := parseProxyURL(chosen.cluster.ProxyURL)
		if err != nil {
			return nil, err
		}
		client.Proxy = http.ProxyURL(proxy)
	}
	if config.overrides != nil && config.overrides.Timeout != "" {
		if client.Timeout, err = ParseTimeout(config.overrides.Timeout); err != nil {
			return nil, err
		}
	}
	impersonate(client, chosen.user)
	if restclient.IsConfigTransportTLS(*client) {
		if err := config.authenticate(client, chosen); err != nil {
			return nil, err
		}
		trust(client, chosen.cluster)
	}
	return client, nil
}

// withoutQuery returns the server's URL without what has no place in one.
func withoutQuery(server string) string {
	u, err := url.ParseRequestURI(server)
	if err != nil || u.Opaque != "" || u.RawQuery == "" && u.Fragment == "" {
		return server
	}
	u.RawQuery, u.Fragment, u.ForceQuery = "", "", false
	return u.String()
}

// chosen is what a client is made from: a context, its cluster and its user,
// with the overrides on top.
type chosen struct {
	contextName string
	context     clientcmdapi.Context
	cluster     clientcmdapi.Cluster
	user        clientcmdapi.AuthInfo
}

func (config *DirectClientConfig) choose() (c chosen, err error) {
	if c.context, c.contextName, err = config.context(); err != nil {
		return c, err
	}
	if c.user, err = config.user(c.context); err != nil {
		return c, err
	}
	c.cluster, err = config.cluster(c.context)
	return c, err
}

// nameOfContext returns the name of the context, and whether an override or the
// constructor names it.
func (config *DirectClientConfig) nameOfContext() (name string, required bool) {
	if config.overrides != nil && config.overrides.CurrentContext != "" {
		return config.overrides.CurrentContext, true
	}
	if config.contextName != "" {
		return config.contextName, false
	}
	return config.config.CurrentContext, false
}

// context returns the context with its overrides, and its name. If it does not
// exist and an override names it, that is an error.
func (config *DirectClientConfig) context() (context clientcmdapi.Context, name string, err error) {
	name, required := config.nameOfContext()
	found := config.config.Contexts[name]
	if found == nil && required {
		return context, name, &errContextNotFound{ContextName: name, overridden: true}
	}
	if found != nil {
		context = *found
	}
	if config.overrides != nil {
		overlayContext(&context, config.overrides.Context)
	}
	return context, name, nil
}

// user returns the context's user with the overrides.
func (config *DirectClientConfig) user(context clientcmdapi.Context) (user clientcmdapi.AuthInfo, err error) {
	found := config.config.AuthInfos[context.AuthInfo]
	if found != nil {
		user = *found
	}
	if config.overrides == nil {
		return user, nil
	}
	if name := config.overrides.Context.AuthInfo; found == nil && name != "" {
		return user, fmt.Errorf("auth info %q does not exist", name)
	}
	override := config.overrides.AuthInfo
	// A file and data for one purpose go together; one that is overridden must
	// not be hidden by the other one.
	if override.ClientCertificate != "" || len(override.ClientCertificateData) != 0 {
		user.ClientCertificate, user.ClientCertificateData = "", nil
	}
	if override.ClientKey != "" || len(override.ClientKeyData) != 0 {
		user.ClientKey, user.ClientKeyData = "", nil
	}
	if override.Token != "" || override.TokenFile != "" {
		user.Token, user.TokenFile = "", ""
	}
	overlayAuthInfo(&user, override)
	return user, nil
}

// cluster returns the context's cluster with the overrides, on top of the
// defaults.
func (config *DirectClientConfig) cluster(context clientcmdapi.Context) (cluster clientcmdapi.Cluster, err error) {
	found := config.config.Clusters[context.Cluster]
	if config.overrides != nil && config.overrides.Context.Cluster != "" && found == nil {
		return cluster, fmt.Errorf("cluster %q does not exist", context.Cluster)
	}
	cluster = *clientcmdapi.NewCluster()
	if config.overrides != nil {
		overlayCluster(&cluster, config.overrides.ClusterDefaults)
	}
	if found != nil {
		overlayCluster(&cluster, *found)
	}
	if config.overrides == nil {
		return cluster, nil
	}
	override := config.overrides.ClusterInfo
	// What authorities to trust, if any, is one decision.
	if override.InsecureSkipTLSVerify || override.CertificateAuthority != "" || len(override.CertificateAuthorityData) != 0 {
		cluster.InsecureSkipTLSVerify = false
		cluster.CertificateAuthority, cluster.CertificateAuthorityData = "", nil
	}
	// Another server has another name.
	if override.Server != "" {
		cluster.TLSServerName = ""
	}
	overlayCluster(&cluster, override)
	return cluster, nil
}
