package pages

import (
	"fmt"
	"html/template"
	"path"
	"strings"

	"k8s.io/publisher/pages/find"
)

// Rows of long tables are written here and not by templates, which take ten times as
// long: a site has some hundred thousand. All text goes through escape.
type rows struct{ strings.Builder }

// escape is for text between tags and in quoted attributes.
func escape(text string) string { return template.HTMLEscapeString(text) }

// add adds markup, with text in the place of each %s, escaped.
func (r *rows) add(markup string, text ...string) {
	escaped := make([]any, len(text))
	for i, t := range text {
		escaped[i] = escape(t)
	}
	fmt.Fprintf(r, markup, escaped...)
}

// hash adds a commit's hash, or a dash.
func (r *rows) hash(hash string) {
	if hash == "" {
		r.add("–")
		return
	}
	r.add(`<code class="hash" title="%s">%s</code>`, hash, short(hash))
}

// commitRows are the rows of a table of commits.
func commitRows(commits []commitRow) template.HTML {
	var r rows
	for _, c := range commits {
		id := c.ID.String()
		r.add(`<tr id="c%s"><td class="date">%s</td><td>`, short(id), day(c.Date))
		r.hash(id)
		r.add("</td><td>")
		r.hash(c.From)
		r.add(`</td><td class="text">%s`, plain(c.Subject))
		for _, at := range c.At {
			r.add(` <a class="mark" href="%s#%s">%s</a>`, at.Page(), fragment(at.Name()), at.Name())
		}
		r.add("</td><td>%s</td></tr>\n", plain(c.Author))
	}
	return template.HTML(r.String())
}

// fragment is an id in a link.
func fragment(id string) string { return template.URLQueryEscaper(id) }

// pieceRows are the rows of a piece of the index of commits. What hashes are looked up
// by is set off where that is how they begin.
func pieceRows(p find.Piece, root string, digits int) template.HTML {
	var r rows
	marked := func(hash string) {
		if n := digits; n > 0 && strings.HasPrefix(hash, p.Name) {
			r.add(`<code class="hash" title="%s"><b>%s</b>%s</code>`, hash, hash[:n], short(hash)[n:])
		} else {
			r.hash(hash)
		}
	}
	for _, pair := range p.Commits {
		r.add("<tr><td>")
		marked(pair.Source)
		r.add(`</td><td>%s</td><td><a href="%s#c%s">`, pair.Destination, root+path.Join("modules", pair.Destination, commitsName(pair.Page)), short(pair.Mirror))
		marked(pair.Mirror)
		r.add("</a></td></tr>\n")
	}
	return template.HTML(r.String())
}
