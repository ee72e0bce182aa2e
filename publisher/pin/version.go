package pin

import (
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"k8s.io/publisher/object"
)

// PseudoVersion returns the version by which the go command knows a mirror
// commit that no tag names: v0.0.0-yyyymmddhhmmss-abcdefabcdef, with the major
// version that the module path asks for
// (https://go.dev/ref/mod#pseudo-versions). unix is the committer's date.
func PseudoVersion(path string, commit object.ID, unix int64) string {
	_, major, _ := module.SplitPathVersion(path)
	return module.PseudoVersion(module.PathMajorPrefix(major), "", time.Unix(unix, 0).UTC(), commit.String()[:12])
}

// IsVersion reports whether the go command takes a tag for a version of the
// module with this path.
func IsVersion(path, tag string) bool {
	_, major, ok := module.SplitPathVersion(path)
	return ok && semver.Canonical(tag) == tag && !module.IsPseudoVersion(tag) && module.CheckPathMajor(tag, major) == nil
}

// IsPlaceholder reports whether a requirement's version is one that nobody
// publishes: monorepos write it where a replace, or a go.work, says what is meant.
func IsPlaceholder(version string) bool {
	return version == "v0.0.0" || module.IsZeroPseudoVersion(version)
}
