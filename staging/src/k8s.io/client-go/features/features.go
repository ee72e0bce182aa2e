package features

import (
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/version"
)

// Feature is the name of a feature.
type Feature string

type prerelease string

// How settled a feature is.
const (
	Alpha = prerelease("ALPHA") // disabled by default, may go away
	Beta  = prerelease("BETA")
	GA    = prerelease("") // here to stay

	// Deprecated features go away in a release to come.
	Deprecated = prerelease("DEPRECATED")
)

// FeatureSpec is the state of a feature.
type FeatureSpec struct {
	// Default is whether the feature is enabled if nobody says otherwise.
	Default bool
	// LockToDefault says that it cannot be changed.
	LockToDefault bool
	// PreRelease is how settled the feature is.
	PreRelease prerelease
	// Version is the first version in which this is the state. Nil if there is
	// only one.
	Version *version.Version
}

// VersionedSpecs is how a feature developed, oldest state first.
type VersionedSpecs []FeatureSpec

// Gates knows which features are enabled.
type Gates interface {
	// Enabled reports whether the feature is enabled. It panics if there is no such
	// feature.
	Enabled(key Feature) bool
}

// Registry takes up features that somebody else defines.
type Registry interface {
	// Add takes up features in their latest state.
	Add(map[Feature]FeatureSpec) error
}

// VersionedRegistry takes up features with their history.
type VersionedRegistry interface {
	// AddVersioned takes up features with all states that they were in.
	AddVersioned(in map[Feature]VersionedSpecs) error
}

// FeatureGates returns the gates that the library goes by: those of ReplaceFeatureGates,
// or else those that read the environment.
func FeatureGates() Gates {
	if g := replaced.Load(); g != nil {
		return g.Gates
	}
	return environment()
}

// replaced holds what ReplaceFeatureGates was given, in a box as interfaces cannot be
// stored atomically.
var replaced atomic.Pointer[struct{ Gates }]

// ReplaceFeatureGates makes the library go by newFeatureGates, which must know all its
// features: give them to it by AddFeaturesToExistingFeatureGates or
// AddVersionedFeaturesToExistingFeatureGates first.
func ReplaceFeatureGates(newFeatureGates Gates) {
	replaced.Store(&struct{ Gates }{newFeatureGates})
}

// AddFeaturesToExistingFeatureGates gives the library's features, as they are in this
// release, to registry. It returns the registry's error.
func AddFeaturesToExistingFeatureGates(registry Registry) error {
	return registry.Add(latest())
}

// AddVersionedFeaturesToExistingFeatureGates gives the library's features with their
// history to registry, which may then behave like an older release. It returns the registry's
// error.
func AddVersionedFeaturesToExistingFeatureGates(registry VersionedRegistry) error {
	return registry.AddVersioned(history())
}
