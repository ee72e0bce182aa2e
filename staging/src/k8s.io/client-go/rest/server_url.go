package rest

import (
	"errors"
	"fmt"
	"net/url"
	"path"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// DefaultServerURL returns the URL of a server, and the path below it of the API of
// groupVersion. Host is a URL, or a host with or without a port; defaultTLS says whether it is https
// where host does not.
func DefaultServerURL(host, apiPath string, groupVersion schema.GroupVersion, defaultTLS bool) (*url.URL, string, error) {
	if host == "" {
		return nil, "", errors.New("host must be a URL or a host:port pair")
	}
	base, err := url.Parse(host)
	if err != nil || base.Scheme == "" || base.Host == "" {
		scheme := "http"
		if defaultTLS {
			scheme = "https"
		}
		if base, err = url.Parse(scheme + "://" + host); err != nil {
			return nil, "", err
		}
		if base.Path != "" && base.Path != "/" {
			return nil, "", fmt.Errorf("host must be a URL or a host:port pair: %q", host)
		}
	}
	return base, DefaultVersionedAPIPath(apiPath, groupVersion), nil
}

// DefaultVersionedAPIPath returns the path of the API of groupVersion below apiPath. The
// group is left out if it is the empty one, and all of it if groupVersion is empty.
func DefaultVersionedAPIPath(apiPath string, groupVersion schema.GroupVersion) string {
	return path.Join("/", apiPath, groupVersion.Group, groupVersion.Version)
}

// DefaultServerUrlFor returns the URL of the server of config, and the path below it of
// the API. The host is localhost if there is none; it is https where config has anything about
// TLS.
func DefaultServerUrlFor(config *Config) (*url.URL, string, error) {
	host := config.Host
	if host == "" {
		host = "localhost"
	}
	var gv schema.GroupVersion
	if config.GroupVersion != nil {
		gv = *config.GroupVersion
	}
	tls := &config.TLSClientConfig
	anyTLS := tls.Insecure ||
		tls.CAFile != "" || len(tls.CAData) != 0 ||
		tls.CertFile != "" || len(tls.CertData) != 0
	return DefaultServerURL(host, config.APIPath, gv, anyTLS)
}
