package pages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/pages"
	"k8s.io/publisher/pages/pagestest"
	"k8s.io/publisher/rules"
)

// written writes pages and returns the folder.
func written(t *testing.T, in pages.Input) string {
	t.Helper()
	dir := pagestest.Site(t)
	if err := pages.Write(t.Context(), dir, in); err != nil {
		t.Fatal(err)
	}
	return dir
}

// files returns all files of a site.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		all[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// nodes returns the elements of a page.
func nodes(t *testing.T, page []byte) []*html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// TestAllLinksLeadSomewhere follows each link of each page, and each fragment.
func TestAllLinksLeadSomewhere(t *testing.T) {
	all := files(t, written(t, pagestest.New(t, pagestest.Small).Input()))
	ids := make(map[string]map[string]bool)
	for name, page := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		ids[name] = make(map[string]bool)
		for _, n := range nodes(t, page) {
			if id, ok := attr(n, "id"); ok {
				if ids[name][id] {
					t.Errorf("%s: the id %q is there twice", name, id)
				}
				ids[name][id] = true
			}
		}
	}
	for name, page := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		for _, n := range nodes(t, page) {
			for _, key := range []string{"href", "src"} {
				link, ok := attr(n, key)
				if !ok || strings.HasPrefix(link, "https://example.test/") {
					continue
				}
				file, fragment, _ := strings.Cut(link, "#")
				to := name
				if file != "" {
					to = path.Join(path.Dir(name), file)
				}
				if all[to] == nil {
					t.Errorf("%s: nothing is at %q", name, link)
				} else if fragment != "" && !ids[to][fragment] {
					t.Errorf("%s: nothing on that page is at %q", name, link)
				}
			}
		}
	}
}

// TestNothingFromTheSourceIsMarkup has tags and attributes in commits, names and
// documentation.
func TestNothingFromTheSourceIsMarkup(t *testing.T) {
	all := files(t, written(t, pagestest.New(t, pagestest.Small).Input()))
	for name, page := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		for _, n := range nodes(t, page) {
			src, _ := attr(n, "src")
			switch {
			case n.Data == "script" && !strings.HasSuffix(src, "assets/site.js"), n.Data == "i", n.Data == "style", n.Data == "iframe":
				t.Errorf("%s: there is a <%s>", name, n.Data)
			}
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s> has %s=%q", name, n.Data, a.Key, a.Val)
				}
			}
		}
		if bytes.Contains(page, []byte("secret.internal")) {
			t.Errorf("%s: says what only operators are to know", name)
		}
	}
	if page := string(all["modules/api/commits-1.html"]); !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;quotes&#34;") {
		t.Error("the subject of a commit is not on its page")
	}
}

// TestOnlyWhatChangedIsWritten looks at the files' times.
func TestOnlyWhatChangedIsWritten(t *testing.T) {
	w := pagestest.New(t, pagestest.Small)
	in := w.Input()
	dir := written(t, in)
	before := files(t, dir)
	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	age := func() {
		for name := range before {
			if err := os.Chtimes(filepath.Join(dir, name), long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	changed := func(in pages.Input) (names []string) {
		t.Helper()
		age()
		if err := pages.Write(t.Context(), dir, in); err != nil {
			t.Fatal(err)
		}
		for name := range files(t, dir) {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			} else if !info.ModTime().Equal(long) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
	if names := changed(in); len(names) > 0 {
		t.Errorf("nothing is new, and these were written: %q", names)
	}
	if !maps.EqualFunc(before, files(t, dir), bytes.Equal) {
		t.Error("writing again gave other pages")
	}
	repo := w.Repos["api"]
	repo.Tag("v0.36.9", repo.Commit(parse(t, repo.Git("cat-file", "commit", "v0.36.2"))))
	in.Catalog = w.Read()
	names := changed(in)
	for _, want := range []string{"modules/api/v0.36.html", "modules/api/index.html", "modules/api/feed.atom", "modules/api/index.json", "feed.atom", "index.html", "index.json"} {
		if !slices.Contains(names, want) {
			t.Errorf("there is a new tag, and %s was not written; these were: %q", want, names)
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "modules/org/") || name == "modules/api/v0.35.html" {
			t.Errorf("%s was written, and has nothing new", name)
		}
	}
}

// TestPagesThatGrewAreThoseMadeFromNothing changes mirrors, rules and settings step by
// step: what is left of earlier steps must not be seen.
func TestPagesThatGrewAreThoseMadeFromNothing(t *testing.T) {
	w := pagestest.New(t, pagestest.Small)
	dir := written(t, w.Input())
	api, client := w.Repos["api"], w.Repos["org/client"]
	retagged := func(repo *gittest.Repo, tag, like string, change func(*object.Commit)) {
		c := parse(t, repo.Git("cat-file", "commit", like))
		change(c)
		repo.Git("update-ref", "refs/tags/"+tag, repo.Commit(c).String())
	}
	base := ""
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"a new tag", func() { retagged(api, "v0.36.9", "v0.36.2", func(c *object.Commit) { c.Message = []byte("Pin\n") }) }},
		{"a second name of a tag", func() { api.Git("tag", "kubernetes-1.36.9", "v0.36.9") }},
		{"a tag before others", func() {
			retagged(api, "v0.35.1-rc.0", "v0.35.0", func(c *object.Commit) { c.Message = []byte("Early\n") })
		}},
		{"a minor version in between", func() {
			retagged(client, "v0.35.7", "v0.36.0", func(c *object.Commit) { c.Message = []byte("Late\n") })
		}},
		{"commits older than the newest", func() {
			c := parse(t, client.Git("cat-file", "commit", "master~5"))
			c.Message = []byte("A side branch\n")
			m := parse(t, client.Git("cat-file", "commit", "master"))
			m.Parents = []object.ID{head(t, client, "master"), client.Commit(c)}
			m.Message = []byte("Merge\n")
			client.Git("update-ref", "refs/heads/master", client.Commit(m).String())
		}},
		{"a tag moved", func() { api.Git("tag", "-f", "v0.36.9", "v0.36.1^{}") }},
		{"a tag gone", func() { api.Git("tag", "-d", "v0.35.1") }},
		{"a branch gone", func() { client.Git("branch", "-D", "release-1.35") }},
		{"an address", func() { base = "https://modules.example.test/go" }},
		{"other rules", func() {
			w.Rules = parsedRules(t, "rules:\n- destination: api\n  branches:\n  - {name: master, source: {branch: main, dir: staging/api}}\n")
		}},
	} {
		step.do()
		in := w.Input()
		in.BaseURL = base
		if err := pages.Write(t.Context(), dir, in); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		grown, whole := files(t, dir), files(t, written(t, in))
		for name := range whole {
			if !bytes.Equal(grown[name], whole[name]) {
				t.Errorf("%s: %s is not what it would be from nothing", step.name, name)
			}
			delete(grown, name)
		}
		for name := range grown {
			t.Errorf("%s: there is still %s", step.name, name)
		}
	}
}

// TestPagesOfWhatIsNoMoreGo leaves a destination out, and all else alone.
func TestPagesOfWhatIsNoMoreGo(t *testing.T) {
	in := pagestest.New(t, pagestest.Small).Input()
	dir := written(t, in)
	other := filepath.Join(dir, "mod", "cache")
	if err := os.MkdirAll(filepath.Dir(other), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	in.Catalog.Destinations = in.Catalog.Destinations[:1]
	if err := pages.Write(t.Context(), dir, in); err != nil {
		t.Fatal(err)
	}
	for name := range files(t, dir) {
		if strings.HasPrefix(name, "modules/org/") || strings.HasPrefix(name, ".pages-") {
			t.Errorf("%s is still there", name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "modules/org")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder modules/org is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

// TestInterruptedWriteLeavesPagesAsTheyWere ends one before it begins to move files.
func TestInterruptedWriteLeavesPagesAsTheyWere(t *testing.T) {
	in := pagestest.New(t, pagestest.Small).Input()
	dir := written(t, in)
	before := files(t, dir)
	in.BaseURL = "https://modules.example.test"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := pages.Write(ctx, dir, in); !errors.Is(err, context.Canceled) {
		t.Fatalf("the error is %v", err)
	}
	if !maps.EqualFunc(before, files(t, dir), bytes.Equal) {
		t.Error("files have changed")
	}
}

// TestFeedsAreWhatRFC4287Says reads them as a feed reader does.
func TestFeedsAreWhatRFC4287Says(t *testing.T) {
	in := pagestest.New(t, pagestest.Small).Input()
	in.BaseURL = "https://modules.example.test/"
	all := files(t, written(t, in))
	for name, entries := range map[string]int{"feed.atom": 18, "modules/api/feed.atom": 9} {
		var feed struct {
			XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
			Title   string   `xml:"title"`
			ID      string   `xml:"id"`
			Updated string   `xml:"updated"`
			Author  string   `xml:"author>name"`
			Entries []struct {
				ID   string `xml:"id"`
				Link struct {
					Href string `xml:"href,attr"`
				} `xml:"link"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(all[name], &feed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if feed.ID == "" || feed.Title == "" || feed.Author == "" {
			t.Errorf("%s: id %q, title %q and author %q are all required", name, feed.ID, feed.Title, feed.Author)
		}
		if _, err := time.Parse(time.RFC3339, feed.Updated); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(feed.Entries) != entries {
			t.Errorf("%s has %d entries, want %d", name, len(feed.Entries), entries)
		}
		file := strings.TrimPrefix(feed.Entries[0].Link.Href, "https://modules.example.test/")
		file, version, _ := strings.Cut(file, "#")
		if !bytes.Contains(all[file], []byte(`id="`+version+`"`)) {
			t.Errorf("%s: nothing is at %s", name, feed.Entries[0].Link.Href)
		}
	}
}

// TestIndexForToolsIsWhole compares with the mirrors.
func TestIndexForToolsIsWhole(t *testing.T) {
	w := pagestest.New(t, pagestest.Small)
	all := files(t, written(t, w.Input()))
	var index pages.Index
	strictly(t, all["index.json"], &index)
	if len(index.Modules) != 2 || index.Modules[1].Health == nil || index.Modules[1].Health.State != "failing" || index.Modules[0].Latest != "v0.36.2" {
		t.Errorf("index.json: %s", all["index.json"])
	}
	for _, m := range index.Modules {
		if all[m.Page] == nil || all[m.Feed] == nil {
			t.Errorf("%s: page or feed is not there", m.Name)
		}
		var change pages.APIChange
		strictly(t, all[path.Dir(m.Index)+"/api-v0.36.json"], &change)
		if n, _ := change.Counts(); change.From != "v0.35.2" || change.To != "v0.36.2" || n == 0 || !bytes.Contains(all[path.Dir(m.Index)+"/v0.36.html"], []byte(change.Packages[0].Incompatible[0])) {
			t.Errorf("%s: the API from %s to %s has %d changes, or the page does not say so: %+v", m.Name, change.From, change.To, n, change.Comparison)
		}
		var is pages.ModuleIndex
		strictly(t, all[m.Index], &is)
		var tags []string
		for _, r := range is.Releases {
			tags = append(tags, r.Tags...)
			if r.Version != "" && (r.Cluster != "1"+strings.TrimPrefix(r.Version, "v0") || r.SourceTag != "v"+r.Cluster || r.Log == nil || r.Zip == "") {
				t.Errorf("%s: %+v", m.Name, r)
			}
			if want := !strings.HasPrefix(r.Version, "v0.34."); r.Proven != want {
				t.Errorf("%s %s: proven is %v", m.Name, r.Version, r.Proven)
			}
		}
		slices.Sort(tags)
		if want := strings.Fields(w.Repos[m.Name].Git("for-each-ref", "--format=%(refname:short)", "refs/tags")); !slices.Equal(tags, want) {
			t.Errorf("%s: tags are %q, git has %q", m.Name, tags, want)
		}
		maintenance := make(map[string]string)
		for _, b := range is.Branches {
			maintenance[b.Name] = b.Maintenance
		}
		if want := map[string]string{"master": "followed", "release-1.34": "ended", "release-1.35": "followed", "release-1.36": "followed"}; !maps.Equal(maintenance, want) {
			t.Errorf("%s: branches are %v", m.Name, maintenance)
		}
	}
}

func strictly(t *testing.T, data []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// parse reads a commit, with another message.
func parse(t *testing.T, text string) *object.Commit {
	t.Helper()
	c, err := object.ParseCommit([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c.Message = []byte("Another\n")
	return c
}

func head(t *testing.T, repo *gittest.Repo, branch string) object.ID {
	t.Helper()
	id, err := object.ParseID([]byte(strings.TrimSpace(repo.Git("rev-parse", branch))))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func parsedRules(t *testing.T, text string) *rules.Rules {
	t.Helper()
	r, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
