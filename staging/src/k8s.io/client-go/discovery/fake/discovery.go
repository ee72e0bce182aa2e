// Package fake stands in for a server's discovery in tests. It serves the
// resources that the test puts into the Fake:
//
//	client := &fake.FakeDiscovery{Fake: &testing.Fake{
//		Resources: []*metav1.APIResourceList{{
//			GroupVersion: "v1",
//			APIResources: []metav1.APIResource{{Name: "pods", Kind: "Pod", Namespaced: true}},
//		}},
//	}}
//
// The client of a fake clientset is a FakeDiscovery over the same Fake:
//
//	clientset.Discovery().(*fake.FakeDiscovery).FakedServerVersion = &version.Info{GitVersion: "v1.36.0"}
//
// Its calls are recorded as actions, and a reactor can make them fail.
package fake

import (
	"fmt"
	"net/http"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi/documents"
	clientversion "k8s.io/client-go/pkg/version"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/testing"
)

// FakeDiscovery answers from the Resources of its Fake. Of what a reactor
// returns it heeds the error only.
type FakeDiscovery struct {
	*testing.Fake
	// FakedServerVersion is what ServerVersion returns. If it is nil, that is
	// the version of this library.
	FakedServerVersion *version.Info
}

var _ discovery.DiscoveryInterface = (*FakeDiscovery)(nil)

// act records that a program got what, and lets reactors object.
func (c *FakeDiscovery) act(what string) error {
	_, err := c.Invokes(testing.ActionImpl{
		Verb:     "get",
		Resource: schema.GroupVersionResource{Resource: what},
	}, nil)
	return err
}

// ServerResourcesForGroupVersion returns the first list of that version. If
// there is none the error is a NotFound.
func (c *FakeDiscovery) ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	if err := c.act("resource"); err != nil {
		return nil, err
	}
	for _, list := range c.Resources {
		if list.GroupVersion == groupVersion {
			return list, nil
		}
	}
	return nil, &apierrors.StatusError{ErrStatus: metav1.Status{
		Status:  metav1.StatusFailure,
		Code:    http.StatusNotFound,
		Reason:  metav1.StatusReasonNotFound,
		Message: fmt.Sprintf("the server could not find the requested resource, GroupVersion %q not found", groupVersion),
	}}
}

// ServerGroupsAndResources returns the groups, and all lists as they are.
func (c *FakeDiscovery) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	list, err := c.ServerGroups()
	if err != nil {
		return nil, nil, err
	}
	groups := make([]*metav1.APIGroup, len(list.Groups))
	for i := range groups {
		groups[i] = &list.Groups[i]
	}
	if err := c.act("resource"); err != nil {
		return groups, nil, err
	}
	return groups, c.Resources, nil
}

// ServerPreferredResources returns nothing.
func (c *FakeDiscovery) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	return nil, nil
}

// ServerPreferredNamespacedResources returns nothing.
func (c *FakeDiscovery) ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error) {
	return nil, nil
}

// ServerGroups returns the groups of the lists, in the order of their first
// appearance. The first version of a group is the preferred one.
func (c *FakeDiscovery) ServerGroups() (*metav1.APIGroupList, error) {
	if err := c.act("group"); err != nil {
		return nil, err
	}
	groups := &metav1.APIGroupList{}
	place := map[string]int{}
	for _, list := range c.Resources {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("reading the faked resources: %w", err)
		}
		v := metav1.GroupVersionForDiscovery{GroupVersion: list.GroupVersion, Version: gv.Version}
		at, known := place[gv.Group]
		if !known {
			at = len(groups.Groups)
			place[gv.Group] = at
			groups.Groups = append(groups.Groups, metav1.APIGroup{Name: gv.Group, PreferredVersion: v})
		}
		groups.Groups[at].Versions = append(groups.Groups[at].Versions, v)
	}
	return groups, nil
}

// ServerVersion returns FakedServerVersion or, if there is none, the version
// of this library.
func (c *FakeDiscovery) ServerVersion() (*version.Info, error) {
	if err := c.act("version"); err != nil {
		return nil, err
	}
	if c.FakedServerVersion != nil {
		return c.FakedServerVersion, nil
	}
	own := clientversion.Get()
	return &own, nil
}

// OpenAPISchema returns an empty document.
func (c *FakeDiscovery) OpenAPISchema() (*openapi_v2.Document, error) {
	return &openapi_v2.Document{}, nil
}

// OpenAPIV3 returns a client without documents. Package openapitest has one
// with some.
func (c *FakeDiscovery) OpenAPIV3() documents.Client { return noDocuments{} }

type noDocuments struct{}

func (noDocuments) Paths() (map[string]documents.GroupVersion, error) {
	return map[string]documents.GroupVersion{}, nil
}

// RESTClient returns nil: there is no server.
func (c *FakeDiscovery) RESTClient() restclient.Interface { return nil }

// WithLegacy returns the client itself.
func (c *FakeDiscovery) WithLegacy() discovery.DiscoveryInterface { return c }
