// Package memory has moved to k8s.io/client-go/discovery/cached/memory. What
// is here keeps programs that were written before compiling.
package memory

import (
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
)

// ErrCacheNotFound is memory.ErrCacheNotFound.
//
// Deprecated: use memory.ErrCacheNotFound.
var ErrCacheNotFound = memory.ErrCacheNotFound

// NewMemCacheClient is memory.NewMemCacheClient.
//
// Deprecated: use memory.NewMemCacheClient.
func NewMemCacheClient(delegate discovery.DiscoveryInterface) discovery.CachedDiscoveryInterface {
	return memory.NewMemCacheClient(delegate)
}
