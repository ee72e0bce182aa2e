package e2e

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
)

// TestDynamicClient takes a built-in and a custom resource through their lives.
func TestDynamicClient(t *testing.T) {
	t.Parallel()
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	custom := newCRD(t)
	for _, c := range []struct {
		name string
		gvr  schema.GroupVersionResource
		obj  *unstructured.Unstructured
	}{
		{"built-in", deployments, newManifest(t, deployments.GroupVersion().WithKind("Deployment"), "", "dynamic")},
		{"custom", custom, newWidget(custom, "one")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			c.obj.SetNamespace(ns)
			dynamicLife(t, dynamicClient(t).Resource(c.gvr).Namespace(ns), c.obj)
		})
	}
}

func dynamicLife(t *testing.T, client dynamic.ResourceInterface, obj *unstructured.Unstructured) {
	ctx := deadline(t)
	name := obj.GetName()
	mustBe := func(step string, got *unstructured.Unstructured, err error) *unstructured.Unstructured {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if got.GroupVersionKind() != obj.GroupVersionKind() || got.GetName() != name {
			t.Fatalf("%s: got %s %s", step, got.GroupVersionKind(), got.GetName())
		}
		return got
	}
	empty, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: empty.GetResourceVersion()})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()

	created, err := client.Create(ctx, obj, metav1.CreateOptions{})
	mustBe("create", created, err)
	mustContain(t, "create", created, obj)
	got, err := client.Get(ctx, name, metav1.GetOptions{})
	mustBe("get", got, err)
	if !equality.Semantic.DeepEqual(got, created) {
		t.Errorf("got %v, created %v", got, created)
	}

	got.SetLabels(map[string]string{"step": "update"})
	updated, err := client.Update(ctx, got, metav1.UpdateOptions{})
	mustBe("update", updated, err)
	if err := unstructured.SetNestedField(updated.Object, int64(1), "status", "replicas"); err != nil {
		t.Fatal(err)
	}
	updated, err = client.UpdateStatus(ctx, updated, metav1.UpdateOptions{})
	mustBe("update status", updated, err)
	if n, _, _ := unstructured.NestedInt64(updated.Object, "status", "replicas"); n != 1 {
		t.Errorf("status.replicas is %d after an update of the status", n)
	}
	scale, err := client.Get(ctx, name, metav1.GetOptions{}, "scale")
	if err != nil || scale.GetKind() != "Scale" {
		t.Errorf("get scale: %v, %v", scale, err)
	}
	patched, err := client.Patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"labels":{"step":"patch"}}}`), metav1.PatchOptions{})
	if mustBe("patch", patched, err).GetLabels()["step"] != "patch" {
		t.Errorf("labels after a patch: %v", patched.GetLabels())
	}
	wanted := &unstructured.Unstructured{Object: map[string]any{}}
	wanted.SetGroupVersionKind(obj.GroupVersionKind())
	wanted.SetName(name)
	wanted.SetLabels(map[string]string{"step": "apply"})
	if _, err := client.Apply(ctx, name, wanted, metav1.ApplyOptions{FieldManager: "e2e"}); !apierrors.IsConflict(err) {
		t.Errorf("apply of what another manager has: %v, want a Conflict error", err)
	}
	applied, err := client.Apply(ctx, name, wanted, metav1.ApplyOptions{FieldManager: "e2e", Force: true})
	if mustBe("apply", applied, err).GetLabels()["step"] != "apply" {
		t.Errorf("labels after an apply: %v", applied.GetLabels())
	}
	delete(wanted.Object["metadata"].(map[string]any), "labels")
	applied, err = client.ApplyStatus(ctx, name, wanted, metav1.ApplyOptions{FieldManager: "e2e"})
	mustBe("apply status", applied, err)

	list, err := client.List(ctx, metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("list: %d items, %v", len(list.Items), err)
	}
	mustBe("list", &list.Items[0], nil)
	if list.GetKind() != obj.GetKind()+"List" {
		t.Errorf("the list is a %s", list.GetKind())
	}

	if err := client.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("get of what was deleted: %v", err)
	}
	if err := client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Errorf("delete collection: %v", err)
	}
	var steps []string
	for event := range watcher.ResultChan() {
		u, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			t.Fatalf("the watch gave %s with a %T", event.Type, event.Object)
		}
		mustBe("watch", u, nil)
		steps = append(steps, u.GetLabels()["step"])
		if event.Type == watch.Deleted {
			break
		}
	}
	for _, step := range []string{"update", "patch", "apply"} {
		if !slices.Contains(steps, step) {
			t.Errorf("the watch saw the steps %q, and not %q", steps, step)
		}
	}
}

// TestNumbersOfCustomResourcesStayWhatTheyAre: integers beyond what a float64 can
// tell apart, in lists and in watches too.
func TestNumbersOfCustomResourcesStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	gvr := newCRD(t)
	client := dynamicClient(t).Resource(gvr).Namespace(namespace(t))
	watcher, err := client.Watch(deadline(t), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if _, err := client.Create(deadline(t), newWidget(gvr, "one"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := client.Get(deadline(t), "one", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.List(deadline(t), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	event := <-watcher.ResultChan()
	for name, u := range map[string]*unstructured.Unstructured{"get": got, "list": &list.Items[0], "watch": event.Object.(*unstructured.Unstructured)} {
		big, ok, err := unstructured.NestedInt64(u.Object, "spec", "big")
		if big != 9007199254740993 || !ok || err != nil {
			t.Errorf("%s: %v, %t, %v", name, big, ok, err)
		}
		ratio, ok, err := unstructured.NestedFloat64(u.Object, "spec", "ratio")
		if ratio != 0.25 || !ok || err != nil {
			t.Errorf("%s: %v, %t, %v", name, ratio, ok, err)
		}
	}
}

func TestMetadataClient(t *testing.T) {
	t.Parallel()
	config := adminConfig(t)
	sent := recordRequests(config)
	client, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	custom := newCRD(t)
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	for _, c := range []struct {
		name string
		gvr  schema.GroupVersionResource
		obj  *unstructured.Unstructured
	}{
		{"built-in", secrets, newManifest(t, secrets.GroupVersion().WithKind("Secret"), "", "metadata")},
		{"custom", custom, newWidget(custom, "one")},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns, ctx := namespace(t), deadline(t)
			c.obj.SetNamespace(ns)
			of := client.Resource(c.gvr).Namespace(ns)
			watcher, err := of.Watch(ctx, metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer watcher.Stop()
			created, err := dynamicClient(t).Resource(c.gvr).Namespace(ns).Create(ctx, c.obj, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			mustBe := func(step string, got *metav1.PartialObjectMetadata) {
				t.Helper()
				if got.UID != created.GetUID() || got.Name != created.GetName() {
					t.Errorf("%s: %v", step, got)
				}
			}
			got, err := of.Get(ctx, c.obj.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			mustBe("get", got)
			// What is not metadata is not even sent.
			if got := sent.got().Header.Get("Content-Type"); got == "" {
				t.Error("the answer has no content type")
			}
			list, err := of.List(ctx, metav1.ListOptions{})
			if err != nil || len(list.Items) != 1 || list.ResourceVersion == "" {
				t.Fatalf("list: %v, %v", list, err)
			}
			mustBe("list", &list.Items[0])
			patched, err := of.Patch(ctx, c.obj.GetName(), types.MergePatchType, []byte(`{"metadata":{"annotations":{"a":"b"}}}`), metav1.PatchOptions{})
			if err != nil || patched.Annotations["a"] != "b" {
				t.Errorf("patch: %v, %v", patched, err)
			}
			if err := of.Delete(ctx, c.obj.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
			if _, err := of.Get(ctx, c.obj.GetName(), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("get of what was deleted: %v", err)
			}
			if err := of.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
				t.Error(err)
			}
			for event := range watcher.ResultChan() {
				m, ok := event.Object.(*metav1.PartialObjectMetadata)
				if !ok {
					t.Fatalf("the watch gave a %T", event.Object)
				}
				mustBe("watch", m)
				if event.Type == watch.Deleted {
					break
				}
			}
		})
	}
}

// TestPages: a list in pages is the same list, and no object comes twice.
func TestPages(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	maps := clientset(t, adminConfig(t)).CoreV1().ConfigMaps(ns)
	want := newConfigMaps(t, ns, 23)
	var got []string
	opts := metav1.ListOptions{Limit: 5}
	for pages := 1; ; pages++ {
		list, err := maps.List(deadline(t), opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			got = append(got, item.Name)
		}
		if list.RemainingItemCount != nil && len(got)+int(*list.RemainingItemCount) != len(want) {
			t.Errorf("after %d of %d, %d are said to remain", len(got), len(want), *list.RemainingItemCount)
		}
		if list.Continue == "" {
			if pages != 5 {
				t.Errorf("%d pages of 5 for %d objects", pages, len(want))
			}
			break
		}
		opts.Continue = list.Continue
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

// newConfigMaps makes n config maps and returns their names, in order.
func newConfigMaps(t *testing.T, ns string, n int) (names []string) {
	t.Helper()
	maps := clientset(t, adminConfig(t)).CoreV1().ConfigMaps(ns)
	ctx := deadline(t)
	for i := range n {
		names = append(names, fmt.Sprintf("map-%03d", i))
		if _, err := maps.Create(ctx, configMap(names[i]), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return names
}
