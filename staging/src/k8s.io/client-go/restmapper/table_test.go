package restmapper

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// reference builds what a table stands for from the mappers of package meta.
func reference(groups []*APIGroupResources) meta.RESTMapper {
	var all meta.MultiRESTMapper
	for _, group := range groups {
		for _, v := range group.Group.Versions {
			resources, ok := group.VersionedResources[v.Version]
			if !ok {
				continue
			}
			gv := schema.GroupVersion{Group: group.Group.Name, Version: v.Version}
			m := meta.NewDefaultRESTMapper([]schema.GroupVersion{gv})
			for _, r := range resources {
				if strings.Contains(r.Name, "/") {
					continue
				}
				scope := meta.RESTScopeRoot
				if r.Namespaced {
					scope = meta.RESTScopeNamespace
				}
				singular := r.SingularName
				if singular == "" {
					singular = strings.ToLower(r.Kind)
				}
				for _, kind := range []string{strings.ToLower(r.Kind), r.Kind} {
					m.AddSpecific(gv.WithKind(kind), gv.WithResource(r.Name), gv.WithResource(singular), scope)
				}
				m.Add(gv.WithKind(r.Kind+"List"), scope)
			}
			m.Add(gv.WithKind("List"), meta.RESTScopeRoot)
			all = append(all, m)
		}
	}
	return all
}

var words = []string{"widget", "gadget", "policy", "box", "endpoints"}

// cluster returns random groups in which names come up again and again.
func cluster(random *rand.Rand) []*APIGroupResources {
	var groups []*APIGroupResources
	for _, name := range []string{"", "apps", "apps.example.com", "storage.k8s.io"} {
		group := &APIGroupResources{Group: metav1.APIGroup{Name: name}, VersionedResources: map[string][]metav1.APIResource{}}
		for _, version := range []string{"v1", "v1beta1", "v2"} {
			if random.Intn(3) == 0 {
				continue
			}
			group.Group.Versions = append(group.Group.Versions, metav1.GroupVersionForDiscovery{Version: version})
			if random.Intn(5) == 0 {
				continue // listed, but it could not be fetched
			}
			var resources []metav1.APIResource
			for _, word := range words {
				if random.Intn(2) == 0 {
					continue
				}
				r := metav1.APIResource{
					Name:       word + "s",
					Kind:       strings.ToUpper(word[:1]) + word[1:],
					Namespaced: random.Intn(2) == 0,
				}
				if random.Intn(2) == 0 {
					r.SingularName = word
				}
				resources = append(resources, r, metav1.APIResource{Name: r.Name + "/status", Kind: r.Kind})
			}
			group.VersionedResources[version] = resources
		}
		if n := len(group.Group.Versions); n > 0 {
			group.Group.PreferredVersion = group.Group.Versions[random.Intn(n)]
		}
		groups = append(groups, group)
	}
	return groups
}

func describe[T any](found T, err error) string {
	if err != nil {
		return fmt.Sprintf("%T %v", err, err)
	}
	return fmt.Sprint(found)
}

func sorted[T fmt.Stringer](found []T, err error) ([]T, error) {
	slices.SortFunc(found, func(a, b T) int { return strings.Compare(a.String(), b.String()) })
	return found, err
}

func lines(mappings []*meta.RESTMapping, err error) ([]string, error) {
	var ls []string
	for _, m := range mappings {
		ls = append(ls, fmt.Sprint(m.Resource, m.GroupVersionKind, m.Scope.Name()))
	}
	return ls, err
}

func TestTableAnswersLikeTheMappersOfPackageMeta(t *testing.T) {
	names := []string{"", "list", "lists", "nothing"}
	kinds := []string{"", "List", "Nothing", "list"}
	for _, word := range words {
		kind := strings.ToUpper(word[:1]) + word[1:]
		names = append(names, word, word+"s", word+"list", word+"lists", kind, word+"s/status")
		kinds = append(kinds, kind, word, kind+"List", strings.ToUpper(word))
	}
	groups := []string{"", "apps", "app", "storage", "storage.k8s.io", "other"}
	for seed := range int64(8) {
		discovered := cluster(rand.New(rand.NewSource(seed)))
		got, want := newTable(discovered), reference(discovered)
		for _, name := range names {
			for _, group := range groups {
				for _, version := range []string{"", "v1", "v2", "__internal"} {
					in := schema.GroupVersionResource{Group: group, Version: version, Resource: name}
					if g, w := describe(sorted(got.ResourcesFor(in))), describe(sorted(want.ResourcesFor(in))); g != w {
						t.Fatalf("seed %d: ResourcesFor(%v):\n got %s\nwant %s", seed, in, g, w)
					}
					if g, w := describe(sorted(got.KindsFor(in))), describe(sorted(want.KindsFor(in))); g != w {
						t.Fatalf("seed %d: KindsFor(%v):\n got %s\nwant %s", seed, in, g, w)
					}
					if g, w := describe(got.ResourceFor(in)), describe(want.ResourceFor(in)); g != w {
						t.Fatalf("seed %d: ResourceFor(%v):\n got %s\nwant %s", seed, in, g, w)
					}
					if g, w := describe(got.KindFor(in)), describe(want.KindFor(in)); g != w {
						t.Fatalf("seed %d: KindFor(%v):\n got %s\nwant %s", seed, in, g, w)
					}
				}
			}
			if name == "" {
				continue
			}
			g, gotErr := got.ResourceSingularizer(name)
			w, wantErr := want.ResourceSingularizer(name)
			if (gotErr == nil) != (wantErr == nil) || g != w {
				t.Fatalf("seed %d: ResourceSingularizer(%s):\n got %s, %v\nwant %s, %v", seed, name, g, gotErr, w, wantErr)
			}
		}
		for _, kind := range kinds {
			for _, group := range groups {
				for _, versions := range [][]string{nil, {"v1"}, {"v2", "v1"}, {"", "v1"}, {"__internal"}, {"v9"}} {
					gk := schema.GroupKind{Group: group, Kind: kind}
					if g, w := describe(lines(got.RESTMappings(gk, versions...))), describe(lines(want.RESTMappings(gk, versions...))); g != w {
						t.Fatalf("seed %d: RESTMappings(%v, %q):\n got %s\nwant %s", seed, gk, versions, g, w)
					}
					g, gotErr := got.RESTMapping(gk, versions...)
					w, wantErr := want.RESTMapping(gk, versions...)
					if !reflect.DeepEqual(g, w) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
						t.Fatalf("seed %d: RESTMapping(%v, %q):\n got %v, %v\nwant %v, %v", seed, gk, versions, g, gotErr, w, wantErr)
					}
				}
			}
		}
	}
}

func TestNamesThatSeveralResourcesShareInOneVersion(t *testing.T) {
	m := newTable([]*APIGroupResources{{
		Group: metav1.APIGroup{Name: "g", Versions: []metav1.GroupVersionForDiscovery{{Version: "v1"}}},
		VersionedResources: map[string][]metav1.APIResource{"v1": {
			{Name: "widgets", SingularName: "wid", Kind: "Widget"},
			{Name: "wid", SingularName: "wid", Kind: "Wid"},
			{Name: "gadgets", SingularName: "wid", Kind: "Gadget"},
		}},
	}})
	gv := schema.GroupVersion{Group: "g", Version: "v1"}
	got, err := m.ResourceFor(gv.WithResource("wid"))
	if err != nil || got.Resource != "wid" {
		t.Errorf("fully qualified: got %v, %v; want the one of that name", got, err)
	}
	if got, err := m.ResourceFor(schema.GroupVersionResource{Resource: "wid"}); !meta.IsAmbiguousError(err) {
		t.Errorf("unqualified: got %v, %v; want it to be ambiguous", got, err)
	}
	if kind, err := m.KindFor(gv.WithResource("wid")); err != nil || kind.Kind != "Gadget" {
		t.Errorf("got %v, %v; want the last", kind, err)
	}
	if singular, err := m.ResourceSingularizer("wid"); err != nil || singular != "wid" {
		t.Errorf("got %v, %v", singular, err)
	}
}

func TestSingularThatIsNotUnique(t *testing.T) {
	m := newTable([]*APIGroupResources{{
		Group: metav1.APIGroup{Name: "g", Versions: []metav1.GroupVersionForDiscovery{{Version: "v1"}}},
		VersionedResources: map[string][]metav1.APIResource{"v1": {
			{Name: "data", SingularName: "datum", Kind: "Datum"},
			{Name: "datasets", SingularName: "data", Kind: "DataSet"},
		}},
	}})
	if singular, err := m.ResourceSingularizer("data"); err == nil || singular != "data" {
		t.Errorf("got %v, %v; want an error, and the name as it was", singular, err)
	}
	if _, err := m.ResourceSingularizer(""); err == nil {
		t.Error("no error for no name")
	}
}

func TestEmptyTable(t *testing.T) {
	m := NewDiscoveryRESTMapper(nil)
	if _, err := m.ResourceFor(schema.GroupVersionResource{Resource: "pods"}); !meta.IsNoMatchError(err) {
		t.Errorf("got %v", err)
	}
	if _, err := m.RESTMapping(schema.GroupKind{Kind: "Pod"}); !meta.IsNoMatchError(err) {
		t.Errorf("got %v", err)
	}
	if singular, err := m.ResourceSingularizer("pods"); !meta.IsNoMatchError(err) || singular != "pods" {
		t.Errorf("got %v, %v", singular, err)
	}
}

// large is a cluster with a hundred groups of two versions with ten resources.
func large() []*APIGroupResources {
	var groups []*APIGroupResources
	for g := range 100 {
		group := &APIGroupResources{VersionedResources: map[string][]metav1.APIResource{}}
		group.Group.Name = fmt.Sprintf("group%d.example.com", g)
		for _, version := range []string{"v1", "v1beta1"} {
			group.Group.Versions = append(group.Group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: group.Group.Name + "/" + version, Version: version})
			for r := range 10 {
				name := fmt.Sprintf("widget%dx%d", g, r)
				group.VersionedResources[version] = append(group.VersionedResources[version],
					metav1.APIResource{Name: name + "s", SingularName: name, Kind: "W" + name[1:], Namespaced: true})
			}
		}
		group.Group.PreferredVersion = group.Group.Versions[0]
		groups = append(groups, group)
	}
	return groups
}

func BenchmarkNewDiscoveryRESTMapper(b *testing.B) {
	groups := large()
	b.ReportAllocs()
	for b.Loop() {
		NewDiscoveryRESTMapper(groups)
	}
}

func BenchmarkRESTMapping(b *testing.B) {
	m := NewDiscoveryRESTMapper(large())
	gk := schema.GroupKind{Group: "group50.example.com", Kind: "Widget50x5"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.RESTMapping(gk, "v1"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKindFor(b *testing.B) {
	m := NewDiscoveryRESTMapper(large())
	gvr := schema.GroupVersionResource{Group: "group50.example.com", Version: "v1", Resource: "widget50x5s"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.KindFor(gvr); err != nil {
			b.Fatal(err)
		}
	}
}
