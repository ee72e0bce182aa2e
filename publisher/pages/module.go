package pages

import (
	"context"
	"path"
	"slices"

	"golang.org/x/mod/modfile"

	"k8s.io/publisher/release"
)

// modulePage is the page of a destination.
type modulePage struct {
	frame
	M      *mirrored
	Matrix *release.Matrix
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
	ordered := m.ordered()
	if err := s.writeCommits(m, ordered); err != nil {
		return err
	}
	apis, err := s.compareAPIs(ctx, m)
	if err != nil {
		return err
	}
	l := make(lineage)
	for i, of := range m.Minors {
		if err := ctx.Err(); err != nil {
			return err
		}
		page := &minorPage{
			frame: s.frame(m.Name+" "+of.Title(), path.Join(m.Folder, of.Page()), "modules"),
			M:     m, Minor: of, Changes: m.changesOf(l, of), API: apis[of], HasGo: s.std != nil,
		}
		if i > 0 {
			page.Newer = m.Minors[i-1]
		}
		if i+1 < len(m.Minors) {
			page.Older = m.Minors[i+1]
		}
		page.Feed = path.Join(m.Folder, feedName)
		if err := s.render("minor", page.Name, page); err != nil {
			return err
		}
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
	for _, c := range slices.Backward(ordered[max(0, len(ordered)-10):]) {
		page.Recent = append(page.Recent, m.row(c))
	}
	if page.Requires, err = s.requirements(m); err != nil {
		return err
	}
	return s.render("module", page.Name, page)
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
