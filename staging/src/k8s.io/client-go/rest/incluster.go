package rest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"k8s.io/klog/v2"
)

// ErrNotInCluster is returned by InClusterConfig where the process does not run in a pod.
var ErrNotInCluster = errors.New("unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined")

// Where a pod finds what its service account has.
const (
	serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	serviceAccountCA    = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
)

// InClusterConfig returns the configuration for a pod: the server is the one of its
// cluster, the user its service account. The token is read again as it is renewed. The error is
// ErrNotInCluster if the process does not run in a pod, or says why the token cannot be read.
func InClusterConfig() (*Config, error) {
	return inCluster(os.Getenv, serviceAccountToken, serviceAccountCA)
}

func inCluster(getenv func(string) string, tokenFile, caFile string) (*Config, error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, ErrNotInCluster
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	config := &Config{
		Host:            "https://" + net.JoinHostPort(host, port),
		BearerToken:     string(token),
		BearerTokenFile: tokenFile,
	}
	// Without the authorities of the cluster those of the system have to do, which is
	// right where the server has a public certificate.
	if err := checkCertificates(caFile); err != nil {
		klog.Background().Error(err, "Using the system's certificate authorities, as those of the cluster cannot be read")
	} else {
		config.CAFile = caFile
	}
	return config, nil
}

func checkCertificates(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		return fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return nil
}
