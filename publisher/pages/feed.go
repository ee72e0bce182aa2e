package pages

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"path"
	"slices"
	"strings"
	"time"

	"k8s.io/publisher/release"
)

const (
	// feedName is the file of a feed, in the root or in a module's folder.
	feedName = "feed.atom"
	// mostEntries is how many versions a feed tells of.
	mostEntries = 50
)

// The format is that of RFC 4287. What has no address of its own is named by its package
// URL, such as pkg:golang/k8s.io/client-go@v0.36.2.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	ID      string      `xml:"id"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Title   string   `xml:"title"`
	ID      string   `xml:"id"`
	Updated string   `xml:"updated"`
	Link    atomLink `xml:"link"`
	Summary string   `xml:"summary"`
}

// writeFeed writes the feed of a module, or of all where that is nil.
func (s *site) writeFeed(of *mirrored) error {
	type item struct {
		*mirrored
		*released
	}
	var items []item
	name, title, id := feedName, "Published modules: new versions", "pkg:golang/"
	modules := s.modules
	if of != nil {
		name, modules = path.Join(of.Folder, feedName), []*mirrored{of}
		title, id = of.Name+": new versions", purl(of.Module, "")
	} else if s.BaseURL != "" {
		id = strings.TrimSuffix(s.BaseURL, "/") + "/"
	}
	for _, m := range modules {
		for _, r := range m.Releases {
			if r.Get != "" {
				items = append(items, item{m, r})
			}
		}
	}
	slices.SortStableFunc(items, func(a, b item) int {
		return cmp.Or(b.Date.Compare(a.Date), strings.Compare(a.mirrored.Name, b.mirrored.Name), release.Compare(b.Release, a.Release))
	})
	root := strings.Repeat("../", strings.Count(name, "/"))
	if s.BaseURL != "" {
		root = strings.TrimSuffix(s.BaseURL, "/") + "/"
	}
	feed := atomFeed{
		Title: title, ID: id, Updated: stamp(time.Unix(0, 0)), Author: s.Rules.Committer.Name,
		Links: []atomLink{
			{"self", "application/atom+xml", root + name},
			{"alternate", "text/html", root + path.Join(path.Dir(name), "index.html")},
		},
	}
	if len(items) > 0 {
		feed.Updated = stamp(items[0].Date)
	}
	for _, i := range items[:min(len(items), mostEntries)] {
		module, version, _ := strings.Cut(i.Get, "@")
		summary := "go get " + i.Get
		if others := i.Others(); len(others) > 0 {
			summary += ", also " + strings.Join(others, ", ")
		}
		if i.Foreign {
			summary += "; it was there before this mirror was taken over, and is not proven"
		}
		feed.Entries = append(feed.Entries, atomEntry{
			Title: module + " " + version, ID: purl(module, version), Updated: stamp(i.Date), Summary: summary,
			Link: atomLink{"alternate", "text/html", root + path.Join(i.Folder, i.Page()) + "#" + version},
		})
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	encoder := xml.NewEncoder(&out)
	encoder.Indent("", " ")
	if err := encoder.Encode(feed); err != nil {
		return err
	}
	out.WriteByte('\n')
	return s.out.write(name, out.Bytes())
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// purl is a package URL.
func purl(module, version string) string {
	url := "pkg:golang/" + module
	if version != "" {
		url += "@" + strings.ReplaceAll(version, "+", "%2B")
	}
	return url
}
