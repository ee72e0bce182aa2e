package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

func discoveryClient(t *testing.T) *discovery.DiscoveryClient {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(adminConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestServerVersion(t *testing.T) {
	t.Parallel()
	version, err := discoveryClient(t).ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if version.Major != "1" || version.GitVersion == "" {
		t.Errorf("version %v", version)
	}
}

// TestAggregatedDiscoverySaysWhatTheOlderKindSays: two requests or sixty, the same
// answer.
func TestAggregatedDiscoverySaysWhatTheOlderKindSays(t *testing.T) {
	config := adminConfig(t)
	sent := recordRequests(config)
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	groups, resources, err := client.ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	if n := sent.count(); n != 2 {
		t.Errorf("aggregated discovery took %d requests, want 2", n)
	}
	oldGroups, oldResources, err := client.WithLegacy().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	if n := sent.count(); n < 20 {
		t.Errorf("the older discovery took %d requests: is it the older one?", n)
	}
	names := func(groups []*metav1.APIGroup) (names []string) {
		for _, g := range groups {
			for _, v := range g.Versions {
				names = append(names, v.GroupVersion)
			}
		}
		slices.Sort(names)
		return names
	}
	if a, b := names(groups), names(oldGroups); !slices.Equal(a, b) {
		t.Errorf("groups %v, in the older discovery %v", a, b)
	}
	flat := func(lists []*metav1.APIResourceList) map[string]metav1.APIResource {
		all := map[string]metav1.APIResource{}
		for _, l := range lists {
			for _, r := range l.APIResources {
				// The hash of the storage version is in the older discovery alone, and group
				// and version of a kind may be left out where they are the list's.
				r.StorageVersionHash = ""
				gv, err := schema.ParseGroupVersion(l.GroupVersion)
				if err != nil {
					t.Fatal(err)
				}
				if r.Version == "" {
					r.Group, r.Version = gv.Group, gv.Version
				}
				if strings.Contains(r.Name, "/") {
					r.SingularName = "" // the older discovery leaves that of sub-resources out
				}
				slices.Sort(r.Verbs)
				all[l.GroupVersion+"/"+r.Name] = r
			}
		}
		return all
	}
	a, b := flat(resources), flat(oldResources)
	for name, r := range a {
		if !equality.Semantic.DeepEqual(r, b[name]) {
			t.Errorf("%s: aggregated %+v, older %+v", name, r, b[name])
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s is in the older discovery alone", name)
		}
	}
}

// TestCachesSeeANewResourceAfterInvalidation: and not before, for that is what a
// cache is.
func TestCachesSeeANewResourceAfterInvalidation(t *testing.T) {
	t.Parallel()
	onDisk, err := disk.NewCachedDiscoveryClientForConfig(adminConfig(t), t.TempDir(), t.TempDir(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	caches := map[string]discovery.CachedDiscoveryInterface{
		"memory": memory.NewMemCacheClient(discoveryClient(t)),
		"disk":   onDisk,
	}
	for name, cache := range caches {
		if _, _, err := cache.ServerGroupsAndResources(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !cache.Fresh() {
			t.Errorf("%s: not fresh after the first look", name)
		}
	}
	gvr := newCRD(t)
	kind := schema.GroupKind{Group: gvr.Group, Kind: "Widget"}
	for name, cache := range caches {
		t.Run(name, func(t *testing.T) {
			groups, err := cache.ServerGroups()
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(groups.Groups, func(g metav1.APIGroup) bool { return g.Name == gvr.Group }) {
				t.Error("the cache knows what came after it was filled")
			}
			// The server lists a new resource a moment after it serves it.
			eventually(t, "discovery of a new resource", func(context.Context) error {
				cache.Invalidate()
				list, err := cache.ServerResourcesForGroupVersion(gvr.GroupVersion().String())
				if err == nil && !slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == "widgets/scale" }) {
					err = fmt.Errorf("resources %v", list.APIResources)
				}
				return err
			})
			mapping, err := restmapper.NewDeferredDiscoveryRESTMapper(cache).RESTMapping(kind)
			if err != nil {
				t.Fatal(err)
			}
			if mapping.Resource != gvr || mapping.Scope.Name() != meta.RESTScopeNameNamespace {
				t.Errorf("mapped to %s in scope %s", mapping.Resource, mapping.Scope.Name())
			}
		})
	}
}

// TestMapperFindsANewResource: the deferred mapper looks again by itself where its
// cache is not fresh, and after Reset otherwise.
func TestMapperFindsANewResource(t *testing.T) {
	t.Parallel()
	cache := memory.NewMemCacheClient(discoveryClient(t))
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cache)
	if _, err := mapper.KindFor(schema.GroupVersionResource{Resource: "pods"}); err != nil {
		t.Fatal(err)
	}
	gvr := newCRD(t)
	kind := schema.GroupKind{Group: gvr.Group, Kind: "Widget"}
	if _, err := mapper.RESTMapping(kind); !meta.IsNoMatchError(err) {
		t.Errorf("before the cache is dropped: %v, want a NoMatch error", err)
	}
	eventually(t, "mapping of a new kind", func(context.Context) error {
		mapper.Reset()
		_, err := mapper.RESTMapping(kind)
		return err
	})
	got, err := mapper.ResourceFor(schema.GroupVersionResource{Group: gvr.Group, Resource: "widget"})
	if err != nil || got != gvr {
		t.Errorf("resource for the singular: %v, %v", got, err)
	}
	plural, err := mapper.ResourceSingularizer("widgets")
	if err != nil || plural != "widget" {
		t.Errorf("singular of widgets: %q, %v", plural, err)
	}
	beta, err := mapper.RESTMapping(kind, "v1beta1")
	if err != nil || beta.GroupVersionKind.Version != "v1beta1" {
		t.Errorf("mapping of v1beta1: %v, %v", beta, err)
	}

	// Short names and categories come from discovery as well.
	var n int
	if _, err := fmt.Sscanf(gvr.Group, "e2e-%d.example.com", &n); err != nil {
		t.Fatal(err)
	}
	short := restmapper.NewShortcutExpander(mapper, cache, nil)
	got, err = short.ResourceFor(schema.GroupVersionResource{Resource: fmt.Sprintf("wd%d", n)})
	if err != nil || got != gvr {
		t.Errorf("resource for the short name: %v, %v", got, err)
	}
	category, ok := restmapper.NewDiscoveryCategoryExpander(cache).Expand(fmt.Sprintf("e2e%d", n))
	// A resource may come once for each of its versions.
	if !ok || !slices.Equal(slices.Compact(category), []schema.GroupResource{gvr.GroupResource()}) {
		t.Errorf("category: %v", category)
	}
}

func TestPreferredResources(t *testing.T) {
	t.Parallel()
	client := discoveryClient(t)
	lists, err := client.ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string][]string{}
	for _, l := range lists {
		for _, r := range l.APIResources {
			if r.Kind == "HorizontalPodAutoscaler" {
				versions[r.Kind] = append(versions[r.Kind], l.GroupVersion)
			}
		}
	}
	if got := versions["HorizontalPodAutoscaler"]; !slices.Equal(got, []string{"autoscaling/v2"}) {
		t.Errorf("preferred version of autoscalers: %v", got)
	}
	namespaced, err := client.ServerPreferredNamespacedResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range namespaced {
		for _, r := range l.APIResources {
			if !r.Namespaced {
				t.Errorf("%s %s is not namespaced", l.GroupVersion, r.Name)
			}
		}
	}
}

func TestScaleClient(t *testing.T) {
	t.Parallel()
	gvr := newCRD(t)
	ns, ctx := namespace(t), deadline(t)
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	deployment := newManifest(t, deployments.GroupVersion().WithKind("Deployment"), ns, "scale")
	widget := newWidget(gvr, "one")

	cache := memory.NewMemCacheClient(discoveryClient(t))
	eventually(t, "discovery of a scale", func(context.Context) error {
		cache.Invalidate()
		_, err := cache.ServerResourcesForGroupVersion(gvr.GroupVersion().String())
		return err
	})
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cache)
	scales, err := scale.NewForConfig(adminConfig(t), mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(cache))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		gvr  schema.GroupVersionResource
		name string
	}{{deployments, deployment.GetName()}, {gvr, "one"}} {
		obj := widget
		if c.gvr == deployments {
			obj = deployment
		}
		if _, err := dynamicClient(t).Resource(c.gvr).Namespace(ns).Create(ctx, obj, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := scales.Scales(ns).Get(ctx, c.gvr.GroupResource(), c.name, metav1.GetOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.gvr, err)
		}
		if got.Spec.Replicas != 3 {
			t.Errorf("%s: scale %d, want 3", c.gvr, got.Spec.Replicas)
		}
		got.Spec.Replicas = 5
		got, err = scales.Scales(ns).Update(ctx, c.gvr.GroupResource(), got, metav1.UpdateOptions{})
		if err != nil || got.Spec.Replicas != 5 {
			t.Errorf("%s: update: %v, %v", c.gvr, got, err)
		}
		got, err = scales.Scales(ns).Patch(ctx, c.gvr, c.name, types.MergePatchType, []byte(`{"spec":{"replicas":6}}`), metav1.PatchOptions{})
		if err != nil || got.Spec.Replicas != 6 {
			t.Errorf("%s: patch: %v, %v", c.gvr, got, err)
		}
	}
}
