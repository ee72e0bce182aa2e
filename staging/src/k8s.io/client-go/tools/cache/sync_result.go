package cache

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A SyncResult tells which informers of a factory have their first list in their
// stores. Their handlers may not have been told of it yet.
type SyncResult struct {
	// Err is nil if all have, or else why nobody waits any more.
	Err error

	// Synced has true or false for every informer, by the type of its objects.
	Synced map[reflect.Type]bool
}

// AsError returns nil if all informers have synced, or else an error that wraps Err
// and names those that have not.
func (c SyncResult) AsError() error {
	if c.Err == nil {
		return nil
	}
	var unsynced []string
	for t, synced := range c.Synced {
		if !synced {
			unsynced = append(unsynced, t.String())
		}
	}
	slices.Sort(unsynced)
	return fmt.Errorf("failed to sync all caches: %s: %w", strings.Join(unsynced, ", "), c.Err)
}
