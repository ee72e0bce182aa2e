package features

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// environment returns the gates that go by the environment; they are the same ones each time.
var environment = sync.OnceValue(func() *environmentGates { return newEnvironmentGates(latest()) })

const variablePrefix = "KUBE_FEATURE_"

// environmentGates knows features by their defaults, unless the environment or Set says
// otherwise. Set comes last.
type environmentGates struct {
	known map[Feature]FeatureSpec

	// enabled is read without a lock, as features are asked for in the middle of
	// work. A change replaces the map.
	enabled atomic.Pointer[map[Feature]bool]
	mu      sync.Mutex // serialises changes
	read    sync.Once  // of the environment
}

func newEnvironmentGates(known map[Feature]FeatureSpec) *environmentGates {
	return &environmentGates{known: known}
}

// Enabled reports whether the feature is enabled. It panics if there is no such feature.
func (g *environmentGates) Enabled(feature Feature) bool {
	enabled, ok := g.states()[feature]
	if !ok {
		panic(unknown(feature).Error())
	}
	return enabled
}

// Set enables or disables a feature from now on. It fails if there is no such feature,
// or if it is locked in the other state.
func (g *environmentGates) Set(feature Feature, enabled bool) error {
	if err := g.check(feature, enabled); err != nil {
		return err
	}
	g.states() // so that the environment does not come after us
	g.mu.Lock()
	defer g.mu.Unlock()
	old := *g.enabled.Load()
	states := make(map[Feature]bool, len(old))
	for f, e := range old {
		states[f] = e
	}
	states[feature] = enabled
	g.enabled.Store(&states)
	return nil
}

func (g *environmentGates) check(feature Feature, enabled bool) error {
	spec, ok := g.known[feature]
	switch {
	case !ok:
		return unknown(feature)
	case spec.LockToDefault && spec.Default != enabled:
		return fmt.Errorf("feature %q is locked to %v and cannot be changed", feature, spec.Default)
	}
	return nil
}

func (g *environmentGates) states() map[Feature]bool {
	if states := g.enabled.Load(); states != nil {
		return *states
	}
	g.read.Do(func() {
		states := make(map[Feature]bool, len(g.known))
		for feature, spec := range g.known {
			states[feature] = g.fromEnvironment(feature, spec.Default)
		}
		g.enabled.Store(&states)
	})
	return *g.enabled.Load()
}

func (g *environmentGates) fromEnvironment(feature Feature, byDefault bool) bool {
	variable := variablePrefix + string(feature)
	value, present := os.LookupEnv(variable)
	if !present {
		return byDefault
	}
	enabled, err := strconv.ParseBool(value)
	if err == nil {
		err = g.check(feature, enabled)
	}
	if err != nil {
		klog.Background().Error(err, "Ignoring an environment variable for a feature", "variable", variable, "value", value)
		return byDefault
	}
	return enabled
}

func unknown(feature Feature) error {
	return fmt.Errorf("feature %q is unknown to this release of the library", feature)
}
