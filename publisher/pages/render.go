package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode"

	"k8s.io/publisher/object"
)

//go:embed templates assets
var embedded embed.FS

// templates has one for each kind of page, by its name, with what all have in common.
var templates = func() map[string]*template.Template {
	funcs := template.FuncMap{
		"short": shortOf, "day": day, "time": timeOf, "count": count,
		"copy": copyOf, "stands": standsOf, "plain": plain, "commits": commitRows,
	}
	common := template.Must(template.New("common").Funcs(funcs).ParseFS(embedded, "templates/common/*.html"))
	names, err := fs.Glob(embedded, "templates/*.html")
	if err != nil {
		panic(err)
	}
	all := make(map[string]*template.Template)
	for _, name := range names {
		t := template.Must(template.Must(common.Clone()).ParseFS(embedded, name))
		all[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return all
}()

// frame is what all pages have.
type frame struct {
	Title string
	// Name is the page's file.
	Name string
	// Section is what of the site's parts it belongs to: modules, commits or docs.
	Section string
	// Feed is the name of the file of a feed that goes with it; empty where there is none.
	Feed string
	// HasDocs tells that there is documentation.
	HasDocs bool
	// Base is where the site is; empty where nobody knows.
	Base string
}

// Root leads from the page to the site's root, with a slash at its end.
func (f frame) Root() string {
	if n := strings.Count(f.Name, "/"); n > 0 {
		return strings.Repeat("../", n)
	}
	return "./"
}

// Up is [frame.Root] without the slash.
func (f frame) Up() string { return strings.TrimSuffix(f.Root(), "/") }

func (s *site) frame(title, name, section string) frame {
	return frame{Title: title, Name: name, Section: section, HasDocs: s.Docs != nil, Base: strings.TrimSuffix(s.BaseURL, "/")}
}

// render writes a page.
func (s *site) render(kind, name string, page any) error {
	var out bytes.Buffer
	if err := templates[kind].ExecuteTemplate(&out, "page", page); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return s.out.write(name, tidy(out.Bytes()))
}

// tidy leaves out the space around lines, and empty lines, that templates leave. In
// preformatted text, space counts.
func tidy(page []byte) []byte {
	out := make([]byte, 0, len(page))
	for len(page) > 0 {
		text, rest, found := bytes.Cut(page, []byte("<pre"))
		for line := range bytes.Lines(text) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				out = append(append(out, line...), '\n')
			}
		}
		if !found {
			break
		}
		text, page, _ = bytes.Cut(rest, []byte("</pre>"))
		out = append(append(append(out, "<pre"...), text...), "</pre>\n"...)
	}
	return out
}

// short abbreviates a hash.
func short(hash string) string { return hash[:min(len(hash), 12)] }

func shortOf(hash any) string {
	if id, ok := hash.(object.ID); ok {
		return short(id.String())
	}
	return short(fmt.Sprint(hash))
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func timeOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"):
		return fmt.Sprintf("%s %ses", thousands(n), noun)
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%s %sies", thousands(n), strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%s %ss", thousands(n), noun)
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// copied is something to copy, and what it is called.
type copied struct{ Text, What string }

func copyOf(text, what string) copied { return copied{text, what} }

// stood is a commit of a mirror, and the one of the source; each in full.
type stood struct{ Mirror, Source string }

func standsOf(mirror object.ID, source string) stood { return stood{mirror.String(), source} }

// plain shows what would not be seen, or would have what is around it seen in another
// order: control characters, and those that turn the direction of writing.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func (s *site) writeAssets() error {
	names, err := fs.Glob(embedded, "assets/*")
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		if err := s.out.write(name, data); err != nil {
			return err
		}
	}
	return nil
}
