// Command out-of-cluster-client-configuration finds its cluster as kubectl does:
// by a flag, by the variable KUBECONFIG, or in ~/.kube/config. It says which
// server that is and how many pods a namespace has.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // for kubeconfigs with an auth-provider; drop it if you have none
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` to read instead of $KUBECONFIG and ~/.kube/config")
	contextName := flag.String("context", "", "`name` of a context in it, instead of its current context")
	namespace := flag.String("namespace", "", "`namespace` to look into, instead of the context's")
	timeout := flag.Duration("timeout", 30*time.Second, "give up after this time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if err := run(ctx, *kubeconfig, *contextName, *namespace); err != nil {
		fmt.Fprintln(os.Stderr, "out-of-cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, contextName, namespace string) error {
	// The rules say which files are read, the overrides what goes before them.
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: contextName}
	overrides.Context.Namespace = namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)

	config, err := loader.ClientConfig()
	if err != nil {
		return fmt.Errorf("load the client configuration: %w", err)
	}
	if namespace, _, err = loader.Namespace(); err != nil {
		return fmt.Errorf("find the namespace: %w", err)
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", config.Host, err)
	}

	version, err := clientset.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", config.Host, err)
	}
	fmt.Printf("%s runs Kubernetes %s\n", config.Host, version.GitVersion)

	pods, err := clientset.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("your user may not list pods in %s: %w", namespace, err)
	case err != nil:
		return fmt.Errorf("list the pods in %s: %w", namespace, err)
	}
	fmt.Printf("Namespace %s has %d pods\n", namespace, len(pods.Items))
	for _, pod := range pods.Items {
		fmt.Printf("  %s  %s\n", pod.Name, pod.Status.Phase)
	}
	return nil
}
