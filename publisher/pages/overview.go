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
	if example := s.example(); example != nil {
		requires, err := s.requirements(example)
		if err != nil {
			return err
		}
		page.Commands = s.commands(example, requires, page.Place())
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

// example is the first module that has a release, or else the first.
func (s *site) example() *mirrored {
	for _, m := range s.modules {
		if m.Latest != nil {
			return m
		}
	}
	if len(s.modules) == 0 {
		return nil
	}
	return s.modules[0]
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

// commands are the lines that a consumer types who wants the newest release of a module,
// or where there is none its main branch. There are none where nothing can be had.
func (s *site) commands(m *mirrored, requires []requirement, place string) []string {
	pins := m.pins(requires)
	if len(pins) == 0 {
		return nil
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
			all = append(all, "GOSUMDB="+quoted(v.Value)+" \\", "  go mod download "+strings.Join(pins, " "))
		case "GONOSUMDB":
			all = append(all, "GONOSUMDB="+quoted(strings.Join(paths, ","))+" \\", "  go get "+pins[0])
		}
	}
	return all
}

// pins are a version of a module, and those of the other modules that it requires.
func (m *mirrored) pins(requires []requirement) (pins []string) {
	version := func(r requirement) string { return r.Latest }
	if m.Latest != nil {
		pins = append(pins, m.Latest.Get)
	} else {
		version = func(r requirement) string { return r.Head }
		for _, b := range m.Branches {
			if b.Main && b.Get != "" {
				pins = append(pins, b.Get)
			}
		}
	}
	if len(pins) == 0 {
		return nil
	}
	for _, r := range requires {
		if v := version(r); r.Page != "" && v != "" {
			pins = append(pins, r.Path+"@"+v)
		}
	}
	return pins
}
