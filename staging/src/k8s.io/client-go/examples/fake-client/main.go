// Command fake-client deletes pods that have ended some time ago. It is here for
// its test, which needs no server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` to read instead of $KUBECONFIG and ~/.kube/config")
	namespace := flag.String("namespace", "default", "`namespace` to sweep")
	age := flag.Duration("age", time.Hour, "delete pods that ended longer ago than this")
	dryRun := flag.Bool("dry-run", false, "only say what would be deleted")
	timeout := flag.Duration("timeout", time.Minute, "give up after this time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if err := run(ctx, *kubeconfig, *namespace, time.Now().Add(-*age), *dryRun); err != nil {
		fmt.Fprintln(os.Stderr, "fake-client:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, namespace string, before time.Time, dryRun bool) error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return fmt.Errorf("load the client configuration: %w", err)
	}
	client, err := corev1.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	deleted, err := sweep(ctx, client.Pods(namespace), before, dryRun)
	for _, name := range deleted {
		fmt.Println("Deleted", name)
	}
	var failed failedError
	if errors.As(err, &failed) {
		fmt.Fprintf(os.Stderr, "%d pods are left\n", len(failed))
	}
	return err
}
