// Package testing enables and disables features for the time of a test.
package testing

import (
	"sync"
	"testing"

	clientfeatures "k8s.io/client-go/features"
)

// settable is implemented by the gates that the library has by default.
type settable interface {
	Set(feature clientfeatures.Feature, enabled bool) error
}

// changed holds, by feature, the test that changed it, so that tests that run in parallel do
// not change the same feature unnoticed.
var (
	mu      sync.Mutex
	changed = map[clientfeatures.Feature]owner{}
)

type owner struct {
	test  string
	value bool
}

// SetFeatureDuringTest sets a feature until the end of the test, and then sets it back:
//
//	SetFeatureDuringTest(t, features.WatchListClient, true)
//
// Subtests may set it again. The test fails at once if the library's feature gates were
// replaced by ones that have no Set, if the feature is locked, or if another
// test that runs at the same time wants it otherwise.
func SetFeatureDuringTest(tb testing.TB, feature clientfeatures.Feature, featureValue bool) {
	tb.Helper()
	current := clientfeatures.FeatureGates()
	gates, ok := current.(settable)
	if !ok {
		tb.Fatalf("cannot set feature %q: the feature gates %T have no method to set one", feature, current)
	}
	before := current.Enabled(feature)
	release := claim(tb, feature, featureValue)
	if err := gates.Set(feature, featureValue); err != nil {
		release()
		tb.Fatalf("cannot set feature %q to %v: %v", feature, featureValue, err)
	}
	tb.Cleanup(func() {
		tb.Helper()
		defer release()
		if err := gates.Set(feature, before); err != nil {
			tb.Errorf("cannot set feature %q back to %v: %v", feature, before, err)
		}
	})
}

// claim notes that tb sets feature, and returns what undoes the note.
func claim(tb testing.TB, feature clientfeatures.Feature, value bool) (release func()) {
	tb.Helper()
	mu.Lock()
	defer mu.Unlock()
	before, taken := changed[feature]
	if taken && !within(tb.Name(), before.test) && before.value != value {
		tb.Fatalf("feature %q is set to %v by the test %s, which runs at the same time", feature, before.value, before.test)
	}
	changed[feature] = owner{test: tb.Name(), value: value}
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if taken {
			changed[feature] = before
		} else {
			delete(changed, feature)
		}
	}
}

// within reports whether a test is another one or a subtest of it.
func within(test, outer string) bool {
	return test == outer || len(test) > len(outer) && test[:len(outer)] == outer && test[len(outer)] == '/'
}
