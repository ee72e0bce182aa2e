package e2e

import (
	"context"
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/rest"
)

// TestObjectsAreEqualInAllEncodings: one object of every resource, read through
// typed and dynamic clients in JSON, protobuf and CBOR.
//
// What a client may send and accept is set for the whole process, so this test does
// not run beside others.
func TestObjectsAreEqualInAllEncodings(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.ClientsAllowCBOR, true)
	ns := namespace(t)
	ctx := deadline(t)
	configOf := func(accept string) *rest.Config {
		config := adminConfig(t)
		config.AcceptContentTypes = accept
		return config
	}
	encodings := []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf, runtime.ContentTypeCBOR}
	n := 0
	for _, r := range discover(t) {
		if !hasTypedClient(r.gvr.Group) || ownCases[r.gvr.GroupResource()] != "" || !slices.Contains(r.Verbs, "create") {
			continue
		}
		n++
		in := ""
		if r.Namespaced {
			in = ns
		}
		manifest := newManifest(t, r.gvr.GroupVersion().WithKind(r.Kind), in, "encoding")
		dynamicOf := func(accept string) dynamic.ResourceInterface {
			client, err := dynamic.NewForConfig(configOf(accept))
			if err != nil {
				t.Fatal(err)
			}
			return client.Resource(r.gvr).Namespace(in)
		}
		created, err := dynamicOf(runtime.ContentTypeJSON).Create(ctx, manifest, metav1.CreateOptions{})
		if err != nil {
			t.Errorf("%s: %v", r.gvr, err)
			continue
		}
		// Controllers inside the server may change an object between two reads.
		eventually(t, "one version of "+r.gvr.String()+" in all encodings", func(context.Context) error {
			var want runtime.Object
			for _, encoding := range encodings {
				config := configOf(encoding)
				sent := recordRequests(config)
				got, err := newTypedClient(typedClients(clientset(t, config))[r.gvr], in).get(ctx, created.GetName())
				if err != nil {
					t.Fatalf("%s as %s: %v", r.gvr, encoding, err)
				}
				if have := sent.got().Header.Get("Content-Type"); have != encoding {
					t.Errorf("%s: got %s, want %s", r.gvr, have, encoding)
				}
				switch {
				case want == nil:
					want = got
				case version(t, got) != version(t, want):
					return errors.New("it changes")
				case !equality.Semantic.DeepEqual(got, want):
					t.Errorf("%s as %s: %v, as JSON %v", r.gvr, encoding, got, want)
				}
			}
			return nil
		})
		var wantDynamic *unstructured.Unstructured
		for _, encoding := range []string{runtime.ContentTypeJSON, runtime.ContentTypeCBOR} {
			got, err := dynamicOf(encoding).Get(ctx, created.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Errorf("%s as %s: %v", r.gvr, encoding, err)
				continue
			}
			if wantDynamic == nil {
				wantDynamic = got
			} else if version(t, got) == version(t, wantDynamic) && !equality.Semantic.DeepEqual(got.Object, wantDynamic.Object) {
				t.Errorf("%s as %s: %v, as JSON %v", r.gvr, encoding, got, wantDynamic)
			}
		}
		if err := dynamicOf(runtime.ContentTypeJSON).Delete(ctx, created.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Errorf("%s: %v", r.gvr, err)
		}
	}
	if n < 50 {
		t.Errorf("%d resources only", n)
	}
}

func version(t *testing.T, obj runtime.Object) string {
	t.Helper()
	accessor, err := meta.Accessor(obj)
	if err != nil {
		t.Fatal(err)
	}
	return accessor.GetResourceVersion()
}

// TestCBOR through a dynamic client that prefers it: what it writes is what others
// read, in lists and watches too.
func TestCBOR(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.ClientsAllowCBOR, true)
	featurestesting.SetFeatureDuringTest(t, features.ClientsPreferCBOR, true)
	gvr := newCRD(t)
	ns := namespace(t)
	config := adminConfig(t)
	sent := recordRequests(config)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	widgets := client.Resource(gvr).Namespace(ns)
	watcher, err := widgets.Watch(deadline(t), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if got := sent.got().Header.Get("Content-Type"); got != "application/cbor-seq" {
		t.Errorf("the watch is %s", got)
	}
	widget := newWidget(gvr, "one")
	created, err := widgets.Create(deadline(t), widget, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, "created", created, widget)
	list, err := widgets.List(deadline(t), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if got := sent.got().Header.Get("Content-Type"); got != runtime.ContentTypeCBOR {
		t.Errorf("the list is %s", got)
	}
	asJSON, err := dynamicJSON(t).Resource(gvr).Namespace(ns).Get(deadline(t), "one", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]*unstructured.Unstructured{
		"created": created, "listed": &list.Items[0], "watched": next(t, watcher).Object.(*unstructured.Unstructured),
	} {
		if !equality.Semantic.DeepEqual(got.Object, asJSON.Object) {
			t.Errorf("%s: %v, as JSON %v", name, got.Object, asJSON.Object)
		}
	}
}

func TestTypedWatchInCBOR(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.ClientsAllowCBOR, true)
	ns := namespace(t)
	config := adminConfig(t)
	config.AcceptContentTypes = runtime.ContentTypeCBOR
	sent := recordRequests(config)
	maps := clientset(t, config).CoreV1().ConfigMaps(ns)
	watcher, err := maps.Watch(deadline(t), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	if got := sent.got().Header.Get("Content-Type"); got != "application/cbor-seq" {
		t.Errorf("the watch is %s", got)
	}
	if _, err := maps.Create(deadline(t), configMap("one"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, ok := next(t, watcher).Object.(*corev1.ConfigMap); !ok || got.Data["key"] != "one" {
		t.Errorf("watched %v", got)
	}
}

// dynamicJSON is a client that takes JSON, whatever may be preferred.
func dynamicJSON(t *testing.T) *dynamic.DynamicClient {
	t.Helper()
	config := adminConfig(t)
	config.AcceptContentTypes = runtime.ContentTypeJSON
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
