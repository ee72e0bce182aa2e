package site

import (
	"slices"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/goproxy"
)

// list has the go command find what is there.
func (w *writer) list(s *served) error {
	for _, v := range s.added {
		ref := ""
		if v.Tag != "" {
			ref = "refs/tags/" + v.Tag
		}
		if err := s.folders[v.Path].PutInfo(v.Version.Version, w.info(s, v.Version.Version, v.Commit, ref)); err != nil {
			return err
		}
	}
	if !w.changed(s.Name) {
		return nil // What is new is required by others.
	}
	names := w.queriesOf(s)
	for query, info := range names {
		f, err := s.folder(w, query.Path)
		if err != nil {
			return err
		}
		if err := f.PutInfo(query.Version, info); err != nil {
			return err
		}
	}
	for _, path := range s.Paths() {
		f, err := s.folder(w, path)
		if err != nil {
			return err
		}
		for _, name := range f.Infos() {
			// The branch or tag is gone. Versions stay.
			if module.CanonicalVersion(name) == "" && names[module.Version{Path: path, Version: name}] == nil {
				if err := f.RemoveInfo(name); err != nil {
					return err
				}
			}
		}
		if err := f.PutList(w.listed(s, path)); err != nil {
			return err
		}
	}
	return nil
}

// info is what a .info file says. Who asks for a pseudo-version asks for a commit.
func (w *writer) info(s *served, version string, c *catalog.Commit, ref string) *goproxy.Info {
	return &goproxy.Info{Version: version, Time: c.Date, Origin: &goproxy.Origin{VCS: "git", URL: w.repositoryURL(s.Name), Hash: c.ID.String(), Ref: ref}}
}

// queriesOf says what versions branches and tags stand for whose names are none. A tag
// goes before a branch of the same name, as it does for the go command.
func (w *writer) queriesOf(s *served) map[module.Version]*goproxy.Info {
	names := make(map[module.Version]*goproxy.Info)
	add := func(name, ref string, m module.Version, c *catalog.Commit) {
		query := module.Version{Path: m.Path, Version: name}
		if m.Version != "" && names[query] == nil && !s.unfetchable[m] && goproxy.Queryable(name) {
			names[query] = w.info(s, m.Version, c, ref)
		}
	}
	for _, t := range s.Tags {
		if m, ok := s.Query(t); ok {
			add(t.Name, "refs/tags/"+t.Name, m, t.Commit)
		}
	}
	for _, b := range s.Branches {
		add(b.Name, "refs/heads/"+b.Name, b.Version, b.Head)
	}
	return names
}

// listed returns the versions of a module that are told of, and what is answered where none
// of these will do: the newest release that is not retracted, or else such a pre-release, or
// else the branch that HEAD names.
func (w *writer) listed(s *served, path string) (list []string, latest *goproxy.Info) {
	list = slices.DeleteFunc(s.Listed(path), func(v string) bool { return s.unfetchable[module.Version{Path: path, Version: v}] })
	best := ""
	for _, v := range list {
		if s.Retracted(module.Version{Path: path, Version: v}) {
			continue
		}
		if best == "" || semver.Prerelease(v) == "" || semver.Prerelease(best) != "" {
			best = v // The list is sorted.
		}
	}
	for _, v := range s.Versions() {
		switch {
		case v.Path != path:
		case v.Version.Version == best:
			return list, w.info(s, best, v.Commit, "refs/tags/"+v.Tag)
		case best == "" && v.Version == s.Latest && !s.unfetchable[v.Version]:
			return list, w.info(s, v.Version.Version, v.Commit, "HEAD")
		}
	}
	return list, nil
}
