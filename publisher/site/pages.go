package site

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"

	"k8s.io/publisher/pages"
)

// writePages writes what people read, and the pages by which the go command finds
// repositories.
func (w *writer) writePages(ctx context.Context) error {
	if err := w.writeImports(); err != nil {
		return err
	}
	w.progress("writing pages", 0, 1)
	in := pages.Input{
		Catalog: w.catalog, Rules: w.Rules, Status: w.Status, BaseURL: w.BaseURL, SumDB: w.log.VerifierKey(),
		Hash: func(m module.Version) (zip string, index int64, ok bool) {
			r, ok := w.log.Record(m)
			index, _ = w.log.Place(m)
			return r.Zip, index, ok
		},
	}
	if w.Docs != "" {
		in.Docs = os.DirFS(w.Docs)
	}
	return pages.Write(ctx, w.Dir, in)
}

// writeImports writes, for modules whose path leads to this site, the pages that a go
// command with GOPROXY=direct asks for (https://go.dev/ref/mod#vcs-find).
func (w *writer) writeImports() error {
	if w.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(w.BaseURL)
	if err != nil {
		return err
	}
	here := u.Host + u.Path + "/"
	for _, d := range w.catalog.Destinations {
		for _, path := range d.Paths() {
			below, ok := strings.CutPrefix(path, here)
			if !ok || reserved(below) {
				continue
			}
			// All paths of a repository have the same root.
			text := importPage(d.Root(), w.repositoryURL(d.Name))
			if err := writeFile(filepath.Join(w.Dir, filepath.FromSlash(below), "index.html"), []byte(text)); err != nil {
				return fmt.Errorf("write the page by which the go command finds %s: %w", path, err)
			}
		}
	}
	return nil
}

// reserved reports whether something else is at a path of the site.
func reserved(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	switch first {
	case "mod", "sumdb", "git", "modules", "commits", "docs", "assets":
		return true
	}
	return false
}

func importPage(root, repository string) string {
	return fmt.Sprintf(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="go-import" content="%[1]s git %[2]s">
<title>%[1]s</title>
</head>
<body>
<p>The module <code>%[1]s</code> is in the repository <a href="%[2]s">%[2]s</a>: <code>go get %[1]s</code></p>
</body>
</html>
`, html.EscapeString(root), html.EscapeString(repository))
}
