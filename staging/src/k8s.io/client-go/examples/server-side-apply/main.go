// Command server-side-apply lets two managers say what they want of one object.
// Each owns the fields that it applied; the server keeps account, refuses to let
// one take a field from the other unless told so, and removes what its owner no
// longer applies.
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/tools/clientcmd"
)

const name = "client-go-apply-example"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "`file` to read instead of $KUBECONFIG and ~/.kube/config")
	namespace := flag.String("namespace", "", "`namespace` to work in, instead of the context's")
	timeout := flag.Duration("timeout", time.Minute, "give up after this time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if err := connectAndRun(ctx, *kubeconfig, *namespace); err != nil {
		fmt.Fprintln(os.Stderr, "server-side-apply:", err)
		os.Exit(1)
	}
}

func connectAndRun(ctx context.Context, kubeconfig, namespace string) error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{}
	overrides.Context.Namespace = namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return fmt.Errorf("load the client configuration: %w", err)
	}
	if namespace, _, err = loader.Namespace(); err != nil {
		return fmt.Errorf("find the namespace: %w", err)
	}
	client, err := corev1.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	return run(ctx, client.ConfigMaps(namespace), namespace)
}

func run(ctx context.Context, maps corev1.ConfigMapInterface, namespace string) (err error) {
	defer func() { err = errors.Join(err, remove(context.WithoutCancel(ctx), maps)) }()

	// An apply configuration has pointers where the object has values: what was
	// not set is not sent, and so is nobody's opinion.
	theirs := applycorev1.ConfigMap(name, namespace).WithData(map[string]string{"colour": "green", "size": "small"})
	if err := apply(ctx, maps, theirs, "team-a", false); err != nil {
		return err
	}
	ours := applycorev1.ConfigMap(name, namespace).WithData(map[string]string{"shape": "round"})
	if err := apply(ctx, maps, ours, "team-b", false); err != nil {
		return err
	}

	// team-b now wants another colour, which is a field of team-a.
	ours.WithData(map[string]string{"colour": "blue"})
	err = apply(ctx, maps, ours, "team-b", false)
	if !apierrors.IsConflict(err) {
		return errors.Join(errors.New("the server was to refuse this"), err)
	}
	fmt.Printf("Refused: %v\n", err)
	if err := apply(ctx, maps, ours, "team-b", true); err != nil {
		return err
	}

	// What a manager leaves out of its next configuration goes, if it is its own.
	theirs = applycorev1.ConfigMap(name, namespace).WithData(map[string]string{})
	return apply(ctx, maps, theirs, "team-a", false)
}

func apply(ctx context.Context, maps corev1.ConfigMapInterface, config *applycorev1.ConfigMapApplyConfiguration, manager string, force bool) error {
	applied, err := maps.Apply(ctx, config, metav1.ApplyOptions{FieldManager: manager, Force: force})
	if err != nil {
		return fmt.Errorf("apply %s as %s: %w", name, manager, err)
	}
	fmt.Printf("%s applied, force %t: %v\n", manager, force, applied.Data)
	mine, err := applycorev1.ExtractConfigMap(applied, manager)
	if err != nil {
		return fmt.Errorf("find what %s owns in %s: %w", manager, name, err)
	}
	fmt.Printf("  of this %s owns %v\n", manager, mine.Data)
	return nil
}

func remove(ctx context.Context, maps corev1.ConfigMapInterface) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := maps.Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}
