package fake

import (
	"context"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/watchlist"
)

// What an informer does with the feature WatchListClient, which is on by default, would
// wait for a bookmark for ever: a fake has to say that it sends none.
func TestInformerSyncsAndFollows(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := NewSimpleDynamicClient(runtime.NewScheme(), object("v1", "Pod", "ns", "kept"), object("v1", "Pod", "ns", "gone"))
	if !watchlist.DoesClientNotSupportWatchListSemantics(client) || !watchlist.DoesClientNotSupportWatchListSemantics(client.Resource(pods).Namespace("ns")) {
		t.Error("the fake does not say that it has no watch lists")
	}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	informer := factory.ForResource(pods)
	events := make(chan string, 100)
	name := func(object any) string { return object.(*unstructured.Unstructured).GetName() }
	handler, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { events <- "add " + name(object) },
		UpdateFunc: func(_, object any) { events <- "update " + name(object) },
		DeleteFunc: func(object any) { events <- "delete " + name(object) },
	})
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	defer cancel()
	if !cache.WaitFor(ctx, "", handler.HasSyncedChecker()) {
		t.Fatal("the informer does not sync")
	}

	resource := client.Resource(pods).Namespace("ns")
	write := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write(resource.Create(ctx, object("v1", "Pod", "ns", "new"), metav1.CreateOptions{}))
	write(resource.Patch(ctx, "kept", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{}))
	write(nil, resource.Delete(ctx, "gone", metav1.DeleteOptions{}))
	write(nil, client.Tracker().Add(object("v1", "Pod", "other", "tracked")))

	// The watch may begin before these or after, so that they come in any order.
	want := []string{"add gone", "add kept", "add new", "add tracked", "delete gone", "update kept"}
	var got []string
	for len(got) < len(want) {
		select {
		case event := <-events:
			got = append(got, event)
		case <-ctx.Done():
			t.Fatalf("told of %q, want %q", got, want)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
	kept, err := informer.Lister().ByNamespace("ns").Get("kept")
	if err != nil || kept.(*unstructured.Unstructured).GetLabels()["a"] != "b" {
		t.Errorf("the store has %v, %v", kept, err)
	}
}
