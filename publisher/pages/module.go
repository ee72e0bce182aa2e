package pages

import (
	"context"
	"fmt"
	"path"
	"slices"

	"golang.org/x/mod/modfile"

	"k8s.io/publisher/release"
)

// modulePage is the page of a destination.
type modulePage struct {
	frame
	M *mirrored
	// Commands pin it; there are none where nothing can be had.
	Commands []string
	Matrix   *release.Matrix
	// Requires are the requirements of the main branch, and those of the latest release.
	Requires []requirement
	// Recent are the newest commits.
	Recent []commitRow
	// Drawing is nil where there is nothing to draw.
	Drawing *drawing
	// Unproven counts the releases that were there before the mirror was taken over.
	Unproven int
}

// requirement is a module that go.mod requires.
type requirement struct {
	Path     string
	Indirect bool
	// Head is the version that the main branch requires, and Latest the one that the
	// latest release does; empty where it does not.
	Head, Latest string
	// Page is that of the module where it is published here, from the site's root; else
	// empty.
	Page string
}

// minorPage is the page of a minor version, or of the tags that are no versions.
type minorPage struct {
	frame
	M       *mirrored
	Minor   *minor
	Changes []changed
	// API is how the API changed since the minor version before; nil where there is none,
	// or, without HasGo, where nobody could compare.
	API   *APIChange
	HasGo bool
	// Older and Newer are the minor versions beside it; nil where there are none.
	Older, Newer *minor
}

func (s *site) writeModule(ctx context.Context, m *mirrored) error {
	if err := s.writeCommits(m); err != nil {
		return err
	}
	if err := s.writeMinors(ctx, m); err != nil {
		return err
	}
	if err := s.writeFeed(m); err != nil {
		return err
	}
	if err := s.writeModuleIndex(m); err != nil {
		return err
	}
	page := &modulePage{frame: s.frame(m.Name, path.Join(m.Folder, "index.html"), "modules"), M: m, Drawing: s.draw([]*mirrored{m}, 12)}
	page.Feed = path.Join(m.Folder, feedName)
	releases := make([]release.Release, len(m.Releases))
	for i, r := range m.Releases {
		releases[i] = r.Release
		if r.Foreign {
			page.Unproven++
		}
	}
	main := ""
	for _, b := range m.Branches {
		if b.Main && b.Maintenance == release.Followed {
			main = b.Name
		}
	}
	page.Matrix = release.NewMatrix(releases, main)
	for _, c := range slices.Backward(m.Ordered[max(0, len(m.Ordered)-10):]) {
		page.Recent = append(page.Recent, m.row(c))
	}
	var err error
	if page.Requires, err = s.requirements(m); err != nil {
		return err
	}
	page.Commands = s.commands(m, page.Requires, page.Place())
	return s.render("module", page.Name, page)
}

// writeMinors writes the pages of minor versions.
func (s *site) writeMinors(ctx context.Context, m *mirrored) error {
	apis := s.apiChanges(m)
	before := m.before()
	var stale []*minorPage // the newest first
	var compared []*APIChange
	for i, of := range m.Minors {
		page := &minorPage{
			frame: s.frame(m.Name+" "+of.Title(), path.Join(m.Folder, of.Page()), "modules"),
			M:     m, Minor: of, API: apis[of], HasGo: s.std != nil,
		}
		if i > 0 {
			page.Newer = m.Minors[i-1]
		}
		if i+1 < len(m.Minors) {
			page.Older = m.Minors[i+1]
		}
		page.Feed = path.Join(m.Folder, feedName)
		there := s.out.has(page.Name, page.digest(before))
		if page.API != nil && !(s.out.has(apiName(m, of.Name), page.API.digest()) && there) {
			compared = append(compared, page.API)
			there = false
		}
		if !there {
			stale = append(stale, page)
		}
	}
	slices.Reverse(compared)
	if err := s.compareAPIs(ctx, m, compared); err != nil {
		return err
	}
	l := make(lineage)
	for _, page := range stale {
		if err := ctx.Err(); err != nil {
			return err
		}
		page.Changes = m.changesOf(l, page.Minor, before)
		if err := s.render("minor", page.Name, page); err != nil {
			return err
		}
	}
	return nil
}

// digest is of what the page shows.
func (p *minorPage) digest(before map[*released]*released) digest {
	d := newDigest()
	for _, beside := range []*minor{p.Older, p.Newer} {
		if beside != nil {
			d.text(beside.Title(), beside.Page())
		}
		d.text("")
	}
	if p.API != nil {
		d.text(p.API.digest().String())
	}
	for _, r := range p.Minor.Releases {
		d.number(len(r.Names))
		d.text(r.Names...)
		d.id(r.Commit.ID)
		d.text(r.Version, r.Get, r.From, r.Date.String(), r.Retracted, r.Zip, fmt.Sprint(r.Index, r.Logged, r.Foreign))
		if b := before[r]; b != nil {
			d.text(b.Name())
			d.id(b.Commit.ID)
		}
		d.text("")
	}
	return d
}

// requirements are those of the main branch and of the latest release.
func (s *site) requirements(m *mirrored) ([]requirement, error) {
	known := make(map[string]*requirement)
	var all []*requirement
	add := func(mod *modfile.File, set func(*requirement, string)) {
		if mod == nil {
			return
		}
		for _, r := range mod.Require {
			is := known[r.Mod.Path]
			if is == nil {
				is = &requirement{Path: r.Mod.Path, Indirect: r.Indirect}
				known[is.Path] = is
				all = append(all, is)
				for _, other := range s.modules {
					if other.Module == is.Path {
						is.Page = path.Join(other.Folder, "index.html")
					}
				}
			}
			set(is, r.Mod.Version)
		}
	}
	add(m.Mod, func(r *requirement, version string) { r.Head = version })
	if m.Latest != nil {
		mod, err := m.modAt(m.Latest.Commit)
		if err != nil {
			return nil, err
		}
		add(mod, func(r *requirement, version string) { r.Latest = version })
	}
	slices.SortStableFunc(all, func(a, b *requirement) int {
		rank := func(r *requirement) int {
			switch {
			case r.Page != "":
				return 0
			case !r.Indirect:
				return 1
			}
			return 2
		}
		return rank(a) - rank(b)
	})
	requirements := make([]requirement, len(all))
	for i, r := range all {
		requirements[i] = *r
	}
	return requirements, nil
}
