// Package version says which release of the library a program was built with.
//
// A release build stamps the values with the linker:
//
//	go build -ldflags "-X k8s.io/client-go/pkg/version.gitVersion=v1.36.0 -X k8s.io/client-go/pkg/version.gitCommit=…"
//
// Without stamps the version is the one of this module as the go command recorded it
// in the binary, so that user agents of ordinary programs tell servers which library they carry.
package version

import (
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	apimachineryversion "k8s.io/apimachinery/pkg/version"
)

// The linker's -X flag sets these; the names are part of the contract with release builds.
var (
	gitMajor     string // major version, digits only
	gitMinor     string // minor version, digits, perhaps followed by "+"
	gitVersion   string // semantic version with a leading v
	gitCommit    string // full hash of the source commit
	gitTreeState string // "clean" or "dirty"
	buildDate    string // RFC 3339, UTC
)

const (
	modulePath     = "k8s.io/client-go"
	unknownVersion = "v0.0.0-master"
	unknownDate    = "1970-01-01T00:00:00Z"
)

// Get returns what is known about the build. GitVersion is never empty; the other
// fields about the source are, if nobody stamped them.
func Get() apimachineryversion.Info {
	return info()
}

var info = sync.OnceValue(func() apimachineryversion.Info {
	i := apimachineryversion.Info{
		Major:        gitMajor,
		Minor:        gitMinor,
		GitVersion:   gitVersion,
		GitCommit:    gitCommit,
		GitTreeState: gitTreeState,
		BuildDate:    buildDate,
		GoVersion:    runtime.Version(),
		Compiler:     runtime.Compiler,
		Platform:     runtime.GOOS + "/" + runtime.GOARCH,
	}
	if i.GitVersion == "" {
		var revision string
		i.GitVersion, revision = recorded(debug.ReadBuildInfo())
		if i.GitCommit == "" {
			i.GitCommit = revision
		}
	}
	if i.BuildDate == "" {
		i.BuildDate = unknownDate
	}
	return i
})

// recorded returns the version of this module in a binary's build information, and the
// revision that it names if it is a pseudo-version.
func recorded(build *debug.BuildInfo, ok bool) (version, revision string) {
	if !ok || build == nil {
		return unknownVersion, ""
	}
	module := &build.Main
	if module.Path != modulePath {
		module = nil
		for _, dep := range build.Deps {
			if dep.Path == modulePath {
				module = dep
				break
			}
		}
	}
	if module != nil && module.Replace != nil {
		module = module.Replace
	}
	// A module that was built from a directory has no version worth telling.
	if module == nil || !strings.HasPrefix(module.Version, "v") {
		return unknownVersion, ""
	}
	return module.Version, pseudoRevision(module.Version)
}

// pseudoRevision returns the revision at the end of a pseudo-version such as
// v0.0.0-20240102150405-0123456789ab, or nothing for other versions.
func pseudoRevision(version string) string {
	version, _, _ = strings.Cut(version, "+")
	rest, revision, found := cutLast(version, '-')
	if !found || len(revision) != 12 || strings.Trim(revision, "0123456789abcdef") != "" {
		return ""
	}
	const stamp = len("20060102150405")
	if len(rest) < stamp || strings.Trim(rest[len(rest)-stamp:], "0123456789") != "" {
		return ""
	}
	return revision
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
