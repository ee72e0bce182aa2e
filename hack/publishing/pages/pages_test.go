package pages

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"k8s.io/publisher/pages/find"
	"k8s.io/publisher/pages/pagestest"
)

// finding is what axe says of a page.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

// TestEachPageIsAccessibleInEachLook: axe finds nothing, nothing is wider than the
// screen but in boxes that scroll, and the browser has nothing to complain of, violations
// of the content security policy included.
func TestEachPageIsAccessibleInEachLook(t *testing.T) {
	source := axe(t)
	s := serve(t, pagestest.New(t, pagestest.Small).Input())
	b := newTab(t)
	for _, l := range looks {
		b.do(l.apply())
		for _, name := range s.pages(t) {
			where := name + " " + l.name
			b.do(chromedp.Navigate(s.URL + "/" + name))
			b.check(where)
			b.picture(name + "-" + l.name)
			if wide := eval[int](b, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
				t.Errorf("%s: the page is %d pixels wider than the screen: %s", where, wide, eval[string](b, widest))
			}
			var findings []finding
			b.do(chromedp.Evaluate(source+";0", nil))
			findings = eval[[]finding](b, `axe.run({resultTypes: ["violations"]}).then(r => r.violations)`)
			for _, f := range findings {
				for _, n := range f.Nodes {
					t.Errorf("%s: %s (%s): %s\n%s\n%s", where, f.ID, f.Impact, f.Help, n.HTML, n.FailureSummary)
				}
			}
		}
	}
}

// widest names what is too wide.
const widest = `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll")).map(e => e.outerHTML.slice(0, 120)).join("\n")`

// TestKeyboardIsEnough goes through pages with the tab key.
func TestKeyboardIsEnough(t *testing.T) {
	s := serve(t, pagestest.New(t, pagestest.Small).Input())
	b := newTab(t)
	b.do(looks[2].apply())
	for _, name := range []string{"index.html", "modules/api/index.html", "modules/api/v0.36.html", "commits/index.html", "docs/running.html"} {
		b.do(chromedp.Navigate(s.URL+"/"+name), chromedp.KeyEvent(kb.Tab))
		if is := eval[string](b, "document.activeElement.className"); is != "skip" {
			t.Errorf("%s: the first that is reached is not the skip link, but %q", name, is)
		}
		// What can be reached is in the order of the page, in view, and seen to be reached.
		want := eval[int](b, `[...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")].filter(e => e.checkVisibility()).length`)
		last, reached := -1, 0
		for range want + 5 {
			is := eval[struct {
				At                  int
				Outline, Width, Tag string
				Top, Bottom         float64
			}](b, `(() => {
				const e = document.activeElement, c = getComputedStyle(e), r = e.getBoundingClientRect();
				return {At: [...document.querySelectorAll("*")].indexOf(e), Outline: c.outlineStyle, Width: c.outlineWidth, Top: r.top, Bottom: r.bottom, Tag: e.outerHTML.slice(0, 100)};
			})()`)
			if is.Tag == "" || strings.HasPrefix(is.Tag, "<body") || is.At <= last {
				break
			}
			last = is.At
			reached++
			if is.Outline == "none" || is.Width == "0px" {
				t.Errorf("%s: focus cannot be seen on %s", name, is.Tag)
			}
			if is.Bottom < 0 || is.Top > float64(looks[2].height) {
				t.Errorf("%s: focus is out of view on %s", name, is.Tag)
			}
			b.do(chromedp.KeyEvent(kb.Tab))
		}
		if reached != want {
			t.Errorf("%s: the tab key reaches %d of %d", name, reached, want)
		}
	}

	b.do(chromedp.Navigate(s.URL+"/modules/api/index.html"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	if is := eval[string](b, "document.activeElement.id"); is != "main" {
		t.Errorf("the skip link leads to %q", is)
	}
	b.do(chromedp.Focus(`button[aria-label="Copy the command for the newest release"]`), chromedp.KeyEvent(kb.Enter))
	if got := eval[string](b, "navigator.clipboard.readText()"); got != "go get example.test/api@v0.36.2" {
		t.Errorf("copied is %q", got)
	}
	b.check("keyboard")
}

// TestCommandsNameTheSite: who copies them gets the address that the browser knows.
func TestCommandsNameTheSite(t *testing.T) {
	in := pagestest.New(t, pagestest.Small).Input()
	s := serve(t, in)
	b := newTab(t)
	b.do(chromedp.Navigate(s.URL+"/index.html"), chromedp.Click(`button[aria-label="Copy the commands"]`))
	want := "export GOPROXY='" + s.URL + "/mod',\"$(go env GOPROXY)\"\n" +
		"GOSUMDB='" + in.SumDB + " " + s.URL + "/sumdb' \\\n  go mod download example.test/api@v0.36.2\n" +
		"GONOSUMDB='example.test/api' \\\n  go get example.test/api@v0.36.2"
	if got := eval[string](b, "navigator.clipboard.readText()"); got != want {
		t.Errorf("copied is\n%s\nwant\n%s", got, want)
	}
	b.check("commands")
}

// TestSearchFindsWhatTheIndexHas types beginnings of hashes, and compares with package
// find.
func TestSearchFindsWhatTheIndexHas(t *testing.T) {
	w := pagestest.New(t, pagestest.Shape{Modules: []string{"api", "org/client"}, First: 30, Minors: 4, Patches: 3, Commits: 100})
	s := serve(t, w.Input())
	b := newTab(t)
	b.do(chromedp.Navigate(s.URL + "/commits/index.html"))
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(s.dir, "commits", name+".json"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return data
	}
	index, err := find.ParseIndex(read("index"))
	if err != nil || index.Digits == 0 {
		t.Fatalf("%+v: %v", index, err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	queries := []string{"", "abc", "xyzw", "../../index", strings.Repeat("a", 41), "0000000", " " + strings.ToUpper(pagestest.Source("main 7").String()[:9]) + " "}
	for range 12 {
		hash := pagestest.Source(fmt.Sprint("main ", random.IntN(400))).String()
		queries = append(queries, hash[:4+random.IntN(36)])
	}
	for _, text := range queries {
		b.do(fill(text), submit,
			chromedp.Poll(`document.querySelector("[data-results] > *") !== null`, nil))
		got := eval[[]string](b, `[...document.querySelectorAll("[data-results] tbody tr")].map(r => [r.cells[1].textContent, r.cells[2].querySelector("code").title].join(" "))`)
		var want []string
		q, err := find.ParseQuery(text)
		if err == nil {
			if data := read(q.Piece(index)); data != nil {
				piece, err := find.ParsePiece(q.Piece(index), data)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range q.In(piece) {
					want = append(want, p.Destination+" "+p.Mirror)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
		if says := eval[string](b, `document.querySelector("[data-results]").textContent`); (err != nil) != strings.HasPrefix(says, "Give at least") {
			t.Errorf("%q: it says %q", text, says)
		}
	}
	b.check("search")
	// What was found leads to the commit's row.
	b.do(fill(pagestest.Source("main 7").String()), submit, chromedp.Poll(`document.querySelector("[data-results] a") !== null`, nil), chromedp.Evaluate(`document.querySelector("[data-results] a").click()`, nil),
		chromedp.WaitVisible("tr:target"))
	if text := eval[string](b, `document.querySelector("tr:target").textContent`); !strings.Contains(text, "Change 7") {
		t.Errorf("it leads to %q", text)
	}
	// The table is filtered as one types.
	b.do(chromedp.SendKeys("input[data-filter]", "CHANGE "+pagestest.Source("main 77").String()[3:20]))
	if got := eval[[]string](b, `[...document.querySelectorAll("#commits-table tbody tr")].filter(r => r.checkVisibility()).map(r => r.cells[3].textContent)`); !slices.Equal(got, []string{"Change 77"}) {
		t.Errorf("what is shown is %q", got)
	}
	b.check("filter")
}

// fill has the search look for a text, and clears what was found before.
func fill(text string) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf(`
		document.querySelector("[data-results]").replaceChildren();
		document.querySelector("#search-query").value = %q; 0`, text), nil)
}

// submit does what the enter key does, which chromedp's Submit does not: that one leaves
// the script out.
var submit = chromedp.Evaluate(`document.querySelector("form[data-search]").requestSubmit(); 0`, nil)

// TestPagesAreWholeWithoutJavaScript: nothing is there that would do nothing, and a
// commit is found by links alone.
func TestPagesAreWholeWithoutJavaScript(t *testing.T) {
	w := pagestest.New(t, pagestest.Shape{Modules: []string{"api"}, First: 30, Minors: 4, Patches: 3, Commits: 100})
	s := serve(t, w.Input())
	b := newTab(t)
	b.do(emulation.SetScriptExecutionDisabled(true))
	for _, name := range s.pages(t) {
		b.do(chromedp.Navigate(s.URL + "/" + name))
		var text string
		b.do(chromedp.Text("body", &text, chromedp.NodeVisible))
		for _, idle := range []string{"Copy\n", "Filter", "Find\n"} {
			if strings.Contains(text, idle) {
				t.Errorf("%s shows %q, which does nothing", name, idle)
			}
		}
		if len(text) < 100 {
			t.Errorf("%s shows only %q", name, text)
		}
	}
	hash := pagestest.Source("main 7").String()
	var text string
	b.do(chromedp.Navigate(s.URL+"/index.html"), chromedp.Click("//a[text()='Find a commit']"), chromedp.Click("//a[text()='"+hash[:1]+"']"),
		chromedp.Click("//tr[td/code[@title='"+hash+"']]//a"), chromedp.WaitVisible("tr:target"), chromedp.Text("tr:target", &text))
	if !strings.Contains(text, "Change 7") {
		t.Errorf("it leads to %q", text)
	}
	b.check("without JavaScript")
}

// TestLargeSiteIsQuick has 30 branches and 1,000 tags of a module.
func TestLargeSiteIsQuick(t *testing.T) {
	shape := pagestest.Shape{Modules: []string{"api", "client"}, First: 7, Minors: 30, Patches: 34, Commits: 60}
	w := pagestest.New(t, shape)
	in := w.Input()
	began := time.Now()
	s := serve(t, in)
	t.Logf("%d modules with %d releases each are written in %v", len(shape.Modules), shape.Minors*shape.Patches, time.Since(began).Round(time.Millisecond))
	var total int64
	files := 0
	err := filepath.WalkDir(s.dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		total, files = total+info.Size(), files+1
		if rel, _ := filepath.Rel(s.dir, name); filepath.Ext(name) == ".html" && info.Size() > 256<<10 {
			t.Errorf("%s has %d KiB", rel, info.Size()>>10)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d KiB", files, total>>10)
	b := newTab(t)
	for _, l := range []look{looks[0], looks[2]} {
		b.do(l.apply())
		for _, name := range []string{"index.html", "modules/client/index.html", "modules/client/v0.36.html", "modules/client/commits-5.html"} {
			b.do(chromedp.Navigate(s.URL + "/" + name))
			t.Logf("%s %s: %.0f ms to the load event, %d elements", name, l.name, eval[float64](b, "performance.timing.loadEventEnd - performance.timing.navigationStart"), eval[int](b, `document.querySelectorAll("*").length`))
			b.picture("large-" + name + "-" + l.name)
			if wide := eval[int](b, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
				t.Errorf("%s: the page is %d pixels wider than the screen", name, wide)
			}
		}
	}
	b.check("large")
}
