package features

import "k8s.io/apimachinery/pkg/util/version"

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

// A stage is the state of a feature from a release on.
type stage struct {
	feature    Feature
	minor      uint // of the release 1.minor
	prerelease prerelease
	enabled    bool
	locked     bool
}

// stages tells how the features developed, each one's oldest stage first. It is a
// table, not a map, so that it takes no code in programs that link it.
var stages = [...]stage{
	{feature: AtomicFIFO, minor: 36, prerelease: Beta, enabled: true},
	{feature: ClientsAllowCARotation, minor: 36, prerelease: Beta, enabled: true},
	{feature: ClientsAllowCBOR, minor: 32, prerelease: Alpha},
	{feature: ClientsAllowTLSCacheGC, minor: 36, prerelease: Beta, enabled: true},
	{feature: ClientsPreferCBOR, minor: 32, prerelease: Alpha},
	{feature: InOrderInformers, minor: 33, prerelease: Beta, enabled: true},
	{feature: InOrderInformers, minor: 36, prerelease: GA, enabled: true, locked: true},
	{feature: InOrderInformersBatchProcess, minor: 35, prerelease: Beta, enabled: true},
	{feature: InformerResourceVersion, minor: 30, prerelease: Alpha},
	{feature: InformerResourceVersion, minor: 35, prerelease: GA, enabled: true},
	{feature: UnlockWhileProcessingFIFO, minor: 36, prerelease: Beta, enabled: true},
	{feature: WatchListClient, minor: 30, prerelease: Beta},
	{feature: WatchListClient, minor: 35, prerelease: Beta, enabled: true},
}

func (s *stage) spec() FeatureSpec {
	return FeatureSpec{Default: s.enabled, LockToDefault: s.locked, PreRelease: s.prerelease}
}

// latest returns the state of each feature in this release, without its version: a registry
// without versions compares specs for equality.
func latest() map[Feature]FeatureSpec {
	out := make(map[Feature]FeatureSpec)
	for i := range stages {
		out[stages[i].feature] = stages[i].spec()
	}
	return out
}

// history returns all states of each feature, with their versions, oldest first.
func history() map[Feature]VersionedSpecs {
	out := make(map[Feature]VersionedSpecs)
	for i := range stages {
		s := &stages[i]
		spec := s.spec()
		spec.Version = version.MajorMinor(1, s.minor)
		out[s.feature] = append(out[s.feature], spec)
	}
	return out
}
