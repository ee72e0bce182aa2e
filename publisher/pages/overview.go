package pages

import (
	"slices"
	"strings"
	"time"
)

// overviewPage is the way in.
type overviewPage struct {
	frame
	Modules []*mirrored
	Totals  totals
	// Commands pin from this site, in the language of shells, and Environment are the
	// variables in them.
	Commands    []string
	Environment []variable
	Drawing     *drawing
	// LastRun is when the last run ended; zero where nobody knows.
	LastRun time.Time
}

type totals struct{ Modules, Branches, Releases, Commits int }

// variable is one of the environment.
type variable struct{ Name, Value, Why string }

// quoted is a text as a shell takes it for itself.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

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
	var err error
	if page.Commands, err = s.commands(page.Place()); err != nil {
		return err
	}
	for _, m := range s.modules {
		page.Totals.Modules++
		page.Totals.Branches += len(m.Branches)
		page.Totals.Releases += len(m.Releases)
		page.Totals.Commits += len(m.Commits)
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

// environment is what has the go command take what is published here from here. It knows
// one checksum database at a time. So what is published here is verified by a command of its
// own, and left out where all else is verified by the database that the consumer has.
func (s *site) environment(place string) []variable {
	all := []variable{{"GOPROXY", place + "/mod", "asks this site first, and then the proxies that you have, for what is not published here"}}
	why := "leaves that out where your own checksum database is asked, which has all else"
	if s.SumDB == "" {
		why = "does not ask a checksum database for what is published here"
	} else {
		all = append(all, variable{"GOSUMDB", s.SumDB + " " + place + "/sumdb", "verifies what is published here by this site's checksum database, once for each version"})
	}
	return append(all, variable{"GONOSUMDB", strings.Join(s.own(), ","), why})
}

// own are the paths of all modules.
func (s *site) own() []string {
	var all []string
	for _, m := range s.modules {
		all = append(all, m.Paths()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// commands are what a consumer types who wants the first of the modules that has a
// release. There are none where no module can be had.
func (s *site) commands(place string) ([]string, error) {
	pins, err := s.example()
	if err != nil || len(pins) == 0 {
		return nil, err
	}
	var all, paths []string
	for _, pin := range pins {
		path, _, _ := strings.Cut(pin, "@")
		paths = append(paths, path)
	}
	for _, v := range s.environment(place) {
		switch v.Name {
		case "GOPROXY":
			all = append(all, "export GOPROXY="+quoted(v.Value)+`,"$(go env GOPROXY)"`)
		case "GOSUMDB":
			all = append(all, "GOSUMDB="+quoted(v.Value)+" go mod download "+strings.Join(pins, " "))
		case "GONOSUMDB":
			all = append(all, "GONOSUMDB="+quoted(strings.Join(paths, ","))+" go get "+pins[0])
		}
	}
	return all, nil
}

// example is a version of a module, and what that requires of the others.
func (s *site) example() (pins []string, err error) {
	for _, m := range s.modules {
		if m.Latest == nil {
			continue
		}
		pins = append(pins, m.Latest.Get)
		requires, err := s.requirements(m)
		if err != nil {
			return nil, err
		}
		for _, r := range requires {
			if r.Page != "" && r.Latest != "" {
				pins = append(pins, r.Path+"@"+r.Latest)
			}
		}
		return pins, nil
	}
	for _, m := range s.modules {
		for _, b := range m.Branches {
			if b.Main && b.Get != "" {
				return []string{b.Get}, nil
			}
		}
	}
	return nil, nil
}
