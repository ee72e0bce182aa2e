package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"os"

	"k8s.io/client-go/pkg/apis/clientauthentication"
)

// ConfigToExecCluster returns what config says about its server, for a credential plugin
// that wants to know. Authorities in a file are read from it, and the proxy is the one for requests to
// the server.
func ConfigToExecCluster(config *Config) (*clientauthentication.Cluster, error) {
	ca := config.CAData
	if len(ca) == 0 && config.CAFile != "" {
		var err error
		if ca, err = os.ReadFile(config.CAFile); err != nil {
			return nil, fmt.Errorf("failed to load CA bundle for execProvider: %w", err)
		}
	}
	cluster := &clientauthentication.Cluster{
		Server:                   config.Host,
		TLSServerName:            config.ServerName,
		InsecureSkipTLSVerify:    config.Insecure,
		CertificateAuthorityData: ca,
		DisableCompression:       config.DisableCompression,
	}
	if config.ExecProvider != nil {
		cluster.Config = config.ExecProvider.Config
	}
	if config.Proxy != nil {
		request, err := http.NewRequest("", config.Host, nil)
		if err != nil {
			return nil, fmt.Errorf("failed to create proxy URL request for execProvider: %w", err)
		}
		proxy, err := config.Proxy(request)
		if err != nil {
			return nil, fmt.Errorf("failed to get proxy URL for execProvider: %w", err)
		}
		if proxy != nil {
			cluster.ProxyURL = proxy.String()
		}
	}
	return cluster, nil
}

// ExecClusterToConfig returns a configuration for the server that a credential plugin was
// told about. It has nothing that authenticates.
func ExecClusterToConfig(cluster *clientauthentication.Cluster) (*Config, error) {
	config := &Config{
		Host:               cluster.Server,
		DisableCompression: cluster.DisableCompression,
		TLSClientConfig: TLSClientConfig{
			Insecure:   cluster.InsecureSkipTLSVerify,
			ServerName: cluster.TLSServerName,
			CAData:     cluster.CertificateAuthorityData,
		},
	}
	if cluster.ProxyURL != "" {
		proxy, err := url.Parse(cluster.ProxyURL)
		if err != nil {
			return nil, fmt.Errorf("cannot parse proxy URL: %w", err)
		}
		config.Proxy = http.ProxyURL(proxy)
	}
	return config, nil
}
