package features

import (
	"fmt"
	"sort"
	"strings"
	"testing"
)

func TestEnvironmentDecidesWhereItCan(t *testing.T) {
	specs := map[Feature]FeatureSpec{
		"On":     {Default: true},
		"Off":    {Default: false},
		"Locked": {Default: true, LockToDefault: true},
	}
	for _, tc := range []struct {
		variable, value string
		feature         Feature
		want            bool
	}{
		{"KUBE_FEATURE_Other", "true", "On", true},
		{"KUBE_FEATURE_Other", "true", "Off", false},
		{"KUBE_FEATURE_On", "false", "On", false},
		{"KUBE_FEATURE_On", "0", "On", false},
		{"KUBE_FEATURE_Off", "T", "Off", true},
		{"KUBE_FEATURE_Off", "yes", "Off", false}, // not a value
		{"KUBE_FEATURE_On", "", "On", true},
		{"KUBE_FEATURE_Locked", "false", "Locked", true},
		{"KUBE_FEATURE_off", "true", "Off", false}, // another name
	} {
		t.Run(fmt.Sprintf("%s=%s/%s", tc.variable, tc.value, tc.feature), func(t *testing.T) {
			t.Setenv(tc.variable, tc.value)
			if got := newEnvironmentGates(specs).Enabled(tc.feature); got != tc.want {
				t.Errorf("enabled: %v, want %v", got, tc.want)
			}
		})
	}
}

func TestEnvironmentIsReadOnce(t *testing.T) {
	gates := newEnvironmentGates(map[Feature]FeatureSpec{"A": {}, "B": {}})
	gates.Enabled("A")
	t.Setenv("KUBE_FEATURE_B", "true")
	if gates.Enabled("B") {
		t.Error("a later change of the environment had an effect")
	}
}

func TestSetWinsOverTheEnvironment(t *testing.T) {
	t.Setenv("KUBE_FEATURE_A", "true")
	gates := newEnvironmentGates(map[Feature]FeatureSpec{"A": {}})
	if err := gates.Set("A", false); err != nil {
		t.Fatal(err)
	}
	if gates.Enabled("A") {
		t.Error("the feature is enabled")
	}
}

func TestSetRefusesUnknownAndLockedFeatures(t *testing.T) {
	gates := newEnvironmentGates(map[Feature]FeatureSpec{"Locked": {Default: true, LockToDefault: true}})
	for feature, want := range map[Feature]string{"Nope": "unknown", "Locked": "locked"} {
		if err := gates.Set(feature, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", feature, err)
		}
	}
	if err := gates.Set("Locked", true); err != nil {
		t.Errorf("setting a locked feature to what it is: %v", err)
	}
}

func TestUnknownFeaturePanics(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), `"Nope"`) {
			t.Errorf("recovered %v", r)
		}
	}()
	FeatureGates().Enabled("Nope")
}

type registry map[Feature]string

func (r registry) Add(in map[Feature]FeatureSpec) error {
	for feature, spec := range in {
		if spec.Version != nil {
			return fmt.Errorf("%s has a version", feature)
		}
		r[feature] = describe(spec)
	}
	return nil
}

func (r registry) AddVersioned(in map[Feature]VersionedSpecs) error {
	for feature, specs := range in {
		var states []string
		for i, spec := range specs {
			if i > 0 && !specs[i-1].Version.LessThan(spec.Version) {
				return fmt.Errorf("%s: versions are not in order", feature)
			}
			states = append(states, spec.Version.String()+" "+describe(spec))
		}
		r[feature] = strings.Join(states, ", ")
	}
	return nil
}

func describe(spec FeatureSpec) string {
	words := []string{string(spec.PreRelease)}
	if spec.PreRelease == GA {
		words[0] = "GA"
	}
	words = append(words, fmt.Sprint(spec.Default))
	if spec.LockToDefault {
		words = append(words, "locked")
	}
	return strings.Join(words, " ")
}

func (r registry) String() string {
	var lines []string
	for feature, text := range r {
		lines = append(lines, string(feature)+": "+text)
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

func TestRegistriesGetAllFeatures(t *testing.T) {
	plain, versioned := registry{}, registry{}
	if err := AddFeaturesToExistingFeatureGates(plain); err != nil {
		t.Fatal(err)
	}
	if err := AddVersionedFeaturesToExistingFeatureGates(versioned); err != nil {
		t.Fatal(err)
	}
	wantPlain := `AtomicFIFO: BETA true
ClientsAllowCARotation: BETA true
ClientsAllowCBOR: ALPHA false
ClientsAllowTLSCacheGC: BETA true
ClientsPreferCBOR: ALPHA false
InOrderInformers: GA true locked
InOrderInformersBatchProcess: BETA true
InformerResourceVersion: GA true
UnlockWhileProcessingFIFO: BETA true
WatchListClient: BETA true`
	wantVersioned := `AtomicFIFO: 1.36 BETA true
ClientsAllowCARotation: 1.36 BETA true
ClientsAllowCBOR: 1.32 ALPHA false
ClientsAllowTLSCacheGC: 1.36 BETA true
ClientsPreferCBOR: 1.32 ALPHA false
InOrderInformers: 1.33 BETA true, 1.36 GA true locked
InOrderInformersBatchProcess: 1.35 BETA true
InformerResourceVersion: 1.30 ALPHA false, 1.35 GA true
UnlockWhileProcessingFIFO: 1.36 BETA true
WatchListClient: 1.30 BETA false, 1.35 BETA true`
	if plain.String() != wantPlain {
		t.Errorf("got\n%s\nwant\n%s", plain, wantPlain)
	}
	if versioned.String() != wantVersioned {
		t.Errorf("got\n%s\nwant\n%s", versioned, wantVersioned)
	}
}

type fixed bool

func (f fixed) Enabled(Feature) bool { return bool(f) }

func TestReplacedGatesAreTheOnesInUse(t *testing.T) {
	t.Cleanup(func() { replaced.Store(nil) })
	ReplaceFeatureGates(fixed(true))
	if !FeatureGates().Enabled(ClientsPreferCBOR) {
		t.Error("the replacement is not in use")
	}
	ReplaceFeatureGates(fixed(false))
	if FeatureGates().Enabled(WatchListClient) {
		t.Error("the second replacement is not in use")
	}
}

func BenchmarkEnabled(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		FeatureGates().Enabled(WatchListClient)
	}
}
