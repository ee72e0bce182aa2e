// Command in-cluster-client-configuration runs in a pod, as the pod's service
// account, and counts the pods of its namespace every now and then.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// namespaceFile is where a pod reads which namespace it is in.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

func main() {
	interval := flag.Duration("interval", 10*time.Second, "time from one look to the next")
	timeout := flag.Duration("timeout", 5*time.Second, "give up on one look after this time")
	once := flag.Bool("once", false, "look once and stop")
	flag.Parse()

	// A pod is told to end by SIGTERM.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *interval, *timeout, *once); err != nil {
		fmt.Fprintln(os.Stderr, "in-cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, interval, timeout time.Duration, once bool) error {
	config, err := rest.InClusterConfig()
	if errors.Is(err, rest.ErrNotInCluster) {
		return fmt.Errorf("this is no pod, try the example out-of-cluster-client-configuration: %w", err)
	}
	if err != nil {
		return fmt.Errorf("read what the pod has of its service account: %w", err)
	}
	// One group is all that is needed, so its client will do; the token is read
	// again when the kubelet renews it.
	client, err := corev1.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	content, err := os.ReadFile(namespaceFile)
	if err != nil {
		return fmt.Errorf("find the namespace of the pod: %w", err)
	}
	pods := client.Pods(strings.TrimSpace(string(content)))

	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := look(ctx, pods, timeout)
		switch {
		case apierrors.IsForbidden(err):
			return fmt.Errorf("give the service account a role that lists pods: %w", err)
		case err != nil && once:
			return err
		case err != nil && ctx.Err() == nil:
			// The server may be back at the next look.
			fmt.Fprintln(os.Stderr, "in-cluster:", err)
		}
		if once {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func look(ctx context.Context, pods corev1.PodInterface, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	phases := make(map[string]int)
	for _, pod := range list.Items {
		phases[string(pod.Status.Phase)]++
	}
	fmt.Printf("%d pods, by phase: %v\n", len(list.Items), phases)
	return nil
}
