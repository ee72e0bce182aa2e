package pages

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// docPage is a page of the documentation.
type docPage struct {
	frame
	// Body is made by goldmark, which leaves out HTML that is in the text.
	Body template.HTML
	// Contents are the pages that there are; only on the first.
	Contents []docEntry
}

type docEntry struct{ Title, Href string }

// docsRoot is the folder of the documentation in the site.
const docsRoot = "docs"

// mostCopied bounds files that documentation links to, in bytes.
const mostCopied = 4 << 20

// doc is a Markdown file.
type doc struct {
	name   string // with slashes, within the documentation
	source []byte
	tree   ast.Node
	title  string
}

// markdown reads what GitHub's pages do: tables, and headings that links can name. Cells
// are aligned by attributes, as no page has a style of its own.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.Strikethrough, extension.Linkify,
	),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(scrolling{}, 100))),
)

// scrolling renders what may be wider than a phone: in a box that scrolls, for whoever
// has a keyboard, too.
type scrolling struct{}

// RegisterFuncs is for goldmark.
func (scrolling) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(extast.KindTable, box("Table, which may scroll", func(w util.BufWriter, _ []byte, _ ast.Node) {
		w.WriteString("<table>\n")
	}, "</table>\n"))
	code := box("Code, which may scroll", func(w util.BufWriter, source []byte, n ast.Node) {
		w.WriteString("<pre><code>")
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			html.DefaultWriter.RawWrite(w, line.Value(source))
		}
	}, "</code></pre>\n")
	r.Register(ast.KindCodeBlock, code)
	r.Register(ast.KindFencedCodeBlock, code)
}

func box(label string, open func(util.BufWriter, []byte, ast.Node), end string) renderer.NodeRendererFunc {
	return func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			w.WriteString(`<div class="scroll" role="group" tabindex="0" aria-label="` + label + `">`)
			open(w, source, n)
		} else {
			w.WriteString(end + "</div>\n")
		}
		return ast.WalkContinue, nil
	}
}

// page is the file that a Markdown file becomes.
func (d *doc) page() string { return htmlName(d.name) }

func htmlName(markdown string) string { return strings.TrimSuffix(markdown, ".md") + ".html" }

// writeDocs renders the documentation. Links between its files lead to their pages, those
// to other files in it to copies; and what is outside is named without a link, as the site
// does not have it.
func (s *site) writeDocs() error {
	if s.Docs == nil {
		return nil
	}
	var docs []*doc
	err := fs.WalkDir(s.Docs, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".md" {
			return err
		}
		d := &doc{name: name}
		if d.source, err = fs.ReadFile(s.Docs, name); err != nil {
			return err
		}
		d.tree = markdown.Parser().Parse(text.NewReader(d.source))
		d.title = title(d)
		docs = append(docs, d)
		return nil
	})
	if err != nil {
		return fmt.Errorf("documentation: %w", err)
	}
	slices.SortFunc(docs, func(a, b *doc) int { return strings.Compare(a.name, b.name) })
	var contents []docEntry
	for _, d := range docs {
		contents = append(contents, docEntry{d.title, d.page()})
		if err := s.writeDoc(d); err != nil {
			return fmt.Errorf("documentation, %s: %w", d.name, err)
		}
	}
	if slices.ContainsFunc(docs, func(d *doc) bool { return d.name == "index.md" }) {
		return nil
	}
	page := &docPage{frame: s.frame("Documentation", path.Join(docsRoot, "index.html"), "docs"), Contents: contents}
	return s.render("docs", page.frame.Name, page)
}

func (s *site) writeDoc(d *doc) error {
	if err := s.relink(d); err != nil {
		return err
	}
	var body bytes.Buffer
	if err := markdown.Renderer().Render(&body, d.source, d.tree); err != nil {
		return err
	}
	page := &docPage{frame: s.frame(d.title, path.Join(docsRoot, d.page()), "docs"), Body: template.HTML(body.String())}
	return s.render("doc", page.frame.Name, page)
}

// title is a page's first heading, or else its name.
func title(d *doc) string {
	name := strings.TrimSuffix(path.Base(d.name), ".md")
	_ = ast.Walk(d.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering && h.Level == 1 {
			name = textOf(h, d.source)
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	return name
}

// textOf is what a node says, without what it looks like.
func textOf(n ast.Node, source []byte) string {
	var out strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				out.Write(n.Segment.Value(source))
				if n.SoftLineBreak() {
					out.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				out.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}

// relink has links lead to where things are in the site.
func (s *site) relink(d *doc) error {
	var outside []*ast.Link
	err := ast.Walk(d.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			to, inside, err := s.target(d, string(n.Destination))
			if err != nil {
				return ast.WalkStop, err
			}
			if !inside {
				outside = append(outside, n)
			}
			n.Destination = []byte(to)
		case *ast.Image:
			to, _, err := s.target(d, string(n.Destination))
			if err != nil {
				return ast.WalkStop, err
			}
			n.Destination = []byte(to)
		}
		return ast.WalkContinue, nil
	})
	for _, link := range outside {
		parent := link.Parent()
		for child := link.FirstChild(); child != nil; {
			next := child.NextSibling()
			parent.InsertBefore(parent, link, child)
			child = next
		}
		parent.RemoveChild(parent, link)
	}
	return err
}

// target is where a link leads in the site. It is not inside where the site does not have
// what the link names.
func (s *site) target(d *doc, link string) (to string, inside bool, err error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", false, nil
	}
	if u.IsAbs() || u.Host != "" || u.Path == "" {
		return link, true, nil
	}
	name := path.Join(path.Dir(d.name), u.Path)
	if !fs.ValidPath(name) {
		return "", false, nil
	}
	info, err := fs.Stat(s.Docs, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && (!info.Mode().IsRegular() || info.Size() > mostCopied):
		return "", false, nil
	case err != nil:
		return "", false, err
	case path.Ext(name) == ".md":
		u.Path = htmlName(u.Path)
		return u.String(), true, nil
	}
	data, err := fs.ReadFile(s.Docs, name)
	if err != nil {
		return "", false, err
	}
	return u.String(), true, s.out.write(path.Join(docsRoot, name), data)
}
