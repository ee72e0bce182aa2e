package memory

import (
	"testing"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
)

func TestOldNamesAreTheNewOnes(t *testing.T) {
	if ErrCacheNotFound != memory.ErrCacheNotFound {
		t.Error("another error")
	}
	if client := NewMemCacheClient(discovery.NewDiscoveryClient(nil)); client.Fresh() {
		t.Error("fresh before anything was asked")
	}
}
