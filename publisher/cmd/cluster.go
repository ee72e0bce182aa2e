package cmd

import (
	"cmp"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"k8s.io/publisher/cluster"
)

// clusterFlags say where replicas find each other.
type clusterFlags struct{ kubeconfig, namespace, name string }

func (o *clusterFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&o.kubeconfig, "kubeconfig", "", "the `file` that says how the cluster is reached (default that of kubectl, or the pod's own account)")
	c.Flags().StringVar(&o.namespace, "namespace", "", "the `namespace` of the lease and the ConfigMap (default the current one)")
	c.Flags().StringVar(&o.name, "name", "publisher", "the `name` of the lease; the ConfigMap is NAME-status")
}

// options are those of a place in the cluster, as the flags say.
func (o *clusterFlags) options(log *slog.Logger) (cluster.Options, error) {
	klog.SetSlogLogger(log) // What the client library says without being asked.
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{})
	config, err := loader.ClientConfig()
	if err != nil {
		return cluster.Options{}, fmt.Errorf("find the cluster: %w", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return cluster.Options{}, fmt.Errorf("find the cluster: %w", err)
	}
	return cluster.Options{Config: config, Namespace: cmp.Or(o.namespace, namespace), Name: o.name, Log: log}, nil
}
