package clientcmd

import (
	restclient "k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// BuildConfigFromFlags returns what a client is made from, given the values of
// the flags --master and --kubeconfig. If both are empty it is the pod's
// service account, or outside of a pod an error for which [IsEmptyConfig]
// holds. If kubeconfigPath does not exist, os.IsNotExist holds for the error.
func BuildConfigFromFlags(masterUrl, kubeconfigPath string) (*restclient.Config, error) {
	if masterUrl == "" && kubeconfigPath == "" {
		config, err := restclient.InClusterConfig()
		if err == nil {
			return config, nil
		}
		klog.Warningf("Neither --kubeconfig nor --master was specified, and this is no pod with a service account: %v", err)
	}
	return buildConfig(masterUrl, &ClientConfigLoadingRules{ExplicitPath: kubeconfigPath})
}

// BuildConfigFromKubeconfigGetter returns what a client is made from, given the
// value of the flag --master, which may be empty, and a source of a config.
func BuildConfigFromKubeconfigGetter(masterUrl string, kubeconfigGetter KubeconfigGetter) (*restclient.Config, error) {
	return buildConfig(masterUrl, &ClientConfigGetter{kubeconfigGetter: kubeconfigGetter})
}

func buildConfig(server string, loader ClientConfigLoader) (*restclient.Config, error) {
	overrides := &ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{Server: server}}
	return NewNonInteractiveDeferredLoadingClientConfig(loader, overrides).ClientConfig()
}
