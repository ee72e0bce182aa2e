package pages

import (
	"path"
	"time"
)

// Index is index.json in the site's root: what tools begin with. Times are in UTC,
// commits in full, and names of files from the site's root. Fields may be added.
type Index struct {
	// Format is 1.
	Format int `json:"format"`
	// URL is where the site is, where that is known.
	URL string `json:"url,omitempty"`
	// Proxy, SumDB and Git are the folders of the module proxy, the checksum database and
	// the mirrors.
	Proxy string `json:"proxy"`
	SumDB string `json:"sumdb,omitempty"`
	Git   string `json:"git"`
	// SumDBKey is the verifier key of the checksum database, the first word of GOSUMDB.
	SumDBKey string `json:"sumdbKey,omitempty"`
	// Environment pins from this site, by the names of variables: GOPROXY, which goes before
	// the proxies that one has; GOSUMDB, with which "go mod download" verifies what is
	// published here; and GONOSUMDB, which then leaves that out where one's own checksum
	// database is asked. It is there where the URL is.
	Environment map[string]string `json:"environment,omitempty"`
	// Feed tells of new versions.
	Feed string `json:"feed"`
	// Commits is the index in which commits are found; see package find.
	Commits string        `json:"commits"`
	Modules []IndexModule `json:"modules"`
}

// IndexModule is a destination in short.
type IndexModule struct {
	// Name is the destination, and Module the module's path; empty where it is none.
	Name   string `json:"name"`
	Module string `json:"module,omitempty"`
	// Latest is the newest release, before all pre-releases; empty where there is none.
	Latest string `json:"latest,omitempty"`
	// Head is the main branch.
	Head     string `json:"head,omitempty"`
	Branches int    `json:"branches"`
	Releases int    `json:"releases"`
	// Page is for people; Index has a [ModuleIndex]; Feed tells of new versions.
	Page  string `json:"page"`
	Index string `json:"index"`
	Feed  string `json:"feed"`
	// Health is where it stands since the last run, where that is known.
	Health *IndexHealth `json:"health,omitempty"`
}

// IndexHealth is how a destination does.
type IndexHealth struct {
	// State is "up to date", "waiting" or "failing".
	State string `json:"state"`
	// LastSync is when it was last found up to date.
	LastSync *time.Time `json:"lastSync,omitempty"`
	// FailingSince is when the first run ended that has failed since.
	FailingSince *time.Time `json:"failingSince,omitempty"`
	// Waiting counts branches and tags that are yet to come.
	Waiting int `json:"waiting"`
}

// ModuleIndex is index.json in a module's folder.
type ModuleIndex struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
	Module string `json:"module,omitempty"`
	// Deprecated is what its go.mod says of that.
	Deprecated string        `json:"deprecated,omitempty"`
	Branches   []IndexBranch `json:"branches"`
	// Releases are the newest first, and those that are no versions at the end.
	Releases []IndexRelease `json:"releases"`
}

// IndexBranch is a branch of a mirror.
type IndexBranch struct {
	Name string `json:"name"`
	// Maintenance is "followed", "ended" or "not in the rules".
	Maintenance string `json:"maintenance"`
	// SourceBranch is what it is published from.
	SourceBranch string `json:"sourceBranch,omitempty"`
	// Commit is its head, and Source the source commit that stands for.
	Commit string `json:"commit"`
	Source string `json:"source,omitempty"`
	// Version is the pseudo-version of its head.
	Version string `json:"version,omitempty"`
}

// IndexRelease is what one tag of the source yields.
type IndexRelease struct {
	// Version is what the go command calls it; empty where that is nothing.
	Version string `json:"version,omitempty"`
	// Tags are all its names.
	Tags []string `json:"tags"`
	// SourceTag is the name of the source's tag, by the rules there are now.
	SourceTag string `json:"sourceTag,omitempty"`
	// Cluster is the version of Kubernetes that it belongs to, by its names.
	Cluster string    `json:"cluster,omitempty"`
	Commit  string    `json:"commit"`
	Source  string    `json:"source,omitempty"`
	Date    time.Time `json:"date"`
	// Zip is the hash of the module's zip, as go.sum has it, and Log its place in the
	// checksum database.
	Zip string `json:"zip,omitempty"`
	Log *int64 `json:"log,omitempty"`
	// Proven is false for what was there before the mirror was taken over.
	Proven bool `json:"proven"`
	// Retracted is why its author took it back.
	Retracted string `json:"retracted,omitempty"`
}

func (s *site) writeIndex() error {
	index := Index{Format: 1, URL: s.BaseURL, Proxy: "mod", Git: "git", SumDBKey: s.SumDB, Feed: feedName, Commits: "commits/index.json", Modules: []IndexModule{}}
	if s.SumDB != "" {
		index.SumDB = "sumdb"
	}
	if s.BaseURL != "" {
		index.Environment = make(map[string]string)
		for _, v := range s.environment(s.frame("", "index.html", "").Place()) {
			index.Environment[v.Name] = v.Value
		}
	}
	for _, m := range s.modules {
		is := IndexModule{
			Name: m.Name, Module: m.Module, Head: m.Head, Branches: len(m.Branches), Releases: len(m.Releases),
			Page: path.Join(m.Folder, "index.html"), Index: path.Join(m.Folder, "index.json"), Feed: path.Join(m.Folder, feedName),
		}
		if m.Latest != nil {
			is.Latest = m.Latest.Version
		}
		if h := m.Health; h != nil {
			is.Health = &IndexHealth{State: h.Word(), LastSync: known(h.LastSync), FailingSince: known(h.FailingSince), Waiting: h.Waiting}
		}
		index.Modules = append(index.Modules, is)
	}
	return s.writeJSON("index.json", index, " ")
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *site) writeModuleIndex(m *mirrored) error {
	index := ModuleIndex{Format: 1, Name: m.Name, Module: m.Module, Branches: []IndexBranch{}, Releases: []IndexRelease{}}
	if m.Mod != nil {
		index.Deprecated = m.Mod.Module.Deprecated
	}
	for _, b := range m.Branches {
		index.Branches = append(index.Branches, IndexBranch{
			Name: b.Name, Maintenance: string(b.Maintenance), SourceBranch: b.SourceBranch,
			Commit: b.Branch.Head.ID.String(), Source: b.From, Version: b.Version.Version,
		})
	}
	for _, of := range m.Minors {
		for _, r := range of.Releases {
			is := IndexRelease{
				Version: r.Version, Tags: r.Names, SourceTag: r.Release.Source, Cluster: r.Cluster, Commit: r.Commit.ID.String(),
				Source: r.From, Date: r.Date, Zip: r.Zip, Proven: !r.Foreign, Retracted: r.Retracted,
			}
			if r.Logged {
				is.Log = &r.Index
			}
			index.Releases = append(index.Releases, is)
		}
	}
	return s.writeJSON(path.Join(m.Folder, "index.json"), index, " ")
}
