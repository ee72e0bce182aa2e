// Package webserver serves the directory that "publisher site" writes: module proxy, checksum
// database, mirrors, and pages.
//
// All of it is static files, and any other web server does as well. What this one knows about
// them is which of them never change, of what kind they are, and what a browser is allowed to do
// with pages:
//
//	what                                           may be kept
//	.info, .mod, .zip of a version; full tiles;    for ever
//	packs and objects of git
//	list, @latest, .info of a branch; latest,      for a minute
//	lookups, partial tiles; pages
//	what git asks for first: HEAD, info/refs, …    after asking whether it has changed
//
// Nothing outside of the directory is served, no matter where symbolic links lead, no hidden
// files, and no lists of files. A name that does not fit is a 404, upon which the go
// command asks the next module proxy.
//
// A request goes this way:
//
//	serve.go     a connection is taken, and has limits
//	exchange.go  a request gets its answer, which is logged and counted
//	webserver.go the path leads to a file, or to a sentence
//	send.go      the file gets its headers, and as much of it is sent as was asked for
//
// The HTTP itself is package fasthttp's, which does with half of the work of package net/http.
// What conditions and ranges mean is for package net/http to say.
//
// There is no TLS, which is the business of the proxy in front of it, as is everything that
// counts requests by client.
package webserver

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

// Server serves a directory.
type Server struct {
	root       *os.Root
	folder     *os.File // the same
	log        *slog.Logger
	access     *slog.Logger
	metrics    *measures
	compressed *lru.Cache[string, []byte] // by entity tag and name
	patience   patience
}

// Options are those of a [Server].
type Options struct {
	// Log gets what goes wrong. Nil is none.
	Log *slog.Logger
	// AccessLog gets a line for each request. Nil is none.
	AccessLog *slog.Logger
	// Registry takes the metrics. Nil is none.
	Registry prometheus.Registerer
}

// New returns a server of a directory, which must be there.
func New(dir string, o Options) (*Server, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("serve %s: %w", dir, err)
	}
	folder, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve %s: %w", dir, err), root.Close())
	}
	compressed, err := lru.New[string, []byte](compressedFiles)
	if err != nil {
		return nil, err
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{root: root, folder: folder, log: log, access: o.AccessLog, metrics: newMeasures(o.Registry), compressed: compressed, patience: usual}, nil
}

// Close lets go of the directory.
func (s *Server) Close() error { return errors.Join(s.folder.Close(), s.root.Close()) }

// answer finds what a path leads to.
func (e *exchange) answer() {
	switch {
	case !e.reads():
		e.refuse()
		return
	case !e.parse():
		e.say(fasthttp.StatusBadRequest, "not the path of a URL")
		return
	case e.path == "/healthz":
		e.kind.name = "health"
		e.set("Cache-Control", "no-store")
		e.say(fasthttp.StatusOK, "ok")
		return
	}
	name, ok := fileName(e.path)
	if !ok {
		e.missing()
		return
	}
	f, err := e.open(name)
	page := err == nil && f.isFolder()
	if page {
		f.Close()
		if name != "." && !strings.HasSuffix(e.path, "/") {
			e.redirect(name)
			return
		}
		name = path.Join(name, "index.html")
		f, err = e.open(name)
	}
	if err != nil {
		e.failed(err)
		return
	}
	e.file, e.kind = f, kindOf(name)
	if !f.isRegular() || !page && strings.HasSuffix(e.path, "/") {
		e.missing()
	} else if e.send(name) {
		return
	}
	e.file.Close()
}

// parse reads the request's target as package net/http does, which leaves the path as the
// client wrote it.
func (e *exchange) parse() bool {
	target := string(e.ctx.Request.Header.RequestURI())
	u, err := url.ParseRequestURI(target)
	if err != nil || strings.Contains(target, " ") {
		return false
	}
	e.path, e.query = u.Path, u.RawQuery
	return true
}

// fileName is the name of the file that a URL's path stands for, where it can stand for any:
// nothing that has to be made clean first, and nothing hidden.
func fileName(urlPath string) (string, bool) {
	name, ok := strings.CutPrefix(urlPath, "/")
	if name = strings.TrimSuffix(name, "/"); name == "" {
		return ".", ok && len(urlPath) == 1
	}
	if !ok || !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return "", false
	}
	for element := range strings.SplitSeq(name, "/") {
		if element[0] == '.' {
			return "", false
		}
	}
	return name, true
}

// redirect leads to a folder's page, where it has one: relative links count from its folder.
func (e *exchange) redirect(name string) {
	if _, err := e.root.Stat(path.Join(name, "index.html")); err != nil {
		e.failed(err)
		return
	}
	to := url.URL{Path: "/" + name + "/", RawQuery: e.query}
	e.kind.name = "page"
	e.set("Location", to.String())
	e.set("Cache-Control", minute)
	e.say(fasthttp.StatusMovedPermanently, "moved to "+to.String())
}

// failed answers where a file cannot be read. That it is not there, or not below the directory,
// is nothing that the client should see a difference in.
func (e *exchange) failed(err error) {
	for _, name := range []string{"Etag", "Last-Modified", "Content-Encoding", "Accept-Ranges", "Content-Range"} {
		e.ctx.Response.Header.Del(name)
	}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOMEM) {
		e.log.Warn("a file cannot be read", "path", e.path, "error", err)
		e.set("Cache-Control", "no-store")
		e.set("Retry-After", "5")
		e.say(fasthttp.StatusServiceUnavailable, "the file cannot be read now")
		return
	}
	e.missing()
}

func (e *exchange) missing() {
	e.kind.name = "missing"
	// Not for long: the version may be published in a moment.
	e.set("Cache-Control", "public, max-age=10")
	e.say(fasthttp.StatusNotFound, "not found: "+strings.TrimPrefix(e.path, "/mod/"))
}

func (e *exchange) refuse() {
	e.set("Allow", "GET, HEAD")
	e.say(fasthttp.StatusMethodNotAllowed, "only GET and HEAD are answered")
}
