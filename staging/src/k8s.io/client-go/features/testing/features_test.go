package testing

import (
	"runtime"
	"strings"
	"testing"

	clientfeatures "k8s.io/client-go/features"
)

func enabled() bool { return clientfeatures.FeatureGates().Enabled(clientfeatures.WatchListClient) }

func TestFeatureIsSetBackAtTheEnd(t *testing.T) {
	before := enabled()
	t.Run("outer", func(t *testing.T) {
		SetFeatureDuringTest(t, clientfeatures.WatchListClient, !before)
		t.Run("inner", func(t *testing.T) {
			SetFeatureDuringTest(t, clientfeatures.WatchListClient, before)
			if enabled() != before {
				t.Error("the subtest's setting has no effect")
			}
		})
		if enabled() == before {
			t.Error("the outer setting did not come back")
		}
	})
	if enabled() != before {
		t.Error("the setting outlived the test")
	}
}

// failing takes the place of a test that is expected to fail.
type failing struct {
	testing.TB
	name, message string
	cleanups      []func()
}

func (f *failing) Name() string     { return f.name }
func (f *failing) Helper()          {}
func (f *failing) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *failing) Fatalf(format string, args ...any) {
	f.message = format
	runtime.Goexit()
}

func attempt(name string, feature clientfeatures.Feature, value bool) string {
	f := &failing{name: name}
	done := make(chan struct{})
	go func() { defer close(done); SetFeatureDuringTest(f, feature, value) }()
	<-done
	for _, c := range f.cleanups {
		c()
	}
	return f.message
}

func TestTestFailsWhereTheFeatureCannotBeSet(t *testing.T) {
	before := enabled()
	SetFeatureDuringTest(t, clientfeatures.WatchListClient, before)
	for name, tc := range map[string]struct {
		test    string
		feature clientfeatures.Feature
		value   bool
		want    string
	}{
		"locked":       {"A", clientfeatures.InOrderInformers, false, "cannot set"},
		"another test": {"A", clientfeatures.WatchListClient, !before, "at the same time"},
		"same value":   {"A", clientfeatures.WatchListClient, before, ""},
		"subtest":      {t.Name() + "/x", clientfeatures.WatchListClient, !before, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := attempt(tc.test, tc.feature, tc.value)
			if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("failed with %q, want %q", got, tc.want)
			}
		})
	}
	if enabled() != before {
		t.Error("a failed attempt changed the feature")
	}
}
