package memory

import (
	"errors"
	"net/http"
	"sync"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi/cached"
	"k8s.io/client-go/openapi/documents"
	restclient "k8s.io/client-go/rest"
)

// ErrCacheNotFound says that the server had no such version when it was asked.
// Who has reason to believe that it has now calls Invalidate and tries again.
var ErrCacheNotFound = errors.New("not found")

// NewMemCacheClient returns a cache of what delegate says. A version that
// delegate did not name among the groups is an ErrCacheNotFound, and delegate
// is not asked about it.
//
// If a version cannot be fetched, that error is what its callers get, until
// Invalidate. Errors that pass are the exception: after one the next caller
// tries again.
func NewMemCacheClient(delegate discovery.DiscoveryInterface) discovery.CachedDiscoveryInterface {
	return &client{delegate: delegate, current: &snapshot{}}
}

type client struct {
	delegate discovery.DiscoveryInterface

	mu      sync.Mutex
	current *snapshot // replaced as a whole: who works on the old one may finish
}

var (
	_ discovery.CachedDiscoveryInterface     = (*client)(nil)
	_ discovery.AggregatedDiscoveryInterface = (*client)(nil)
)

// A snapshot is what was learnt between two invalidations.
type snapshot struct {
	mu       sync.Mutex
	groups   *metav1.APIGroupList // nil until they are known
	versions map[schema.GroupVersion]*entry
	complete bool // all resources came with the groups
	openapi  documents.Client
}

// An entry is what was learnt about one version.
type entry struct {
	mu    sync.Mutex
	known bool
	list  *metav1.APIResourceList
	err   error
}

func (c *client) snapshot() *snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// loaded returns the current snapshot with its groups. Callers that come while
// they are being fetched wait for the outcome. A failure is not remembered.
func (c *client) loaded() (*snapshot, error) {
	s := c.snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups != nil {
		return s, nil
	}

	var groups *metav1.APIGroupList
	var resources map[schema.GroupVersion]*metav1.APIResourceList
	var failed map[schema.GroupVersion]error
	var err error
	if aggregated, ok := c.delegate.(discovery.AggregatedDiscoveryInterface); ok {
		groups, resources, failed, err = aggregated.GroupsAndMaybeResources()
	} else {
		groups, err = c.delegate.ServerGroups()
	}
	if err != nil {
		return nil, err
	}
	if groups == nil {
		groups = &metav1.APIGroupList{}
	}

	s.versions = make(map[schema.GroupVersion]*entry, len(resources)+len(failed))
	for gv, list := range resources {
		s.versions[gv] = &entry{known: true, list: list}
	}
	for gv, err := range failed {
		s.versions[gv] = &entry{known: true, err: err}
	}
	for _, group := range groups.Groups {
		for _, v := range group.Versions {
			gv := schema.GroupVersion{Group: group.Name, Version: v.Version}
			if s.versions[gv] == nil {
				s.versions[gv] = &entry{}
			}
		}
	}
	s.groups, s.complete = groups, resources != nil
	return s, nil
}

// get returns what is known about a version, and asks ask if that is nothing.
func (e *entry) get(ask func() (*metav1.APIResourceList, error)) (*metav1.APIResourceList, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.known || passes(e.err) {
		e.list, e.err = ask()
		e.known = true
	}
	return e.list, e.err
}

// passes reports whether err may be gone at the next try: the server was not
// reached, or was not up to it.
func passes(err error) bool {
	if err == nil {
		return false
	}
	if utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsTimeout(err) {
		return true
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests
}

// Fresh reports whether the server has been asked since the client was made or
// last invalidated.
func (c *client) Fresh() bool {
	s := c.snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups != nil
}

// Invalidate forgets everything. It does not wait for calls that are under
// way, and these return what they find.
func (c *client) Invalidate() {
	c.mu.Lock()
	c.current = &snapshot{}
	c.mu.Unlock()
	if below, ok := c.delegate.(discovery.CachedDiscoveryInterface); ok {
		below.Invalidate()
	}
}

func (c *client) ServerGroups() (*metav1.APIGroupList, error) {
	s, err := c.loaded()
	if err != nil {
		return nil, err
	}
	return s.groups, nil
}

func (c *client) GroupsAndMaybeResources() (*metav1.APIGroupList, map[schema.GroupVersion]*metav1.APIResourceList, map[schema.GroupVersion]error, error) {
	s, err := c.loaded()
	if err != nil {
		return nil, nil, nil, err
	}
	failed := map[schema.GroupVersion]error{}
	if !s.complete {
		return s.groups, nil, failed, nil
	}
	resources := make(map[schema.GroupVersion]*metav1.APIResourceList, len(s.versions))
	for gv, e := range s.versions {
		list, err := c.resources(gv, e)
		if err != nil {
			failed[gv] = err
		} else if list != nil {
			resources[gv] = list
		}
	}
	return s.groups, resources, failed, nil
}

func (c *client) ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	s, err := c.loaded()
	if err != nil {
		return nil, err
	}
	gv, err := schema.ParseGroupVersion(groupVersion)
	if err != nil {
		return nil, ErrCacheNotFound
	}
	e, ok := s.versions[gv]
	if !ok {
		return nil, ErrCacheNotFound
	}
	return c.resources(gv, e)
}

func (c *client) resources(gv schema.GroupVersion, e *entry) (*metav1.APIResourceList, error) {
	return e.get(func() (*metav1.APIResourceList, error) {
		return c.delegate.ServerResourcesForGroupVersion(gv.String())
	})
}

func (c *client) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return discovery.ServerGroupsAndResources(c)
}

func (c *client) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	return discovery.ServerPreferredResources(c)
}

func (c *client) ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error) {
	return discovery.ServerPreferredNamespacedResources(c)
}

// ServerVersion is not cached: who asks for it wants to know whether the
// server answers, as often as not.
func (c *client) ServerVersion() (*version.Info, error) { return c.delegate.ServerVersion() }

// OpenAPISchema is not cached: it is large, and rarely wanted twice.
func (c *client) OpenAPISchema() (*openapi_v2.Document, error) { return c.delegate.OpenAPISchema() }

// OpenAPIV3 returns a client that is cached until the next Invalidate.
func (c *client) OpenAPIV3() documents.Client {
	s := c.snapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.openapi == nil {
		s.openapi = cached.NewClient(c.delegate.OpenAPIV3())
	}
	return s.openapi
}

func (c *client) RESTClient() restclient.Interface { return c.delegate.RESTClient() }

// WithLegacy returns the client itself: what it remembers has no form.
func (c *client) WithLegacy() discovery.DiscoveryInterface { return c }
