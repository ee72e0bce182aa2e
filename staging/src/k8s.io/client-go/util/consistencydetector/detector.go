// Package consistencydetector checks, in test clusters, that what a client got
// from a streaming list is what a list would have given it.
//
// It is switched on by setting the environment variable
// KUBE_WATCHLIST_INCONSISTENCY_DETECTOR to true. Then whoever received objects
// some other way than with a list calls [CheckDataConsistency], which makes one
// more request to the API server and panics if the two differ. That is too
// much for production: leave it off there.
package consistencydetector

import (
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

const watchListVariable = "KUBE_WATCHLIST_INCONSISTENCY_DETECTOR"

// forWatchList begins as the environment says when it is first asked for.
var forWatchList = sync.OnceValue(func() *atomic.Bool {
	enabled := new(atomic.Bool)
	// What is no boolean does not enable it.
	set, _ := strconv.ParseBool(os.Getenv(watchListVariable))
	enabled.Store(set)
	return enabled
})

// IsDataConsistencyDetectionForWatchListEnabled reports whether
// KUBE_WATCHLIST_INCONSISTENCY_DETECTOR is true. The variable is read once.
func IsDataConsistencyDetectionForWatchListEnabled() bool { return forWatchList().Load() }

// SetDataConsistencyDetectionForWatchListEnabledForTest overrides the
// environment for a test, and returns what undoes that.
func SetDataConsistencyDetectionForWatchListEnabledForTest(enabled bool) func() {
	before := forWatchList().Swap(enabled)
	return func() { forWatchList().Store(before) }
}
