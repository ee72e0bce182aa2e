package restmapper

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// DeferredDiscoveryRESTMapper is a mapper that asks the server when it is
// first used. If it does not find something in answers that may be out of
// date, it asks anew once. It may be used by any number of goroutines.
type DeferredDiscoveryRESTMapper struct {
	cl discovery.CachedDiscoveryInterface

	mu       sync.RWMutex    // held for writing while the server is asked
	delegate meta.RESTMapper // nil until it is wanted
}

var _ meta.ResettableRESTMapper = (*DeferredDiscoveryRESTMapper)(nil)

// NewDeferredDiscoveryRESTMapper returns a mapper of what cl says.
func NewDeferredDiscoveryRESTMapper(cl discovery.CachedDiscoveryInterface) *DeferredDiscoveryRESTMapper {
	return &DeferredDiscoveryRESTMapper{cl: cl}
}

// Reset invalidates the cache and forgets what came from it.
func (d *DeferredDiscoveryRESTMapper) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cl.Invalidate()
	d.delegate = nil
}

func (d *DeferredDiscoveryRESTMapper) mapper() (meta.RESTMapper, error) {
	d.mu.RLock()
	delegate := d.delegate
	d.mu.RUnlock()
	if delegate != nil {
		return delegate, nil
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	if d.delegate == nil {
		groups, err := GetAPIGroupResources(d.cl)
		if err != nil {
			return nil, err
		}
		d.delegate = NewDiscoveryRESTMapper(groups)
	}
	return d.delegate, nil
}

// ask puts a question to the mapper and, if the answer is that there is no
// such thing, to a new one.
func ask[T any](d *DeferredDiscoveryRESTMapper, question func(meta.RESTMapper) (T, error)) (answer T, err error) {
	mapper, err := d.mapper()
	if err != nil {
		return answer, err
	}
	answer, err = question(mapper)
	if !meta.IsNoMatchError(err) || d.cl.Fresh() {
		return answer, err
	}
	d.Reset()
	if mapper, err = d.mapper(); err != nil {
		return answer, err
	}
	return question(mapper)
}

// KindFor returns the kind that a name means. If several have equal priority
// the error is a meta.AmbiguousResourceError.
func (d *DeferredDiscoveryRESTMapper) KindFor(resource schema.GroupVersionResource) (gvk schema.GroupVersionKind, err error) {
	return ask(d, func(m meta.RESTMapper) (schema.GroupVersionKind, error) { return m.KindFor(resource) })
}

// KindsFor returns all kinds that a name can mean.
func (d *DeferredDiscoveryRESTMapper) KindsFor(resource schema.GroupVersionResource) (gvks []schema.GroupVersionKind, err error) {
	return ask(d, func(m meta.RESTMapper) ([]schema.GroupVersionKind, error) { return m.KindsFor(resource) })
}

// ResourceFor returns the resource that a name means. If several have equal
// priority the error is a meta.AmbiguousResourceError.
func (d *DeferredDiscoveryRESTMapper) ResourceFor(input schema.GroupVersionResource) (gvr schema.GroupVersionResource, err error) {
	return ask(d, func(m meta.RESTMapper) (schema.GroupVersionResource, error) { return m.ResourceFor(input) })
}

// ResourcesFor returns all resources that a name can mean.
func (d *DeferredDiscoveryRESTMapper) ResourcesFor(input schema.GroupVersionResource) (gvrs []schema.GroupVersionResource, err error) {
	return ask(d, func(m meta.RESTMapper) ([]schema.GroupVersionResource, error) { return m.ResourcesFor(input) })
}

// RESTMapping returns the resource of a kind, in the first of versions that
// has it, or in the preferred one if none is named.
func (d *DeferredDiscoveryRESTMapper) RESTMapping(gk schema.GroupKind, versions ...string) (m *meta.RESTMapping, err error) {
	return ask(d, func(m meta.RESTMapper) (*meta.RESTMapping, error) { return m.RESTMapping(gk, versions...) })
}

// RESTMappings returns the resources of a kind in all of versions that have
// it, or in all that there are if none is named.
func (d *DeferredDiscoveryRESTMapper) RESTMappings(gk schema.GroupKind, versions ...string) (ms []*meta.RESTMapping, err error) {
	return ask(d, func(m meta.RESTMapper) ([]*meta.RESTMapping, error) { return m.RESTMappings(gk, versions...) })
}

// ResourceSingularizer returns the singular of a resource: pod for pods. With
// an error it returns the name as it was given.
func (d *DeferredDiscoveryRESTMapper) ResourceSingularizer(resource string) (singular string, err error) {
	singular, err = ask(d, func(m meta.RESTMapper) (string, error) { return m.ResourceSingularizer(resource) })
	if err != nil {
		return resource, err
	}
	return singular, nil
}

// String tells what is known so far. It does not ask the server.
func (d *DeferredDiscoveryRESTMapper) String() string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return fmt.Sprintf("DeferredDiscoveryRESTMapper{%v}", d.delegate)
}
