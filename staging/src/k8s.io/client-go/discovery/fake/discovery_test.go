package fake_test

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/discovery/fake"
	clienttesting "k8s.io/client-go/testing"
)

func client() *fake.FakeDiscovery {
	f := &fake.FakeDiscovery{Fake: &clienttesting.Fake{}}
	f.Resources = []*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{{Name: "pods", Kind: "Pod", Namespaced: true}}},
		{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "deployments", Kind: "Deployment"}}},
		{GroupVersion: "apps/v1beta1"},
	}
	return f
}

func TestGroupsAreThoseOfTheResources(t *testing.T) {
	f := client()
	groups, lists, err := f.ServerGroupsAndResources()
	if err != nil || len(groups) != 2 || len(lists) != 3 {
		t.Fatalf("got %v, %v, %v", groups, lists, err)
	}
	if groups[0].Name != "" || len(groups[1].Versions) != 2 || groups[1].PreferredVersion.GroupVersion != "apps/v1" {
		t.Errorf("got %v", groups)
	}
	var did []string
	for _, action := range f.Actions() {
		did = append(did, action.GetVerb()+" "+action.GetResource().Resource)
	}
	if fmt.Sprint(did) != "[get group get resource]" {
		t.Errorf("recorded %q", did)
	}
}

func TestResourcesOfAVersion(t *testing.T) {
	f := client()
	if list, err := f.ServerResourcesForGroupVersion("apps/v1"); err != nil || list != f.Resources[1] {
		t.Errorf("got %v, %v", list, err)
	}
	if list, err := f.ServerResourcesForGroupVersion("apps/v7"); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, %v", list, err)
	}
	f.Resources = append(f.Resources, &metav1.APIResourceList{GroupVersion: "a/b/c"})
	if groups, err := f.ServerGroups(); err == nil {
		t.Errorf("got %v for a malformed version", groups)
	}
}

func TestReactorsCanFail(t *testing.T) {
	for _, what := range []string{"group", "resource", "version"} {
		down := errors.New("down")
		f := client()
		f.PrependReactor("get", what, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, down })
		_, e1 := f.ServerGroups()
		_, _, e2 := f.ServerGroupsAndResources()
		_, e3 := f.ServerResourcesForGroupVersion("v1")
		_, e4 := f.ServerVersion()
		got := []bool{e1 != nil, e2 != nil, e3 != nil, e4 != nil}
		want := map[string][]bool{
			"group":    {true, true, false, false},
			"resource": {false, true, true, false},
			"version":  {false, false, false, true},
		}[what]
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: failed %v, want %v", what, got, want)
		}
	}
}

func TestVersionIsTheFakedOne(t *testing.T) {
	f := client()
	if info, err := f.ServerVersion(); err != nil || info.GoVersion == "" {
		t.Errorf("got %v, %v; want this library's", info, err)
	}
	f.FakedServerVersion = &version.Info{GitVersion: "v9"}
	if info, err := f.ServerVersion(); err != nil || info.GitVersion != "v9" {
		t.Errorf("got %v, %v", info, err)
	}
}

func TestNothingPanics(t *testing.T) {
	f := client()
	if lists, err := f.ServerPreferredResources(); err != nil || len(lists) != 0 {
		t.Errorf("got %v, %v", lists, err)
	}
	if lists, err := f.ServerPreferredNamespacedResources(); err != nil || len(lists) != 0 {
		t.Errorf("got %v, %v", lists, err)
	}
	if document, err := f.OpenAPISchema(); err != nil || document == nil {
		t.Errorf("got %v, %v", document, err)
	}
	if paths, err := f.OpenAPIV3().Paths(); err != nil || len(paths) != 0 {
		t.Errorf("got %v, %v", paths, err)
	}
	if f.RESTClient() != nil || f.WithLegacy() != discovery.DiscoveryInterface(f) {
		t.Error("another client")
	}
}

// What code does without a kind of resource is tested with a server that does
// not have it.
func Example() {
	client := &fake.FakeDiscovery{Fake: &clienttesting.Fake{
		Resources: []*metav1.APIResourceList{{
			GroupVersion: "v1",
			APIResources: []metav1.APIResource{{Name: "pods", Kind: "Pod", Namespaced: true}},
		}},
	}}
	cache := memory.NewMemCacheClient(client)
	_, err := cache.ServerResourcesForGroupVersion("example.com/v1")
	fmt.Println(errors.Is(err, memory.ErrCacheNotFound))
	// Output: true
}
