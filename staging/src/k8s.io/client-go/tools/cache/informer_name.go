package cache

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// An InformerName is the name of a set of informers in metrics, such as that of
// the program. Within it there is one informer for each resource.
type InformerName struct {
	name     string
	reserved *atomic.Bool // until Release, and shared with the identities

	mu        sync.Mutex
	resources map[schema.GroupVersionResource]bool
}

var informerNames struct {
	sync.Mutex
	taken map[string]*InformerName
}

// NewInformerName returns the name, which must not be in use in this process.
func NewInformerName(name string) (*InformerName, error) {
	if name == "" {
		return nil, errors.New("informer name cannot be empty")
	}
	informerNames.Lock()
	defer informerNames.Unlock()
	if informerNames.taken[name] != nil {
		return nil, fmt.Errorf("informer name %q is already in use", name)
	}
	n := &InformerName{name: name, reserved: &atomic.Bool{}, resources: map[schema.GroupVersionResource]bool{}}
	n.reserved.Store(true)
	if informerNames.taken == nil {
		informerNames.taken = map[string]*InformerName{}
	}
	informerNames.taken[name] = n
	return n, nil
}

// Name returns the name.
func (n *InformerName) Name() string {
	if n == nil {
		return ""
	}
	return n.name
}

// Release gives the name up, so that it can be used again. What was identified
// by it has no metrics from then on.
func (n *InformerName) Release() {
	if n == nil || !n.reserved.CompareAndSwap(true, false) {
		return
	}
	informerNames.Lock()
	defer informerNames.Unlock()
	if informerNames.taken[n.name] == n {
		delete(informerNames.taken, n.name)
	}
}

// WithResource returns the identity of the informer for a resource. It has
// metrics the first time; another one for the same resource has none.
func (n *InformerName) WithResource(gvr schema.GroupVersionResource) InformerNameAndResource {
	if n == nil {
		return InformerNameAndResource{gvr: gvr}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	id := InformerNameAndResource{name: n.name, gvr: gvr}
	if !n.resources[gvr] {
		n.resources[gvr] = true
		id.reserved = n.reserved
	}
	return id
}

// ResetInformerNamesForTesting releases all names.
func ResetInformerNamesForTesting() {
	informerNames.Lock()
	defer informerNames.Unlock()
	for _, n := range informerNames.taken {
		n.reserved.Store(false)
	}
	informerNames.taken = nil
}

// An InformerNameAndResource identifies one informer in metrics. The zero value
// identifies none.
type InformerNameAndResource struct {
	name     string
	gvr      schema.GroupVersionResource
	reserved *atomic.Bool
}

// Name returns the name.
func (n InformerNameAndResource) Name() string { return n.name }

// GroupVersionResource returns the resource.
func (n InformerNameAndResource) GroupVersionResource() schema.GroupVersionResource { return n.gvr }

// Reserved tells whether there are to be metrics. It takes no lock.
func (n InformerNameAndResource) Reserved() bool {
	return n.reserved != nil && n.reserved.Load()
}
