package scale

import (
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// NewDiscoveryScaleKindResolver returns a resolver that asks a server, by way of
// its discovery information. What it learns about a group and version it keeps
// for good; what it did not find it asks for again, since resources can become
// scalable.
func NewDiscoveryScaleKindResolver(client discovery.ServerResourcesInterface) ScaleKindResolver {
	return &discoveryResolver{client: client, known: map[schema.GroupVersionResource]schema.GroupVersionKind{}}
}

type discoveryResolver struct {
	client discovery.ServerResourcesInterface

	mu    sync.RWMutex
	known map[schema.GroupVersionResource]schema.GroupVersionKind
}

func (r *discoveryResolver) ScaleForResource(resource schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	r.mu.RLock()
	kind, ok := r.known[resource]
	r.mu.RUnlock()
	if ok {
		return kind, nil
	}

	version := resource.GroupVersion()
	found, err := r.client.ServerResourcesForGroupVersion(version.String())
	if err != nil {
		return schema.GroupVersionKind{}, fmt.Errorf("unable to fetch discovery information for %s: %w", resource, err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sub := range found.APIResources {
		name, isScale := strings.CutSuffix(sub.Name, "/scale")
		if !isScale {
			continue
		}
		// A subresource is of its resource's group and version, unless it says
		// otherwise in full.
		form := version
		if sub.Group != "" && sub.Version != "" {
			form = schema.GroupVersion{Group: sub.Group, Version: sub.Version}
		}
		r.known[version.WithResource(name)] = form.WithKind(sub.Kind)
	}
	kind, ok = r.known[resource]
	if !ok {
		return schema.GroupVersionKind{}, fmt.Errorf("could not find scale subresource for %s in discovery information", resource)
	}
	return kind, nil
}
