package clientcmd

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Validate returns everything that is wrong with config, used or not, as an
// error for which [IsConfigurationInvalid] holds, or nil. Files that config
// refers to must be readable.
func Validate(config clientcmdapi.Config) error {
	if clientcmdapi.IsConfigEmpty(&config) {
		return invalid([]error{ErrEmptyConfig})
	}
	var problems []error
	if name := config.CurrentContext; name != "" && config.Contexts[name] == nil {
		problems = append(problems, &errContextNotFound{ContextName: name})
	}
	for _, name := range slices.Sorted(maps.Keys(config.Contexts)) {
		problems = append(problems, validateContext(name, stanza(config.Contexts, name), config)...)
	}
	for _, name := range slices.Sorted(maps.Keys(config.AuthInfos)) {
		problems = append(problems, validateAuthInfo(name, stanza(config.AuthInfos, name))...)
	}
	for _, name := range slices.Sorted(maps.Keys(config.Clusters)) {
		problems = append(problems, validateClusterInfo(name, stanza(config.Clusters, name))...)
	}
	return invalid(problems)
}

// ConfirmUsable returns everything that is wrong with one context of config,
// its cluster and its user, as an error for which [IsConfigurationInvalid]
// holds, or nil. The context is the current one if passedContextName is empty;
// if there is none either, the error is [ErrNoContext].
func ConfirmUsable(config clientcmdapi.Config, passedContextName string) error {
	if clientcmdapi.IsConfigEmpty(&config) {
		return invalid([]error{ErrEmptyConfig})
	}
	name := passedContextName
	if name == "" {
		name = config.CurrentContext
	}
	if name == "" {
		return ErrNoContext
	}
	context := config.Contexts[name]
	if context == nil {
		return invalid([]error{&errContextNotFound{ContextName: name}})
	}
	return invalid(slices.Concat(
		validateContext(name, *context, config),
		validateAuthInfo(context.AuthInfo, stanza(config.AuthInfos, context.AuthInfo)),
		validateClusterInfo(context.Cluster, stanza(config.Clusters, context.Cluster))))
}

// stanza returns the entry of that name, or an empty one if there is none.
func stanza[V any](byName map[string]*V, name string) (value V) {
	if found := byName[name]; found != nil {
		value = *found
	}
	return value
}

// problems collects what is wrong with one stanza.
type problems struct {
	origin string // the file the stanza is in, if known
	errs   []error
}

// add is like fmt.Errorf, and says where the stanza is.
func (p *problems) add(format string, args ...any) {
	if p.origin != "" {
		format, args = format+" (in %s)", append(args, p.origin)
	}
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

// readable adds a problem if there is a path and its file cannot be read.
func (p *problems) readable(path, field, name string) {
	if path == "" {
		return
	}
	file, err := os.Open(path)
	if err != nil {
		p.add("unable to read %v %v for %v due to %w", field, path, name, err)
		return
	}
	file.Close()
}

func validateContext(name string, context clientcmdapi.Context, config clientcmdapi.Config) []error {
	p := problems{origin: context.LocationOfOrigin}
	if name == "" {
		p.add("empty context name for cluster %q and user %q is not allowed", context.Cluster, context.AuthInfo)
	}
	if user := context.AuthInfo; user == "" {
		p.add("user was not specified for context %q", name)
	} else if _, exists := config.AuthInfos[user]; !exists {
		p.add("user %q was not found for context %q", user, name)
	}
	if cluster := context.Cluster; cluster == "" {
		p.add("cluster was not specified for context %q", name)
	} else if _, exists := config.Clusters[cluster]; !exists {
		p.add("cluster %q was not found for context %q", cluster, name)
	}
	if context.Namespace != "" && len(validation.IsDNS1123Label(context.Namespace)) != 0 {
		p.add("namespace %q for context %q does not conform to the kubernetes DNS_LABEL rules", context.Namespace, name)
	}
	return p.errs
}

func validateClusterInfo(name string, cluster clientcmdapi.Cluster) []error {
	if isEmptyCluster(cluster) {
		return []error{ErrEmptyCluster}
	}
	p := problems{origin: cluster.LocationOfOrigin}
	switch {
	case cluster.Server != "":
	case name == "":
		p.add("default cluster has no server defined")
	default:
		p.add("no server found for cluster %q", name)
	}
	if cluster.ProxyURL != "" {
		if _, err := parseProxyURL(cluster.ProxyURL); err != nil {
			p.add("invalid 'proxy-url' %q for cluster %q: %w", withoutPassword(cluster.ProxyURL), name, err)
		}
	}
	// Who gives both may mean the one that is ignored.
	if cluster.CertificateAuthority != "" && len(cluster.CertificateAuthorityData) != 0 {
		p.add("certificate-authority-data and certificate-authority are both specified for %v. certificate-authority-data will override.", name)
	} else {
		p.readable(cluster.CertificateAuthority, "certificate-authority", name)
	}
	return p.errs
}

// isEmptyCluster tells whether this is a new cluster that nothing was put into,
// not even where it was read from.
func isEmptyCluster(cluster clientcmdapi.Cluster) bool {
	return reflect.DeepEqual(&cluster, clientcmdapi.NewCluster())
}

// parseProxyURL returns the URL of a proxy that net/http can use. Its errors
// say no password.
func parseProxyURL(proxyURL string) (*url.URL, error) {
	u, err := url.Parse(proxyURL)
	if err != nil {
		var parseErr *url.Error
		if errors.As(err, &parseErr) {
			err = parseErr.Err // the rest repeats the URL
		}
		return nil, fmt.Errorf("could not parse: %v", withoutPassword(err.Error()))
	}
	switch u.Scheme {
	case "http", "https", "socks5":
		return u, nil
	}
	return nil, fmt.Errorf("unsupported scheme %q, must be http, https, or socks5", u.Scheme)
}

// withoutPassword returns a URL as it may be shown to people.
func withoutPassword(u string) string {
	config := clientcmdapi.Config{Clusters: map[string]*clientcmdapi.Cluster{"": {ProxyURL: u}}}
	_ = clientcmdapi.RedactSecrets(&config) // always nil
	return config.Clusters[""].ProxyURL
}
