package discovery_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
)

func TestIsResourceEnabled(t *testing.T) {
	s := newServer(t, older(), nil)
	client := s.client(t)
	for _, test := range []struct {
		gvr  schema.GroupVersionResource
		want bool
	}{
		{schema.GroupVersionResource{Version: "v1", Resource: "pods"}, true},
		{schema.GroupVersionResource{Version: "v1", Resource: "pods/eviction"}, true},
		{schema.GroupVersionResource{Version: "v1", Resource: "peas"}, false},
		{schema.GroupVersionResource{Group: "nobodys", Version: "v1", Resource: "pods"}, false},
	} {
		if got, err := discovery.IsResourceEnabled(client, test.gvr); err != nil || got != test.want {
			t.Errorf("%v: got %v, %v", test.gvr, got, err)
		}
	}
	s.set("/api/v1", failure(http.StatusInternalServerError, "InternalError", "oops"))
	if _, err := discovery.IsResourceEnabled(client, schema.GroupVersionResource{Version: "v1", Resource: "pods"}); err == nil {
		t.Error("a server that fails is no error")
	}
}

func TestServerSupportsVersion(t *testing.T) {
	s := newServer(t, older(), nil)
	client := s.client(t)
	for gv, want := range map[schema.GroupVersion]bool{
		{Version: "v1"}:                true,
		{Group: "apps", Version: "v1"}: true,
		{Group: "apps", Version: "v7"}: false,
		{Group: "apps"}:                false,
	} {
		if err := discovery.ServerSupportsVersion(client, gv); (err == nil) != want {
			t.Errorf("%v: got %v", gv, err)
		}
	}
	s.set("/apis", failure(http.StatusInternalServerError, "InternalError", "oops"))
	if err := discovery.ServerSupportsVersion(client, schema.GroupVersion{Version: "v1"}); err == nil {
		t.Error("a server that fails is no error")
	}
}

func TestMatchesServerVersionComparesTheSource(t *testing.T) {
	s := newServer(t, map[string]answer{"/version": {body: `{"gitVersion":"v1.36.2","gitCommit":"c0ffee","platform":"linux/arm64"}`}}, nil)
	client := s.client(t)
	for _, test := range []struct {
		info version.Info
		want bool
	}{
		{version.Info{GitVersion: "v1.36.2", GitCommit: "c0ffee"}, true},
		{version.Info{GitVersion: "v1.36.2", GitCommit: "c0ffee", Platform: "linux/amd64"}, true},
		{version.Info{GitVersion: "v1.36.2", GitCommit: "decaf"}, false},
		{version.Info{GitVersion: "v1.36.2", GitCommit: "c0ffee", GitTreeState: "dirty"}, false},
		{version.Info{}, false},
	} {
		if err := discovery.MatchesServerVersion(test.info, client); (err == nil) != test.want {
			t.Errorf("%#v: got %v", test.info, err)
		}
	}
	s.set("/version", failure(http.StatusInternalServerError, "InternalError", "oops"))
	if err := discovery.MatchesServerVersion(version.Info{}, client); err == nil {
		t.Error("a server that fails is no error")
	}
}

func TestContentTypeIsGVK(t *testing.T) {
	gvk := schema.GroupVersionKind{Group: "apidiscovery.k8s.io", Version: "v2", Kind: "APIGroupDiscoveryList"}
	for contentType, want := range map[string]string{
		v2: "true",
		"application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io; charset=utf-8": "true",
		"APPLICATION/JSON;G=apidiscovery.k8s.io;V=v2;AS=APIGroupDiscoveryList":                   "true",
		v2beta1:            "false",
		"application/json": "false",
		"application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList": "false",
		"":     "error",
		";;;=": "error",
	} {
		is, err := discovery.ContentTypeIsGVK(contentType, gvk)
		got := fmt.Sprint(is)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", contentType, got, want)
		}
	}
}

func TestGroupDiscoveryFailed(t *testing.T) {
	err := error(&discovery.ErrGroupDiscoveryFailed{Groups: map[schema.GroupVersion]error{
		{Group: "b", Version: "v1"}: errors.New("down"),
		{Group: "a", Version: "v1"}: errors.New("gone"),
	}})
	if got, want := err.Error(), "unable to retrieve the complete list of server APIs: a/v1: gone, b/v1: down"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, err := range []error{err, fmt.Errorf("wrapped: %w", err)} {
		groups, failed := discovery.GroupDiscoveryFailedErrorGroups(err)
		if !failed || len(groups) != 2 || !discovery.IsGroupDiscoveryFailedError(err) || !errors.Is(err, &discovery.ErrGroupDiscoveryFailed{}) {
			t.Errorf("%v is not recognised", err)
		}
	}
	for _, err := range []error{nil, errors.New("other")} {
		if groups, failed := discovery.GroupDiscoveryFailedErrorGroups(err); failed || groups != nil || discovery.IsGroupDiscoveryFailedError(err) {
			t.Errorf("%v is taken for one", err)
		}
	}
}

func TestGroupVersionResources(t *testing.T) {
	set, err := discovery.GroupVersionResources([]*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{{Name: "pods"}, {Name: "pods/eviction", Group: "policy", Version: "v1"}}},
		{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "deployments"}}},
	})
	if err != nil || len(set) != 3 {
		t.Fatalf("got %v, %v", set, err)
	}
	for _, gvr := range []schema.GroupVersionResource{
		{Version: "v1", Resource: "pods"},
		{Version: "v1", Resource: "pods/eviction"},
		{Group: "apps", Version: "v1", Resource: "deployments"},
	} {
		if _, ok := set[gvr]; !ok {
			t.Errorf("%v is missing", gvr)
		}
	}
	if _, err := discovery.GroupVersionResources([]*metav1.APIResourceList{{GroupVersion: "a/b/c"}}); err == nil {
		t.Error("no error for a malformed version")
	}
}

func TestFilteredByDropsWhatIsEmptyAndKeepsItsInput(t *testing.T) {
	lists := []*metav1.APIResourceList{
		{GroupVersion: "a/v1", APIResources: []metav1.APIResource{{Name: "x", Verbs: metav1.Verbs{"get", "list"}}, {Name: "y", Verbs: metav1.Verbs{"get"}}}},
		{GroupVersion: "b/v1", APIResources: []metav1.APIResource{{Name: "z"}}},
		nil,
	}
	got := discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "get"}}, lists)
	want(t, "filtered", names(got), "a/v1: x")
	want(t, "input", names(lists[:2]), "a/v1: x, y", "b/v1: z")
	if discovery.FilteredBy(discovery.SupportsAllVerbs{}, nil) == nil {
		t.Error("nothing is nil, and not an empty list")
	}
}

// A failing client returns groups with an error, as one does that knows some from
// before.
type failing struct {
	discovery.DiscoveryInterface // what is not used here
	groups                       *metav1.APIGroupList
	err                          error
}

func (f failing) ServerGroups() (*metav1.APIGroupList, error) { return f.groups, f.err }

func (f failing) ServerResourcesForGroupVersion(version string) (*metav1.APIResourceList, error) {
	return &metav1.APIResourceList{GroupVersion: version, APIResources: []metav1.APIResource{{Name: "widgets"}}}, nil
}

func TestGroupsThatComeWithAnErrorAreUsed(t *testing.T) {
	down := errors.New("down")
	some := &metav1.APIGroupList{Groups: []metav1.APIGroup{{Name: "a", Versions: []metav1.GroupVersionForDiscovery{{GroupVersion: "a/v1", Version: "v1"}}}}}
	groups, lists, err := discovery.ServerGroupsAndResources(failing{groups: some, err: down})
	if len(groups) != 1 || len(lists) != 1 || err != nil {
		t.Errorf("got %v, %v, %v", groups, lists, err)
	}
	if _, err := discovery.ServerPreferredResources(failing{groups: some, err: down}); !errors.Is(err, down) {
		t.Errorf("preferred: got %v", err) // they would look complete
	}
	for _, want := range []error{down, nil} {
		if groups, lists, err := discovery.ServerGroupsAndResources(failing{err: want}); groups != nil || lists != nil || err != want {
			t.Errorf("got %v, %v, %v, want %v", groups, lists, err, want)
		}
		if lists, err := discovery.ServerPreferredResources(failing{err: want}); len(lists) != 0 || err != want {
			t.Errorf("preferred: got %v, %v, want %v", lists, err, want)
		}
	}
}
