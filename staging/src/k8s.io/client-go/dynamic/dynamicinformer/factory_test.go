package dynamicinformer_test

import (
	"context"
	"maps"
	"testing"

	"go.uber.org/goleak"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/tools/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var crontabs = schema.GroupVersionResource{Group: "stable.example.com", Version: "v1", Resource: "crontabs"}

func crontab(namespace, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "stable.example.com/v1",
		"kind":       "CronTab",
		"metadata":   map[string]any{"namespace": namespace, "name": name},
	}}
}

func TestInformersFollowResourcesOfAnyKind(t *testing.T) {
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{crontabs: "CronTabList"}, crontab("a", "one"), crontab("b", "two"))
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, "a", nil)
	informer := factory.ForResource(crontabs)
	told := make(chan string, 2)
	if _, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { told <- obj.(*unstructured.Unstructured).GetName() },
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	factory.Start(ctx.Done())
	if synced := factory.WaitForCacheSync(ctx.Done()); !maps.Equal(synced, map[schema.GroupVersionResource]bool{crontabs: true}) {
		t.Errorf("synced: %v", synced)
	}
	if got := <-told; got != "one" {
		t.Errorf("told of %s", got)
	}
	if _, err := client.Resource(crontabs).Namespace("a").Create(ctx, crontab("a", "three"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := <-told; got != "three" {
		t.Errorf("told of %s", got)
	}
	if factory.ForResource(crontabs).Informer() != informer.Informer() {
		t.Error("there is a second informer")
	}
	found, err := informer.Lister().List(labels.Everything())
	if err != nil || len(found) != 2 {
		t.Errorf("found %v, %v", found, err)
	}
	if _, err := informer.Lister().ByNamespace("a").Get("one"); err != nil {
		t.Error(err)
	}
	cancel()
	factory.Shutdown()
}
