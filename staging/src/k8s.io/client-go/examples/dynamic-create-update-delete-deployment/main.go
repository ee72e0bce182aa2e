// Command dynamic-create-update-delete-deployment takes a Deployment through its
// life without knowing its type: the object is a map, and the resource is found
// by asking the server. The same code works for custom resources.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

const name = "client-go-dynamic-example"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` to read instead of $KUBECONFIG and ~/.kube/config")
	namespace := flag.String("namespace", "", "`namespace` to work in, instead of the context's")
	timeout := flag.Duration("timeout", time.Minute, "give up after this time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	deployments, err := connect(*kubeconfig, *namespace)
	if err == nil {
		err = run(ctx, deployments)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dynamic-create-update-delete-deployment:", err)
		os.Exit(1)
	}
}

func connect(kubeconfig, namespace string) (dynamic.ResourceInterface, error) {
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

	// Both clients share connections.
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	discoveryClient, err := discovery.NewDiscoveryClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("make a discovery client of %s: %w", config.Host, err)
	}
	client, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("make a dynamic client of %s: %w", config.Host, err)
	}
	return resource(client, discoveryClient, deployment(1, ""), namespace)
}

// resource returns a client for the resource that an object is one of. Servers
// tell which that is, and whether it has namespaces.
func resource(client dynamic.Interface, server discovery.DiscoveryInterface, obj *unstructured.Unstructured, namespace string) (dynamic.ResourceInterface, error) {
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(server))
	kind := obj.GroupVersionKind()
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("the server does not have %s: %w", kind, err)
	}
	if err != nil {
		return nil, fmt.Errorf("find the resource of %s: %w", kind, err)
	}
	fmt.Printf("%s is served as %s\n", kind.Kind, mapping.Resource.GroupResource())
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return client.Resource(mapping.Resource).Namespace(namespace), nil
	}
	return client.Resource(mapping.Resource), nil
}

func run(ctx context.Context, deployments dynamic.ResourceInterface) (err error) {
	created, err := deployments.Create(ctx, deployment(2, "nginx:1.27"), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("delete what an earlier run, or somebody else, left: %w", err)
	}
	if err != nil {
		return fmt.Errorf("create the deployment: %w", err)
	}
	fmt.Printf("Created %s/%s\n", created.GetNamespace(), created.GetName())
	// Whatever happens from here on, nothing is left behind.
	defer func() { err = errors.Join(err, remove(context.WithoutCancel(ctx), deployments, created)) }()

	var updated *unstructured.Unstructured
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		current, err := deployments.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := change(current, 1, "nginx:1.28"); err != nil {
			return err
		}
		updated, err = deployments.Update(ctx, current, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("update the deployment: %w", err)
	}
	// A field that is not there is no error: found is false, and the number 0.
	replicas, _, err := unstructured.NestedInt64(updated.Object, "spec", "replicas")
	if err != nil {
		return fmt.Errorf("read the deployment that was updated: %w", err)
	}
	fmt.Printf("Updated it to %d replica, generation %d\n", replicas, updated.GetGeneration())

	list, err := deployments.List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
	if err != nil {
		return fmt.Errorf("list the deployments of app %s: %w", name, err)
	}
	for _, d := range list.Items {
		fmt.Printf("Listed %s %s\n", d.GetKind(), d.GetName())
	}
	return nil
}

// change sets fields in an object that is a map. Numbers in it are int64 or
// float64, lists are []any, and nothing in it has a Go type of its own.
func change(obj *unstructured.Unstructured, replicas int64, image string) error {
	if err := unstructured.SetNestedField(obj.Object, replicas, "spec", "replicas"); err != nil {
		return err
	}
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(obj.Object, path...)
	if err != nil {
		return err
	}
	for _, c := range containers {
		if container, ok := c.(map[string]any); ok && container["name"] == "web" {
			container["image"] = image
		}
	}
	return unstructured.SetNestedSlice(obj.Object, containers, path...)
}

// remove deletes the deployment that was created here, and not another one that
// has its name now. Its pods go after it.
func remove(ctx context.Context, deployments dynamic.ResourceInterface, created *unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	background, uid := metav1.DeletePropagationBackground, created.GetUID()
	err := deployments.Delete(ctx, created.GetName(), metav1.DeleteOptions{
		PropagationPolicy: &background,
		Preconditions:     &metav1.Preconditions{UID: &uid},
	})
	if err != nil {
		return fmt.Errorf("delete the deployment: %w", err)
	}
	fmt.Println("Deleted it")
	return nil
}

func deployment(replicas int64, image string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"metadata":   map[string]any{"name": name, "labels": map[string]any{"app": name}},
		"spec": map[string]any{
			"replicas": replicas,
			"selector": map[string]any{"matchLabels": map[string]any{"app": name}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"app": name}},
				"spec": map[string]any{"containers": []any{
					map[string]any{"name": "web", "image": image},
				}},
			},
		},
	}}
}
