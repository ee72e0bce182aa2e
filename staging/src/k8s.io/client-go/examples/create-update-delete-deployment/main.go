// Command create-update-delete-deployment takes a Deployment through its life
// with the typed client: create, read, update where others may update too, list,
// delete.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

const name = "client-go-example"

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
		fmt.Fprintln(os.Stderr, "create-update-delete-deployment:", err)
		os.Exit(1)
	}
}

func connect(kubeconfig, namespace string) (appsclient.DeploymentInterface, error) {
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
	client, err := appsclient.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", config.Host, err)
	}
	return client.Deployments(namespace), nil
}

func run(ctx context.Context, deployments appsclient.DeploymentInterface) (err error) {
	created, err := deployments.Create(ctx, deployment(2, "nginx:1.27"), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("delete what an earlier run, or somebody else, left: %w", err)
	}
	if err != nil {
		return fmt.Errorf("create the deployment: %w", err)
	}
	fmt.Printf("Created %s/%s with %d replicas\n", created.Namespace, created.Name, *created.Spec.Replicas)
	// Whatever happens from here on, nothing is left behind.
	defer func() { err = errors.Join(err, remove(context.WithoutCancel(ctx), deployments, created.UID)) }()

	// An update names the version of the object that it is based on. If somebody
	// else was faster the server refuses it, and the change is made again on
	// what they wrote.
	var updated *appsv1.Deployment
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		current, err := deployments.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		replicas := int32(1)
		current.Spec.Replicas = &replicas
		current.Spec.Template.Spec.Containers[0].Image = "nginx:1.28"
		updated, err = deployments.Update(ctx, current, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("update the deployment: %w", err)
	}
	fmt.Printf("Updated it to %d replica of %s, generation %d\n",
		*updated.Spec.Replicas, updated.Spec.Template.Spec.Containers[0].Image, updated.Generation)

	list, err := deployments.List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
	if err != nil {
		return fmt.Errorf("list the deployments of app %s: %w", name, err)
	}
	for _, d := range list.Items {
		fmt.Printf("Listed %s, %d of %d replicas available\n", d.Name, d.Status.AvailableReplicas, *d.Spec.Replicas)
	}
	return nil
}

// remove deletes the deployment that was created here, and not another one that
// has its name now. Its pods go after it.
func remove(ctx context.Context, deployments appsclient.DeploymentInterface, uid types.UID) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	background := metav1.DeletePropagationBackground
	err := deployments.Delete(ctx, name, metav1.DeleteOptions{
		PropagationPolicy: &background,
		Preconditions:     &metav1.Preconditions{UID: &uid},
	})
	if err != nil {
		return fmt.Errorf("delete the deployment: %w", err)
	}
	fmt.Println("Deleted it")
	return nil
}

func deployment(replicas int32, image string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name:  "web",
					Image: image,
					Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 80}},
				}}},
			},
		},
	}
}
