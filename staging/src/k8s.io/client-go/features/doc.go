// Package features switches parts of the library on and off that are not settled yet.
//
// A user of a program sets an environment variable before starting it, for instance
// KUBE_FEATURE_WatchListClient=false. The values are those that [strconv.ParseBool]
// reads; others are logged and ignored, as are attempts to change a feature that is locked.
// The environment is read once, when the first feature is asked for.
//
// A program that has feature gates of its own, perhaps with a command line flag, takes
// over at its start, before it makes a client:
//
//	features.AddVersionedFeaturesToExistingFeatureGates(registry)
//	features.ReplaceFeatureGates(gates)
package features
