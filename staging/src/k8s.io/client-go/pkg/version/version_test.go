package version

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersionIsReadFromTheBinary(t *testing.T) {
	dep := func(m debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{
			Main: debug.Module{Path: "example.com/app", Version: "v9.9.9"},
			Deps: []*debug.Module{{Path: "k8s.io/api", Version: "v0.1.0"}, &m},
		}
	}
	const pseudo = "v0.0.0-20240102150405-0123456789ab"
	for name, tc := range map[string]struct {
		build             *debug.BuildInfo
		missing           bool
		version, revision string
	}{
		"release":           {build: dep(debug.Module{Path: modulePath, Version: "v0.36.2"}), version: "v0.36.2"},
		"pre-release":       {build: dep(debug.Module{Path: modulePath, Version: "v0.37.0-alpha.1"}), version: "v0.37.0-alpha.1"},
		"pseudo-version":    {build: dep(debug.Module{Path: modulePath, Version: pseudo}), version: pseudo, revision: "0123456789ab"},
		"replaced":          {build: dep(debug.Module{Path: modulePath, Version: "v0.1.0", Replace: &debug.Module{Path: "x", Version: "v0.2.0"}}), version: "v0.2.0"},
		"from a directory":  {build: dep(debug.Module{Path: modulePath, Version: "(devel)"}), version: unknownVersion},
		"main module":       {build: &debug.BuildInfo{Main: debug.Module{Path: modulePath, Version: "v0.36.1"}}, version: "v0.36.1"},
		"not a dependency":  {build: dep(debug.Module{Path: "k8s.io/other", Version: "v1.0.0"}), version: unknownVersion},
		"no information":    {missing: true, version: unknownVersion},
		"hash without time": {build: dep(debug.Module{Path: modulePath, Version: "v0.1.0-0123456789ab"}), version: "v0.1.0-0123456789ab"},
	} {
		t.Run(name, func(t *testing.T) {
			version, revision := recorded(tc.build, !tc.missing)
			if version != tc.version || revision != tc.revision {
				t.Errorf("got %q, %q; want %q, %q", version, revision, tc.version, tc.revision)
			}
		})
	}
}

func TestPlatformIsTheRunningOne(t *testing.T) {
	got := Get()
	if want := runtime.GOOS + "/" + runtime.GOARCH; got.Platform != want {
		t.Errorf("platform %q, want %q", got.Platform, want)
	}
	if got.GoVersion != runtime.Version() || got.Compiler != runtime.Compiler {
		t.Errorf("built with %q, %q", got.GoVersion, got.Compiler)
	}
	if got.GitVersion == "" || got.BuildDate == "" {
		t.Errorf("version %q, date %q: neither may be empty", got.GitVersion, got.BuildDate)
	}
}
