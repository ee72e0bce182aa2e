// Command watch shows the pods of a namespace and then every change to them,
// until it is interrupted. It lists once and watches from there on; it survives
// watches that the server ends, and starts anew when the server has forgotten
// where it was.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	toolswatch "k8s.io/client-go/tools/watch"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` to read instead of $KUBECONFIG and ~/.kube/config")
	namespace := flag.String("namespace", "", "`namespace` to watch, instead of the context's")
	selector := flag.String("selector", "", "watch only pods with these `labels`, such as app=web")
	timeout := flag.Duration("timeout", 30*time.Second, "give up on a list after this time")
	stopAfter := flag.Duration("for", 0, "stop after this `time`; 0 is never")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := toolswatch.ContextWithOptionalTimeout(ctx, *stopAfter)
	defer cancel()
	pods, err := connect(*kubeconfig, *namespace)
	if err == nil {
		err = run(ctx, pods, *selector, *timeout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

func connect(kubeconfig, namespace string) (coreclient.PodInterface, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{}
	overrides.Context.Namespace = namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("load the client configuration: %w", err)
	}
	if namespace, _, err = loader.Namespace(); err != nil {
		return nil, fmt.Errorf("find the namespace: %w", err)
	}
	client, err := coreclient.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	return client.Pods(namespace), nil
}

func run(ctx context.Context, pods coreclient.PodInterface, selector string, timeout time.Duration) error {
	for ctx.Err() == nil {
		version, err := list(ctx, pods, selector, timeout)
		if err == nil {
			err = follow(ctx, pods, selector, version)
		}
		switch {
		case ctx.Err() != nil:
		case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
			// Nothing is wrong: the server keeps old versions for some minutes only.
			fmt.Println("--- The server no longer knows that version; from the start")
		case err != nil:
			return err
		}
	}
	return nil
}

// list shows what there is, and returns the resource version of that state: a
// watch from it on misses nothing.
func list(ctx context.Context, pods coreclient.PodInterface, selector string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return "", fmt.Errorf("list pods: %w", err)
	}
	for i := range list.Items {
		show("PRESENT", &list.Items[i])
	}
	return list.ResourceVersion, nil
}

// follow shows events until the context ends, or until going on is of no use.
func follow(ctx context.Context, pods coreclient.PodInterface, selector, version string) error {
	source := &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = selector
			return pods.Watch(ctx, options)
		},
	}
	watcher, err := toolswatch.NewRetryWatcherWithContext(ctx, version, source)
	if err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		switch obj := event.Object.(type) {
		case *corev1.Pod:
			show(string(event.Type), obj)
		default:
			// An event of type Error has a Status, which this makes an error again.
			return fmt.Errorf("watch pods: %w", apierrors.FromObject(obj))
		}
	}
	return nil
}

func show(what string, pod *corev1.Pod) {
	fmt.Printf("%-8s  %s/%s  %s\n", what, pod.Namespace, pod.Name, pod.Status.Phase)
}
