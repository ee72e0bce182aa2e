package pages

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/object"
	"k8s.io/publisher/release"
)

// mirrored is what there is to say of one destination.
type mirrored struct {
	*catalog.Destination
	// Folder has its pages.
	Folder string
	// Releases are in the order of [release.Compare], the oldest first.
	Releases []*released
	// Latest is the newest release, before all pre-releases; nil where there is none.
	Latest *released
	// Minors are the newest first.
	Minors   []*minor
	Branches []*branch
	// Mod is the go.mod of the branch that HEAD names; nil where that is no module.
	Mod *modfile.File
	// Health is nil where nobody knows.
	Health *health
	// Ordered are all commits, the oldest first.
	Ordered []*catalog.Commit
	// At are the releases on a commit.
	At map[*catalog.Commit][]*released
}

// released is a release.
type released struct {
	release.Release
	Commit *catalog.Commit
	// From is the source commit; empty where nobody knows.
	From string
	Date time.Time
	// Get is what to hand to go get; empty for what is no version.
	Get string
	// Foreign tells that it was there when the mirror was taken over.
	Foreign bool
	// Retracted is why the module's author takes it back; empty where he does not.
	Retracted string
	// Zip is the hash of the module's zip; empty where it is not served. Logged tells that
	// the checksum database has it, at Index.
	Zip    string
	Index  int64
	Logged bool
}

// Page is the file that tells of it, in the module's folder.
func (r *released) Page() string {
	if m := r.Minor(); m != "" {
		return m + ".html"
	}
	return "other.html"
}

// module is the path of the module that it is a version of.
func (r *released) module() string {
	path, _, _ := strings.Cut(r.Get, "@")
	return path
}

// minor is a minor version, or all tags that are no versions.
type minor struct {
	// Name is such as v0.36; empty for tags that are no versions.
	Name string
	// Releases are the newest first.
	Releases []*released
}

// Page is the file that tells of it, in the module's folder.
func (m *minor) Page() string { return m.Releases[0].Page() }

// Title is what to call it.
func (m *minor) Title() string { return cmp.Or(m.Name, "other tags") }

// Newest is the newest release, before all pre-releases.
func (m *minor) Newest() *released { return latest(m.Releases) }

// latest is what the go command takes for the latest: the newest release, or else the
// newest pre-release. What is retracted comes last.
func latest(releases []*released) *released {
	var best *released
	for _, r := range releases {
		if best == nil || cmp.Or(retraction(best)-retraction(r), release.CompareLatest(r.Release, best.Release)) > 0 {
			best = r
		}
	}
	return best
}

func retraction(r *released) int {
	if r.Retracted != "" {
		return 1
	}
	return 0
}

// branch is a branch of a mirror.
type branch struct {
	*catalog.Branch
	Maintenance release.Maintenance
	// Main tells that HEAD names it.
	Main bool
	// From is the source commit that it stands at; empty where nobody knows.
	From string
	// Get is what to hand to go get; empty for what is no module.
	Get string
	// Newest is the newest release made on it; nil where there is none.
	Newest *released
}

// health is how a destination does.
type health struct {
	// LastSync is when it was last found up to date; zero for never.
	LastSync time.Time
	// FailingSince is zero where the last run did not fail.
	FailingSince time.Time
	// Waiting counts branches and tags that are yet to come.
	Waiting int
}

// Word is the health in short.
func (h *health) Word() string {
	switch {
	case !h.FailingSince.IsZero():
		return "failing"
	case h.Waiting > 0:
		return "waiting"
	}
	return "up to date"
}

// Class is for the style sheet.
func (h *health) Class() string {
	return map[string]string{"failing": "bad", "waiting": "wait", "up to date": "good"}[h.Word()]
}

// read collects what there is to say of a destination.
func (s *site) read(d *catalog.Destination) (*mirrored, error) {
	m := &mirrored{Destination: d, Folder: path.Join("modules", d.Name), At: make(map[*catalog.Commit][]*released)}
	if err := m.readMod(); err != nil {
		return nil, err
	}
	m.Ordered = m.ordered()
	s.readReleases(m)
	s.readBranches(m)
	if s.Status == nil {
		return m, nil
	}
	for _, is := range s.Status.Destinations {
		if is.Name != d.Name {
			continue
		}
		m.Health = &health{Waiting: is.Waiting}
		if is.LastSuccess != nil {
			m.Health.LastSync = is.LastSuccess.UTC()
		}
		if is.FailingSince != nil {
			m.Health.FailingSince = is.FailingSince.UTC()
		}
	}
	return m, nil
}

// readMod reads the go.mod of the main branch. What is no go.mod, by what its author
// wrote, is none.
func (m *mirrored) readMod() error {
	for _, b := range m.Destination.Branches {
		if b.Name == m.Head {
			mod, err := m.modAt(b.Head)
			m.Mod = mod
			return err
		}
	}
	return nil
}

// modAt reads the go.mod of a commit; nil where it has none that can be read.
func (m *mirrored) modAt(c *catalog.Commit) (*modfile.File, error) {
	objects := m.Store.SmallReader()
	tree, err := objects.Tree(c.Tree)
	if err != nil {
		return nil, fmt.Errorf("go.mod of %s: %w", c.ID, err)
	}
	id, err := object.FindFile(tree, "go.mod")
	if err != nil || id.IsZero() {
		return nil, err
	}
	data, err := objects.Blob(id)
	if err != nil {
		return nil, fmt.Errorf("go.mod of %s: %w", c.ID, err)
	}
	mod, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil || mod.Module == nil {
		return nil, nil
	}
	return mod, nil
}

// retracted returns why a version was taken back; empty where it was not.
func (m *mirrored) retracted(version string) string {
	if m.Mod == nil || version == "" {
		return ""
	}
	for _, r := range m.Mod.Retract {
		if semver.Compare(r.Low, version) <= 0 && semver.Compare(version, r.High) <= 0 {
			return cmp.Or(r.Rationale, "its author took it back")
		}
	}
	return ""
}

// Requirements are what the go.mod of the main branch requires.
func (m *mirrored) Requirements() []*modfile.Require {
	if m.Mod == nil {
		return nil
	}
	return m.Mod.Require
}

func (s *site) readReleases(m *mirrored) {
	names := make(map[*catalog.Commit][]string)
	tags := make(map[string]*catalog.Tag)
	for _, t := range m.Tags {
		names[t.Commit] = append(names[t.Commit], t.Name)
		tags[t.Name] = t
	}
	grouper := release.NewGrouper(s.Rules, m.Rule)
	for c, names := range names {
		for _, group := range grouper.Group(names) {
			r := &released{Release: group, Commit: c}
			for _, name := range group.Names {
				t := tags[name]
				r.Foreign = r.Foreign || t.Foreign
				if t.Date.After(r.Date) {
					r.Date = t.Date.UTC()
				}
				if !t.Source.IsZero() {
					r.From = t.Source.String()
				}
			}
			if t := tags[group.Version]; group.Version != "" && t.Version.Version == "" {
				r.Version = "" // A name like a version, on what is no module of that version.
			} else if group.Version != "" {
				r.Get = t.Version.Path + "@" + t.Version.Version
				r.Retracted = m.retracted(r.Version)
				if s.Hash != nil {
					r.Zip, r.Index, r.Logged = s.Hash(t.Version)
				}
			}
			m.Releases = append(m.Releases, r)
			m.At[c] = append(m.At[c], r)
		}
	}
	order := func(a, b *released) int { return release.Compare(a.Release, b.Release) }
	slices.SortFunc(m.Releases, order)
	for _, at := range m.At {
		slices.SortFunc(at, order)
	}
	var versions []*released
	for _, r := range m.Releases {
		if r.Version != "" {
			versions = append(versions, r)
		}
	}
	m.Latest = latest(versions)
	known := make(map[string]*minor)
	for _, r := range slices.Backward(m.Releases) {
		of := known[r.Minor()]
		if of == nil {
			of = &minor{Name: r.Minor()}
			known[of.Name] = of
			m.Minors = append(m.Minors, of)
		}
		of.Releases = append(of.Releases, r)
	}
	slices.SortStableFunc(m.Minors, func(a, b *minor) int {
		if (a.Name == "") != (b.Name == "") { // versions before all else
			return strings.Compare(b.Name, a.Name)
		}
		return semver.Compare(b.Name, a.Name)
	})
}

func (s *site) readBranches(m *mirrored) {
	newest := m.newestOnBranches()
	for _, is := range m.Destination.Branches {
		b := &branch{
			Branch: is, Maintenance: release.MaintenanceOf(s.Rules, m.Rule, is.Name),
			Main: is.Name == m.Head, Newest: newest[is.Name],
		}
		if !is.Source.IsZero() {
			b.From = is.Source.String()
		}
		if is.Version.Path != "" {
			b.Get = is.Version.Path + "@" + is.Name
		}
		m.Branches = append(m.Branches, b)
	}
	// The main branch, then the others, the newest first.
	slices.SortStableFunc(m.Branches, func(a, b *branch) int {
		if a.Main != b.Main {
			if a.Main {
				return -1
			}
			return 1
		}
		return naturally(b.Name, a.Name)
	})
}

// newestOnBranches finds for each branch the newest release that was made on it: on its
// mainline, or on a commit of its own on top of that. What two branches share belongs to
// the main one.
func (m *mirrored) newestOnBranches() map[string]*released {
	owner := make(map[*catalog.Commit]string)
	branches := slices.Clone(m.Destination.Branches)
	slices.SortStableFunc(branches, func(a, b *catalog.Branch) int {
		if (a.Name == m.Head) != (b.Name == m.Head) {
			if a.Name == m.Head {
				return -1
			}
			return 1
		}
		return 0
	})
	for _, b := range branches {
		for c := b.Head; owner[c] == ""; c = c.Parents[0] {
			owner[c] = b.Name
			if len(c.Parents) == 0 {
				break
			}
		}
	}
	on := make(map[string][]*released)
	for _, r := range m.Releases {
		name := owner[r.Commit]
		if name == "" && len(r.Commit.Parents) > 0 {
			name = owner[r.Commit.Parents[0]]
		}
		if name != "" && r.Version != "" {
			on[name] = append(on[name], r)
		}
	}
	newest := make(map[string]*released)
	for name, releases := range on {
		newest[name] = latest(releases)
	}
	return newest
}

// naturally orders names with numbers in them as people do: 1.9 before 1.10.
func naturally(a, b string) int {
	digits := func(s string) int {
		n := 0
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		return n
	}
	for a != "" && b != "" {
		if n, k := digits(a), digits(b); n > 0 && k > 0 {
			x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:k], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[n:], b[k:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}
