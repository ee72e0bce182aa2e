package features

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/version"
)

// The features, in alphabetical order. Asking for another one panics.
const (
	// AtomicFIFO lets informers work through a list as one event in place of one event
	// for each object in it.
	AtomicFIFO Feature = "AtomicFIFO"

	// ClientsAllowCARotation lets clients follow a certificate authority file that
	// changes, without a restart and without dropping connections.
	ClientsAllowCARotation Feature = "ClientsAllowCARotation"

	// ClientsAllowCBOR lets clients that are configured for CBOR use it. While it is
	// disabled they accept and send JSON, and application/apply-patch+yaml for apply.
	ClientsAllowCBOR Feature = "ClientsAllowCBOR"

	// ClientsAllowTLSCacheGC lets cached transports go when nobody uses them.
	ClientsAllowTLSCacheGC Feature = "ClientsAllowTLSCacheGC"

	// ClientsPreferCBOR makes CBOR the format of clients for which none is configured.
	// It needs ClientsAllowCBOR.
	ClientsPreferCBOR Feature = "ClientsPreferCBOR"

	// InOrderInformers makes informers deliver events in the order in which the server
	// sent them.
	InOrderInformers Feature = "InOrderInformers"

	// InOrderInformersBatchProcess lets informers take several events at a time. It
	// needs InOrderInformers.
	InOrderInformersBatchProcess Feature = "InOrderInformersBatchProcess"

	// InformerResourceVersion makes informers tell the resource version of the last
	// object that their handlers' store has.
	InformerResourceVersion Feature = "InformerResourceVersion"

	// UnlockWhileProcessingFIFO lets events be queued while others are worked on.
	UnlockWhileProcessingFIFO Feature = "UnlockWhileProcessingFIFO"

	// WatchListClient makes informers get their first state from a watch that streams
	// objects one by one, in place of a list.
	WatchListClient Feature = "WatchListClient"
)

// known holds how each feature developed, oldest state first.
var known = sync.OnceValue(func() map[Feature]VersionedSpecs {
	since := version.MajorMinor
	on, off := true, false
	state := func(minor uint, prerelease prerelease, enabled bool) FeatureSpec {
		return FeatureSpec{Version: since(1, minor), PreRelease: prerelease, Default: enabled}
	}
	locked := func(s FeatureSpec) FeatureSpec {
		s.LockToDefault = true
		return s
	}
	return map[Feature]VersionedSpecs{
		AtomicFIFO:                   {state(36, Beta, on)},
		ClientsAllowCARotation:       {state(36, Beta, on)},
		ClientsAllowCBOR:             {state(32, Alpha, off)},
		ClientsAllowTLSCacheGC:       {state(36, Beta, on)},
		ClientsPreferCBOR:            {state(32, Alpha, off)},
		InOrderInformers:             {state(33, Beta, on), locked(state(36, GA, on))},
		InOrderInformersBatchProcess: {state(35, Beta, on)},
		InformerResourceVersion:      {state(30, Alpha, off), state(35, GA, on)},
		UnlockWhileProcessingFIFO:    {state(36, Beta, on)},
		WatchListClient:              {state(30, Beta, off), state(35, Beta, on)},
	}
})

// latest returns the state of each feature in this release, without its version: a registry
// without versions compares specs for equality.
func latest() map[Feature]FeatureSpec {
	out := make(map[Feature]FeatureSpec, len(known()))
	for feature, specs := range known() {
		spec := specs[len(specs)-1]
		spec.Version = nil
		out[feature] = spec
	}
	return out
}

// history returns a copy of known that its receiver may change.
func history() map[Feature]VersionedSpecs {
	out := make(map[Feature]VersionedSpecs, len(known()))
	for feature, specs := range known() {
		out[feature] = slices.Clone(specs)
	}
	return out
}
