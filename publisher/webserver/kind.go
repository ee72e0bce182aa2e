package webserver

import (
	"encoding/hex"
	"path"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/tlog"
)

// kind is what a file is to who asks for it.
type kind struct {
	name      string // in metrics
	mime      string
	immutable bool // once it is there
	text      bool // worth being compressed
	page      bool // shown by a browser
}

const (
	plain  = "text/plain; charset=utf-8"
	binary = "application/octet-stream"
)

// kindOf tells what a file is by its name, which is relative to the site.
func kindOf(name string) kind {
	folder, rest, _ := strings.Cut(name, "/")
	switch folder {
	case "mod":
		if below, ok := strings.CutPrefix(rest, "sumdb/"); ok {
			_, file, _ := strings.Cut(below, "/")
			return sumdbKind(file)
		}
		return proxyKind(rest)
	case "sumdb":
		return sumdbKind(rest)
	case "git":
		return gitKind(rest)
	}
	return pageKind(name)
}

// proxyKind is of the files of the module proxy. Versions do not change, but what a branch is
// at does.
func proxyKind(name string) kind {
	dir, file := path.Split(name)
	if !strings.HasSuffix(dir, "/@v/") {
		if file == "@latest" {
			return kind{name: "query", mime: "application/json", text: true}
		}
		return kind{name: "query", mime: plain, text: true}
	}
	ext := path.Ext(file)
	version, err := module.UnescapeVersion(strings.TrimSuffix(file, ext))
	k := kind{name: "query", immutable: err == nil && module.CanonicalVersion(version) == version}
	if k.immutable {
		k.name = "version"
	}
	switch ext {
	case ".info":
		k.mime, k.text = "application/json", true
	case ".zip":
		k.mime = "application/zip"
	default:
		k.mime, k.text = plain, true
		k.immutable = k.immutable && ext == ".mod"
	}
	return k
}

// sumdbKind is of the files of the checksum database. Full tiles do not change. Lookups do, but
// only where a key is replaced.
func sumdbKind(name string) kind {
	t, err := tlog.ParseTilePath(name)
	switch {
	case err != nil:
		return kind{name: "sumdb", mime: plain}
	case t.L == -1:
		return kind{name: "sumdb", mime: plain, text: true, immutable: t.W == 1<<t.H}
	}
	return kind{name: "sumdb", mime: binary, immutable: t.W == 1<<t.H}
}

// gitKind is of the files of the mirrors, as git's dumb protocol asks for them. Packs and
// objects are named after their content.
func gitKind(name string) kind {
	k := kind{name: "git", mime: plain}
	_, object, ok := strings.Cut(name, "/objects/")
	if !ok {
		return k
	}
	dir, file := path.Split(object)
	ext := path.Ext(file)
	switch {
	case dir == "pack/":
		hash, ok := strings.CutPrefix(strings.TrimSuffix(file, ext), "pack-")
		k.immutable = ok && isHex(hash)
		k.mime = binary
		switch ext {
		case ".pack":
			k.mime = "application/x-git-packed-objects"
		case ".idx":
			k.mime = "application/x-git-packed-objects-toc"
		}
	case len(dir) == 3 && isHex(dir[:2]) && isHex(file):
		k.immutable, k.mime = true, "application/x-git-loose-object"
	}
	return k
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && s != ""
}

func pageKind(name string) kind {
	k := kind{name: "page", text: true}
	switch path.Ext(name) {
	case ".html":
		k.mime, k.page = "text/html; charset=utf-8", true
	case ".svg":
		k.mime, k.page = "image/svg+xml", true
	case ".css":
		k.mime = "text/css; charset=utf-8"
	case ".js":
		k.mime = "text/javascript; charset=utf-8"
	case ".json":
		k.mime = "application/json"
	case ".atom":
		k.mime = "application/atom+xml; charset=utf-8"
	case ".xml":
		k.mime = "application/xml; charset=utf-8"
	case ".txt", ".md", ".diff", "":
		k.mime = plain
	case ".png":
		k.mime, k.text = "image/png", false
	case ".ico":
		k.mime, k.text = "image/x-icon", false
	case ".woff2":
		k.mime, k.text = "font/woff2", false
	default:
		k.mime, k.text = binary, false
	}
	return k
}
