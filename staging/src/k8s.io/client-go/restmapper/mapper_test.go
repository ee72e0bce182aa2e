package restmapper_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A cache serves lists, from memory, and counts how often it was looked at.
type cache struct {
	discovery.CachedDiscoveryInterface // what is not used here
	mu                                 sync.Mutex
	served, next                       []*metav1.APIResourceList
	err                                error
	fresh                              bool
	looks, invalidations               int
}

func (c *cache) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	if c.served == nil {
		return nil, nil, c.err
	}
	var groups []*metav1.APIGroup
	for _, list := range c.served {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue // nothing that a group could tell of
		}
		v := metav1.GroupVersionForDiscovery{GroupVersion: list.GroupVersion, Version: gv.Version}
		at := slices.IndexFunc(groups, func(g *metav1.APIGroup) bool { return g.Name == gv.Group })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &metav1.APIGroup{Name: gv.Group, PreferredVersion: v})
		}
		groups[at].Versions = append(groups[at].Versions, v)
	}
	return groups, c.served, c.err
}

func (c *cache) Fresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fresh
}

func (c *cache) Invalidate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.invalidations++
	c.fresh = true
	if c.next != nil {
		c.served = c.next
	}
}

func resource(name, kind string, short ...string) metav1.APIResource {
	return metav1.APIResource{Name: name + "s", SingularName: name, Kind: kind, Namespaced: true, ShortNames: short}
}

func list(gv string, resources ...metav1.APIResource) *metav1.APIResourceList {
	return &metav1.APIResourceList{GroupVersion: gv, APIResources: resources}
}

func served() []*metav1.APIResourceList {
	return []*metav1.APIResourceList{
		list("v1", resource("pod", "Pod", "po"), resource("event", "Event", "ev")),
		list("apps/v1", resource("deployment", "Deployment", "deploy"), metav1.APIResource{Name: "deployments/scale", Kind: "Scale"}),
		list("apps/v1beta1", resource("deployment", "Deployment", "deploy"), resource("relic", "Relic")),
		list("events.k8s.io/v1", resource("event", "Event", "ev")),
	}
}

func TestGetAPIGroupResourcesKeepsWhatCouldBeLoaded(t *testing.T) {
	down := &discovery.ErrGroupDiscoveryFailed{Groups: map[schema.GroupVersion]error{{Group: "x", Version: "v1"}: errors.New("down")}}
	groups, err := restmapper.GetAPIGroupResources(&cache{served: served(), err: down})
	if err != nil || len(groups) != 3 || len(groups[1].VersionedResources["v1beta1"]) != 2 {
		t.Errorf("got %v, %v", groups, err)
	}
	if groups, err := restmapper.GetAPIGroupResources(&cache{err: down}); err != error(down) || groups != nil {
		t.Errorf("nothing loaded: got %v, %v", groups, err)
	}
}

func TestNoGroupsAreNil(t *testing.T) {
	for _, c := range []*cache{{}, {served: []*metav1.APIResourceList{}}} {
		if got, err := restmapper.GetAPIGroupResources(c); got != nil || err != nil {
			t.Errorf("got %#v, %v", got, err)
		}
	}
}

func TestWhatWins(t *testing.T) {
	groups, err := restmapper.GetAPIGroupResources(&cache{served: served()})
	if err != nil {
		t.Fatal(err)
	}
	groups[1].Group.PreferredVersion = groups[1].Group.Versions[1] // apps/v1beta1
	m := restmapper.NewDiscoveryRESTMapper(groups)
	for name, want := range map[string]string{
		"events":      "/v1, Resource=events",               // the core group
		"deployments": "apps/v1beta1, Resource=deployments", // the preferred version
		"relics":      "apps/v1beta1, Resource=relics",
	} {
		if got, err := m.ResourceFor(schema.GroupVersionResource{Resource: name}); err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for _, test := range []struct {
		versions []string
		want     string
	}{
		{nil, "v1beta1"},
		{[]string{"v1"}, "v1"},
		{[]string{"v9", "v1"}, "v1"},
		{[]string{"v1", "v1beta1"}, "v1"},
	} {
		got, err := m.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"}, test.versions...)
		if err != nil || got.Resource.Version != test.want || got.Scope.Name() != meta.RESTScopeNameNamespace {
			t.Errorf("%q: got %v, %v", test.versions, got, err)
		}
	}
	if _, err := m.RESTMapping(schema.GroupKind{Kind: "List"}, "v1"); err != nil {
		t.Errorf("a List of anything: %v", err)
	}
	if _, err := m.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Scale"}); !meta.IsNoMatchError(err) {
		t.Errorf("a subresource: got %v", err)
	}
}

func TestDeferredMapperAsksWhenItIsUsed(t *testing.T) {
	c := &cache{served: served(), fresh: true}
	m := restmapper.NewDeferredDiscoveryRESTMapper(c)
	if c.looks != 0 {
		t.Error("asked before it was used")
	}
	_ = m.String()
	gvr, gk := schema.GroupVersionResource{Resource: "pods"}, schema.GroupKind{Kind: "Pod"}
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			_, e1 := m.ResourceFor(gvr)
			_, e2 := m.ResourcesFor(gvr)
			_, e3 := m.KindFor(gvr)
			_, e4 := m.KindsFor(gvr)
			_, e5 := m.RESTMapping(gk)
			_, e6 := m.RESTMappings(gk)
			singular, e7 := m.ResourceSingularizer("pods")
			if err := errors.Join(e1, e2, e3, e4, e5, e6, e7); err != nil || singular != "pod" {
				t.Error(err, singular)
			}
		})
	}
	callers.Wait()
	if c.looks != 1 {
		t.Errorf("asked %d times", c.looks)
	}
	m.Reset()
	if c.invalidations != 1 {
		t.Error("Reset did not invalidate the cache")
	}
	if _, err := m.ResourceFor(gvr); err != nil || c.looks != 2 {
		t.Errorf("after Reset: %v, asked %d times", err, c.looks)
	}
}

func TestDeferredMapperLooksAgainIfTheCacheMayBeOld(t *testing.T) {
	widgets := schema.GroupVersionResource{Resource: "widgets"}
	newer := append(served(), list("example.com/v1", resource("widget", "Widget")))
	c := &cache{served: served(), next: newer}
	m := restmapper.NewDeferredDiscoveryRESTMapper(c)
	if got, err := m.ResourceFor(widgets); err != nil || got.Group != "example.com" {
		t.Errorf("got %v, %v", got, err)
	}
	if c.invalidations != 1 || c.looks != 2 {
		t.Errorf("%d invalidations, asked %d times", c.invalidations, c.looks)
	}
	// Now it is fresh: what is not there is not there.
	if got, err := m.ResourceFor(schema.GroupVersionResource{Resource: "gadgets"}); !meta.IsNoMatchError(err) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := m.ResourceSingularizer("gadgets"); !meta.IsNoMatchError(err) || got != "gadgets" {
		t.Errorf("got %v, %v", got, err)
	}
	if c.invalidations != 1 || c.looks != 2 {
		t.Errorf("fresh: %d invalidations, asked %d times", c.invalidations, c.looks)
	}
}

func TestDeferredMapperRemembersNoFailure(t *testing.T) {
	c := &cache{err: errors.New("down")}
	m := restmapper.NewDeferredDiscoveryRESTMapper(c)
	pods := schema.GroupVersionResource{Resource: "pods"}
	if _, err := m.KindFor(pods); !errors.Is(err, c.err) {
		t.Errorf("got %v", err)
	}
	c.served, c.err = served(), nil
	if _, err := m.KindFor(pods); err != nil {
		t.Error(err)
	}
}

// An echo maps each resource to itself.
type echo struct {
	meta.RESTMapper
	resets *int
}

func (echo) ResourceFor(in schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	return in, nil
}

func (echo) ResourcesFor(in schema.GroupVersionResource) ([]schema.GroupVersionResource, error) {
	return []schema.GroupVersionResource{in}, nil
}

func (echo) KindFor(in schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	return in.GroupVersion().WithKind(in.Resource), nil
}

func (echo) KindsFor(in schema.GroupVersionResource) ([]schema.GroupVersionKind, error) {
	return []schema.GroupVersionKind{in.GroupVersion().WithKind(in.Resource)}, nil
}

func (echo) ResourceSingularizer(in string) (string, error) { return in, nil }

func (e echo) Reset() { *e.resets++ }

func TestShortcutExpander(t *testing.T) {
	shorts := []*metav1.APIResourceList{
		list("autoscaling/v2", resource("scaler", "Scaler", "s", "both")),
		list("autoscaling/v1", resource("scaler", "Scaler", "s", "both")),
		list("storage.k8s.io/v1", resource("shelf", "Shelf", "s"), resource("box", "Box", "scaler", "other")),
		list("a/b/c", resource("bad", "Bad", "s")),
	}
	for _, test := range []struct {
		in, want schema.GroupVersionResource
		warnings int
	}{
		{schema.GroupVersionResource{Resource: "s"}, schema.GroupVersionResource{Group: "autoscaling", Resource: "scalers"}, 1},
		{schema.GroupVersionResource{Resource: "both"}, schema.GroupVersionResource{Group: "autoscaling", Resource: "scalers"}, 0},
		{schema.GroupVersionResource{Version: "v1", Resource: "both"}, schema.GroupVersionResource{Group: "autoscaling", Resource: "scalers"}, 0},
		{schema.GroupVersionResource{Group: "storage.k8s.io", Resource: "s"}, schema.GroupVersionResource{Group: "storage.k8s.io", Resource: "shelfs"}, 0},
		{schema.GroupVersionResource{Group: "storage", Version: "v1", Resource: "s"}, schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "shelfs"}, 0},
		{schema.GroupVersionResource{Group: "elsewhere", Resource: "s"}, schema.GroupVersionResource{Group: "elsewhere", Resource: "s"}, 0},
		{schema.GroupVersionResource{Resource: "scaler"}, schema.GroupVersionResource{Resource: "scaler"}, 0},
		{schema.GroupVersionResource{Resource: "scalers"}, schema.GroupVersionResource{Resource: "scalers"}, 0},
		{schema.GroupVersionResource{Group: "storage.k8s.io", Resource: "scaler"}, schema.GroupVersionResource{Group: "storage.k8s.io", Resource: "boxs"}, 0},
		{schema.GroupVersionResource{Resource: "S"}, schema.GroupVersionResource{Resource: "S"}, 0},
	} {
		var warnings []string
		m := restmapper.NewShortcutExpander(echo{}, &cache{served: shorts}, func(w string) { warnings = append(warnings, w) })
		if got, _ := m.ResourceFor(test.in); got != test.want {
			t.Errorf("%v: got %v, want %v", test.in, got, test.want)
		}
		if len(warnings) != test.warnings {
			t.Errorf("%v: got %q, want %d warnings", test.in, warnings, test.warnings)
		}
		m = restmapper.NewShortcutExpander(echo{}, &cache{served: shorts}, nil)
		rs, _ := m.ResourcesFor(test.in)
		kind, _ := m.KindFor(test.in)
		kinds, _ := m.KindsFor(test.in)
		if rs[0] != test.want || kind.Kind != test.want.Resource || kinds[0] != kind {
			t.Errorf("%v: got %v, %v, %v", test.in, rs, kind, kinds)
		}
	}
}

func TestShortNameOfANewResourceIsFound(t *testing.T) {
	newer := append(served(), list("example.com/v1", resource("widget", "Widget", "wd")))
	short := schema.GroupVersionResource{Group: "example.com", Resource: "wd"}
	for question, ask := range map[string]func(meta.RESTMapper) (string, error){
		"KindFor": func(m meta.RESTMapper) (string, error) {
			kind, err := m.KindFor(short)
			return kind.Kind, err
		},
		"KindsFor": func(m meta.RESTMapper) (string, error) {
			kinds, err := m.KindsFor(short)
			return fmt.Sprint(kinds), err
		},
		"ResourceFor": func(m meta.RESTMapper) (string, error) {
			resource, err := m.ResourceFor(short)
			return resource.Resource, err
		},
		"ResourcesFor": func(m meta.RESTMapper) (string, error) {
			resources, err := m.ResourcesFor(short)
			return fmt.Sprint(resources), err
		},
		"ResourceSingularizer": func(m meta.RESTMapper) (string, error) { return m.ResourceSingularizer("wd") },
	} {
		c := &cache{served: served(), next: newer}
		m := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(c), c, nil)
		if got, err := ask(m); err != nil || !strings.Contains(strings.ToLower(got), "widget") {
			t.Errorf("%s: got %q, %v", question, got, err)
		}
		if c.invalidations != 1 {
			t.Errorf("%s: %d invalidations", question, c.invalidations)
		}
	}
}

func TestShortcutExpanderWarnsOfWhatElseItCouldBe(t *testing.T) {
	var warnings []string
	m := restmapper.NewShortcutExpander(echo{}, &cache{served: served()}, func(w string) { warnings = append(warnings, w) })
	if singular, err := m.ResourceSingularizer("ev"); err != nil || singular != "events" {
		t.Errorf("got %v, %v", singular, err)
	}
	want := []string{`short name "ev" could also match lower priority resource events.events.k8s.io`}
	if !slices.Equal(warnings, want) {
		t.Errorf("got %q, want %q", warnings, want)
	}
}

func TestShortcutExpanderDoesWithoutDiscovery(t *testing.T) {
	resets := 0
	m := restmapper.NewShortcutExpander(echo{resets: &resets}, &cache{err: errors.New("down")}, nil)
	if got, err := m.ResourceFor(schema.GroupVersionResource{Resource: "po"}); err != nil || got.Resource != "po" {
		t.Errorf("got %v, %v", got, err)
	}
	meta.MaybeResetRESTMapper(m)
	if resets != 1 {
		t.Error("the mapper below was not reset")
	}
}

func TestCategories(t *testing.T) {
	lists := served()
	for _, l := range lists {
		l.APIResources[0].Categories = []string{"all"}
	}
	discovered := restmapper.NewDiscoveryCategoryExpander(&cache{served: lists})
	fixed := restmapper.SimpleCategoryExpander{Expansions: map[string][]schema.GroupResource{
		"all":  {{Resource: "pods"}, {Resource: "extras"}},
		"none": {},
	}}
	for _, test := range []struct {
		name     string
		expander restmapper.CategoryExpander
		category string
		want     string
		known    bool
	}{
		{"discovered", discovered, "all", "[pods deployments.apps events.events.k8s.io]", true},
		{"discovered, unknown", discovered, "other", "[]", false},
		{"discovery down", restmapper.NewDiscoveryCategoryExpander(&cache{err: errors.New("down")}), "all", "[]", false},
		{"fixed", fixed, "all", "[pods extras]", true},
		{"fixed, empty", fixed, "none", "[]", true},
		{"union", restmapper.UnionCategoryExpander{fixed, fixed, restmapper.SimpleCategoryExpander{}}, "all", "[pods extras]", true},
		{"union, unknown", restmapper.UnionCategoryExpander{fixed}, "other", "[]", false},
	} {
		got, known := test.expander.Expand(test.category)
		if fmt.Sprint(got) != test.want || known != test.known {
			t.Errorf("%s: got %v, %v; want %s, %v", test.name, got, known, test.want, test.known)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic without a client")
		}
	}()
	restmapper.NewDiscoveryCategoryExpander(nil)
}

// A kind in a manifest is looked up, and found in the version that it names.
func Example() {
	client := &cache{fresh: true, served: []*metav1.APIResourceList{
		list("v1", resource("pod", "Pod", "po")),
		list("apps/v1", resource("deployment", "Deployment", "deploy")),
	}}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(client)

	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "v1")
	fmt.Println(mapping.Resource, mapping.Scope.Name(), err)

	people := restmapper.NewShortcutExpander(mapper, client, nil)
	kind, err := people.KindFor(schema.GroupVersionResource{Resource: "po"})
	fmt.Println(kind, err)

	_, err = mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Unicorn"})
	fmt.Println(meta.IsNoMatchError(err))
	// Output:
	// apps/v1, Resource=deployments namespace <nil>
	// /v1, Kind=Pod <nil>
	// true
}
