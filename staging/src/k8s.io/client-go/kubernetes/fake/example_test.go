package fake_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// A fake clientset begins with the objects it is given, and keeps what is
// written to it.
func ExampleNewClientset() {
	ctx := context.Background()
	client := fake.NewClientset(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "settings"},
		Data:       map[string]string{"colour": "green"},
	})

	maps := client.CoreV1().ConfigMaps("default")
	settings, err := maps.Get(ctx, "settings", metav1.GetOptions{})
	if err != nil {
		log.Fatal(err)
	}
	settings.Data["colour"] = "blue"
	if _, err := maps.Update(ctx, settings, metav1.UpdateOptions{}); err != nil {
		log.Fatal(err)
	}

	settings, err = maps.Get(ctx, "settings", metav1.GetOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settings.Data["colour"])
	for _, action := range client.Actions() {
		fmt.Println(action.GetVerb(), action.GetResource().Resource)
	}
	// Output:
	// blue
	// get configmaps
	// update configmaps
	// get configmaps
}

// Fields have owners in this fake, so server-side apply works as it does with a
// server, conflicts included.
func ExampleNewClientset_apply() {
	ctx := context.Background()
	maps := fake.NewClientset().CoreV1().ConfigMaps("default")

	settings := applycorev1.ConfigMap("settings", "default").WithData(map[string]string{"colour": "green"})
	if _, err := maps.Apply(ctx, settings, metav1.ApplyOptions{FieldManager: "team-a"}); err != nil {
		log.Fatal(err)
	}
	settings = applycorev1.ConfigMap("settings", "default").WithData(map[string]string{"colour": "blue"})
	_, err := maps.Apply(ctx, settings, metav1.ApplyOptions{FieldManager: "team-b"})
	fmt.Println(err)
	// Output:
	// Apply failed with 1 conflict: conflict with "team-a": .data.colour
}

// A reactor answers in place of the objects: here it lets a write fail, to see
// what the code under test makes of it.
func ExampleClientset_PrependReactor() {
	client := fake.NewClientset()
	client.PrependReactor("create", "deployments", func(clienttesting.Action) (handled bool, obj runtime.Object, err error) {
		return true, nil, errors.New("out of quota")
	})

	web := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	_, err := client.AppsV1().Deployments("default").Create(context.Background(), web, metav1.CreateOptions{})
	fmt.Println(err)
	// Output:
	// out of quota
}

// A watch without a resource version begins with an event for each object that
// there is, and goes on with what happens to them.
func ExampleClientset_watch() {
	ctx := context.Background()
	db := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"}}
	pods := fake.NewClientset(db).CoreV1().Pods("default")
	watcher, err := pods.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Stop()

	web := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	if _, err := pods.Create(ctx, web, metav1.CreateOptions{}); err != nil {
		log.Fatal(err)
	}
	if err := pods.Delete(ctx, "db", metav1.DeleteOptions{}); err != nil {
		log.Fatal(err)
	}
	for range 3 {
		event := <-watcher.ResultChan()
		fmt.Println(event.Type, event.Object.(*corev1.Pod).Name)
	}
	// Output:
	// ADDED db
	// ADDED web
	// DELETED db
}

// Discovery has the version and the resources that a test gives it.
func ExampleClientset_Discovery() {
	client := fake.NewClientset()
	client.Discovery().(*fakediscovery.FakeDiscovery).FakedServerVersion = &version.Info{GitVersion: "v1.36.0"}

	v, err := client.Discovery().ServerVersion()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v)
	// Output:
	// v1.36.0
}
