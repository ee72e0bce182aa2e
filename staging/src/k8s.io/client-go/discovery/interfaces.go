package discovery

import (
	openapi_v2 "github.com/google/gnostic-models/openapiv2"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/openapi/documents"
	restclient "k8s.io/client-go/rest"
)

// DiscoveryInterface is all that one can learn about a server.
type DiscoveryInterface interface {
	// RESTClient returns the client that requests go through.
	RESTClient() restclient.Interface
	ServerGroupsInterface
	ServerResourcesInterface
	ServerVersionInterface
	OpenAPISchemaInterface
	OpenAPIV3SchemaInterface
	// WithLegacy returns a client of the same server that never asks for the
	// aggregated form. An implementation that cannot do so returns itself.
	WithLegacy() DiscoveryInterface
}

// AggregatedDiscoveryInterface is implemented by clients that may learn of the
// resources in the same breath as of the groups.
type AggregatedDiscoveryInterface interface {
	DiscoveryInterface

	// GroupsAndMaybeResources returns the groups. If the server answered in
	// the aggregated form it also returns the resources of every version;
	// otherwise that map is nil, and the caller fetches them one by one. The
	// third result says for which versions the server's own knowledge is out
	// of date. They are in neither of the others.
	GroupsAndMaybeResources() (*metav1.APIGroupList, map[schema.GroupVersion]*metav1.APIResourceList, map[schema.GroupVersion]error, error)
}

// CachedDiscoveryInterface is a DiscoveryInterface that remembers.
type CachedDiscoveryInterface interface {
	DiscoveryInterface
	// Fresh reports whether all that was returned so far was learnt from the
	// server by this client, since it was made or last invalidated. Who misses
	// something in the answers of a client that is not fresh should
	// invalidate it and look again.
	Fresh() bool
	// Invalidate forgets: what is returned from now on was learnt from the
	// server after this call.
	Invalidate()
}

// ServerGroupsInterface lists groups.
type ServerGroupsInterface interface {
	// ServerGroups returns the groups with their versions, and says of each
	// group which version the server prefers.
	ServerGroups() (*metav1.APIGroupList, error)
}

// ServerResourcesInterface lists resources.
type ServerResourcesInterface interface {
	// ServerResourcesForGroupVersion returns the resources of one version,
	// which is given as in a manifest's apiVersion: "v1", "apps/v1".
	ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error)
	// ServerGroupsAndResources returns the groups, and the resources of all
	// their versions.
	//
	// With an ErrGroupDiscoveryFailed it still returns all that was found.
	ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error)
	// ServerPreferredResources returns each resource once, in the version that
	// the server prefers or else in the first one that has it. Subresources
	// are left out.
	//
	// With an ErrGroupDiscoveryFailed it still returns all that was found.
	ServerPreferredResources() ([]*metav1.APIResourceList, error)
	// ServerPreferredNamespacedResources is ServerPreferredResources without
	// the resources that are not in a namespace.
	//
	// With an ErrGroupDiscoveryFailed it still returns all that was found.
	ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error)
}

// ServerVersionInterface tells the server's version.
type ServerVersionInterface interface {
	// ServerVersion returns what the server says about its own build.
	ServerVersion() (*version.Info, error)
}

// OpenAPISchemaInterface has the schema of all resources in OpenAPI v2.
type OpenAPISchemaInterface interface {
	// OpenAPISchema fetches the schema. It is a document of several megabytes.
	OpenAPISchema() (*openapi_v2.Document, error)
}

// OpenAPIV3SchemaInterface has the schemas in OpenAPI v3, version by version.
type OpenAPIV3SchemaInterface interface {
	// OpenAPIV3 returns the client for them. It makes no request.
	OpenAPIV3() documents.Client
}
