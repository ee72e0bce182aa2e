// Command core-only lists the nodes of a cluster with the client of the core
// group alone. What it does not import, it does not carry: compare its size with
// that of a program that makes a clientset.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", os.Getenv(clientcmd.RecommendedConfigPathEnvVar), "`file` that names the cluster; in a pod, its own cluster if this is empty")
	timeout := flag.Duration("timeout", 30*time.Second, "give up after this time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if err := run(ctx, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, "core-only:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string) error {
	// A controller in a pod, which people sometimes start on their own machine,
	// gets its configuration this way.
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("load the client configuration: %w", err)
	}
	client, err := corev1.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	nodes, err := client.Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list the nodes of %s: %w", config.Host, err)
	}
	fmt.Printf("%d nodes\n", len(nodes.Items))
	for _, node := range nodes.Items {
		fmt.Printf("  %s  ready: %s\n", node.Name, ready(node.Status.Conditions))
	}
	return nil
}

func ready(conditions []v1.NodeCondition) v1.ConditionStatus {
	for _, c := range conditions {
		if c.Type == v1.NodeReady {
			return c.Status
		}
	}
	return v1.ConditionUnknown
}
