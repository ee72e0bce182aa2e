package pages

import (
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// overviewPage is the way in.
type overviewPage struct {
	frame
	Modules []*mirrored
	Totals  totals
	// Environment pins from this site.
	Environment []variable
	Example     *released
	Drawing     *drawing
	// LastRun is when the last run ended; zero where nobody knows.
	LastRun time.Time
}

type totals struct{ Modules, Branches, Releases, Commits int }

// variable is one of the environment.
type variable struct {
	Name, Value string
	// Rest is what follows the value, in the language of shells.
	Rest string
	Why  string
}

// Assignment is the variable as a shell takes it.
func (v variable) Assignment() string {
	return "export " + v.Name + "='" + strings.ReplaceAll(v.Value, "'", `'\''`) + "'" + v.Rest
}

// place stands for the site's URL where nobody knows it. The script replaces it.
const place = "https://THIS-SITE"

// Place is where the site is, or what stands for that.
func (f frame) Place() string {
	if f.Base == "" {
		return place
	}
	return f.Base
}

func (s *site) writeOverview() error {
	page := &overviewPage{frame: s.frame("Published modules", "index.html", "modules"), Modules: s.modules}
	page.Feed = feedName
	page.Environment = s.environment(page.Place())
	for _, m := range s.modules {
		page.Totals.Modules++
		page.Totals.Branches += len(m.Branches)
		page.Totals.Releases += len(m.Releases)
		page.Totals.Commits += len(m.Commits)
		if page.Example == nil && m.Latest != nil {
			page.Example = m.Latest
		}
	}
	if s.Status != nil {
		page.LastRun = s.Status.Run.Finished.UTC()
	}
	page.Drawing = s.draw(s.modules, 16)
	if err := s.writeFeed(nil); err != nil {
		return err
	}
	if err := s.writeIndex(); err != nil {
		return err
	}
	return s.render("overview", page.Name, page)
}

// environment is what a consumer sets. All that is not from here comes from where the
// consumer has it from.
func (s *site) environment(place string) []variable {
	all := []variable{{
		"GOPROXY", place + "/mod", `,"$(go env GOPROXY)"`,
		"asks this site first, and the proxies of yours for what is not published here",
	}}
	var own []string
	for _, m := range s.modules {
		if m.Module != "" {
			own = append(own, m.Module)
		}
	}
	if s.SumDB == "" {
		return append(all, variable{"GONOSUMDB", strings.Join(own, ","), "", "does not ask the public checksum database for what is published here"})
	}
	all = append(all, variable{"GOSUMDB", s.SumDB + " " + place + "/sumdb", "", "verifies what comes from here by this site's checksum database"})
	if others := s.others(own); len(others) > 0 {
		all = append(all, variable{"GONOSUMDB", strings.Join(others, ","), "", "does not ask it for what is required from elsewhere; add what else your module requires"})
	}
	return all
}

// others are patterns for what the modules require from elsewhere.
func (s *site) others(own []string) []string {
	patterns := make(map[string]bool)
	for _, m := range s.modules {
		for _, r := range m.Requirements() {
			if !slices.Contains(own, r.Mod.Path) {
				patterns[shortestPrefix(r, own)] = true
			}
		}
	}
	all := slices.Sorted(maps.Keys(patterns))
	return slices.DeleteFunc(all, func(p string) bool {
		for q := range patterns {
			if strings.HasPrefix(p, q+"/") {
				return true
			}
		}
		return false
	})
}

// shortestPrefix is the shortest beginning of a required module's path that none of our
// own has.
func shortestPrefix(r *modfile.Require, own []string) string {
	elements := strings.Split(r.Mod.Path, "/")
	for n := range elements {
		prefix := strings.Join(elements[:n+1], "/")
		if !slices.ContainsFunc(own, func(p string) bool { return strings.HasPrefix(p+"/", prefix+"/") }) {
			return prefix
		}
	}
	return r.Mod.Path
}
