// Package release puts together what belongs together: the tags that one version of
// the source has in a mirror, the releases of one minor version, and which minor
// version of a client fits which of a cluster.
//
// All of it follows from the rules and the names of tags. A source tag v1.36.2 yields
// kubernetes-1.36.2 and v0.36.2, if the rules say nothing else: these two are one
// release. The go command knows it by the second name, and those who run clusters by
// the first.
package release

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	gosemver "golang.org/x/mod/semver"

	"k8s.io/publisher/rules"
	"k8s.io/publisher/sourcetag"
)

// Release is a version of the source in a mirror.
type Release struct {
	// Source is the name of the source's tag, such as v1.36.2; empty where no source tag
	// has these names by the rules that there are now.
	Source string
	// Version is the name that the go command takes for a version, such as v0.36.2; empty
	// where there is none.
	Version string
	// Cluster is the version of the cluster that comes from the same source tag, such as
	// 1.36.2; empty where no name tells.
	Cluster string
	// Names are all names, in their order.
	Names []string
}

// clusterPrefix is what a tag's name begins with that is about a release of Kubernetes.
const clusterPrefix = "kubernetes-"

func of(source string, names []string) Release {
	r := Release{Source: source, Names: slices.Sorted(slices.Values(names))}
	for _, name := range r.Names {
		if number, ok := strings.CutPrefix(name, clusterPrefix); ok && gosemver.IsValid("v"+number) {
			r.Cluster = number
		}
		if r.Version == "" && gosemver.Canonical(name) == name {
			r.Version = name
		}
	}
	return r
}

// Minor is the minor version of the module, such as v0.36; empty where it has no
// version.
func (r Release) Minor() string { return gosemver.MajorMinor(r.Version) }

// Name is what to call it: its version, or else its first name.
func (r Release) Name() string { return cmp.Or(r.Version, r.Names[0]) }

// Others are its names without [Release.Name].
func (r Release) Others() []string {
	return slices.DeleteFunc(slices.Clone(r.Names), func(n string) bool { return n == r.Name() })
}

// Grouper finds what belongs together in one mirror. It is not safe for concurrent use.
type Grouper struct {
	namer *sourcetag.Namer
}

// NewGrouper returns a Grouper for the mirror of a rule.
func NewGrouper(all *rules.Rules, rule *rules.Rule) *Grouper {
	return &Grouper{sourcetag.NewNamer(all.TagsOf(rule))}
}

// Of returns the release that a version of the source is. It is not ok where the rules
// give it no name.
func (g *Grouper) Of(source *semver.Version) (_ Release, ok bool, err error) {
	names, err := g.namer.Names(source)
	if err != nil || len(names) == 0 {
		return Release{}, false, err
	}
	return of("v"+source.Original(), names), true, nil
}

// version is what a tag's name has in it of the version that it was made from.
var version = regexp.MustCompile(`(\d{1,9})\.(\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$`)

// Source returns the version of the source whose tag has this name in the mirror, or
// nil. It is a guess that is then held against the rules: the number in the name, or the
// same with the major version 1, which is that of the source.
func (g *Grouper) Source(name string) *semver.Version {
	m := version.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	for _, major := range []string{"1", m[1]} {
		v, err := semver.StrictNewVersion(major + "." + m[2])
		if err != nil {
			continue
		}
		if names, err := g.namer.Names(v); err == nil && slices.Contains(names, name) {
			return v
		}
	}
	return nil
}

// Group puts the tags of one commit together. Names that no source tag has are a release
// each.
func (g *Grouper) Group(names []string) []Release {
	known := make(map[string][]string)
	var all []Release
	for _, name := range names {
		if v := g.Source(name); v != nil {
			known["v"+v.Original()] = append(known["v"+v.Original()], name)
		} else {
			all = append(all, of("", []string{name}))
		}
	}
	for source, names := range known {
		all = append(all, of(source, names))
	}
	slices.SortFunc(all, Compare)
	return all
}

// Compare orders releases by their versions, and those without by their names after them.
func Compare(a, b Release) int {
	if (a.Version == "") != (b.Version == "") {
		if a.Version == "" {
			return 1
		}
		return -1
	}
	return cmp.Or(gosemver.Compare(a.Version, b.Version), strings.Compare(a.Name(), b.Name()))
}

// CompareLatest orders releases as the go command does that is asked for the latest one:
// those that are no versions first, then pre-releases.
func CompareLatest(a, b Release) int {
	rank := func(r Release) int {
		switch {
		case r.Version == "":
			return 0
		case gosemver.Prerelease(r.Version) != "":
			return 1
		}
		return 2
	}
	return cmp.Or(rank(a)-rank(b), Compare(a, b))
}

// Published returns the releases that tags of the source yield, in their order.
func Published(all *rules.Rules, rule *rules.Rule, tags []*sourcetag.Tag) ([]Release, error) {
	g := NewGrouper(all, rule)
	var releases []Release
	var errs []error
	for _, t := range tags {
		if t.Refused != "" || all.SkipTags {
			continue
		}
		r, ok, err := g.Of(t.Version)
		if err != nil {
			errs = append(errs, err)
		} else if ok {
			releases = append(releases, r)
		}
	}
	slices.SortFunc(releases, Compare)
	return releases, errors.Join(errs...)
}

// minorOf is the minor version of a cluster, such as 1.36.
func minorOf(cluster string) string {
	return strings.TrimPrefix(gosemver.MajorMinor("v"+cluster), "v")
}

// compareMinors orders 1.9 before 1.10.
func compareMinors(a, b string) int {
	number := func(s string) int {
		_, minor, _ := strings.Cut(s, ".")
		n, _ := strconv.Atoi(minor)
		return n
	}
	major := func(s string) string { m, _, _ := strings.Cut(s, "."); return m }
	return cmp.Or(cmp.Compare(major(a), major(b)), cmp.Compare(number(a), number(b)))
}
