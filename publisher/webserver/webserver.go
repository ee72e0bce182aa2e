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
// There is no TLS, which is the business of the proxy in front of it, as is everything that
// counts requests by client.
package webserver

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
)

// Handler serves a directory.
type Handler struct {
	root       *os.Root
	folder     *os.File // the same
	log        *slog.Logger
	metrics    *measures
	compressed *lru.Cache[string, []byte] // by entity tag and name
}

// Options are those of a [Handler].
type Options struct {
	// AccessLog gets a line for each request. Nil is none.
	AccessLog *slog.Logger
	// Registry takes the metrics. Nil is none.
	Registry prometheus.Registerer
}

// New returns a handler for a directory, which must be there.
func New(dir string, o Options) (*Handler, error) {
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
	return &Handler{root: root, folder: folder, log: o.AccessLog, metrics: newMeasures(o.Registry), compressed: compressed}, nil
}

// Close lets go of the directory.
func (h *Handler) Close() error { return errors.Join(h.folder.Close(), h.root.Close()) }

const (
	forEver = "public, max-age=31536000, immutable"
	minute  = "public, max-age=60"
	revisit = "no-cache"

	// What pages need: nothing is inline, nothing comes from elsewhere.
	pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	filePolicy = "default-src 'none'; frame-ancestors 'none'"
)

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	out := &response{ResponseWriter: w}
	k := h.serve(out, r)
	took := time.Since(start)
	h.metrics.observe(k.name, out.code, out.size, took)
	if h.log != nil {
		h.log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", out.code), slog.Int64("bytes", out.size), slog.Duration("took", took),
			slog.String("from", r.RemoteAddr), slog.String("agent", r.UserAgent()))
	}
}

func (h *Handler) serve(w *response, r *http.Request) kind {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", filePolicy)
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		say(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered")
		return kind{name: "other"}
	}
	if r.URL.Path == "/healthz" {
		header.Set("Cache-Control", "no-store")
		say(w, http.StatusOK, "ok")
		return kind{name: "health"}
	}
	name, ok := fileName(r.URL.Path)
	if !ok {
		return h.missing(w, r)
	}
	f, info, err := h.open(name)
	if err == nil && info.IsDir() {
		f.Close()
		if name != "." && !strings.HasSuffix(r.URL.Path, "/") {
			// Only for a page: relative links count from its folder.
			if _, err := h.root.Stat(path.Join(name, "index.html")); err != nil {
				return h.missing(w, r)
			}
			u := "/" + name + "/"
			if r.URL.RawQuery != "" {
				u += "?" + r.URL.RawQuery
			}
			header.Set("Cache-Control", minute)
			http.Redirect(w, r, u, http.StatusMovedPermanently)
			return kind{name: "page"}
		}
		name = path.Join(name, "index.html")
		f, info, err = h.open(name)
	} else if err == nil && strings.HasSuffix(r.URL.Path, "/") {
		f.Close()
		return h.missing(w, r)
	}
	if err != nil {
		return h.failed(w, r, err)
	}
	defer f.Close()
	if !info.Mode().IsRegular() {
		return h.missing(w, r)
	}
	k := kindOf(name)
	h.send(w, r, name, k, f, info)
	return k
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

// open opens a file. Nothing is waited for: not for who writes into a pipe, either.
func (h *Handler) open(name string) (*os.File, fs.FileInfo, error) {
	f, err := openBelow(h.root, h.folder, name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
	}
	return f, info, err
}

// send writes a file with its headers.
func (h *Handler) send(w *response, r *http.Request, name string, k kind, f *os.File, info fs.FileInfo) {
	header := w.Header()
	header.Set("Content-Type", k.mime)
	header.Set("Cache-Control", minute)
	if k.immutable {
		header.Set("Cache-Control", forEver)
	} else if k.name == "git" {
		header.Set("Cache-Control", revisit)
	}
	if k.page {
		header.Set("Content-Security-Policy", pagePolicy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("X-Frame-Options", "DENY")
	}
	tag := strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36)
	var content io.ReadSeeker = f
	if k.text && info.Size() >= worthwhile && info.Size() <= compressible {
		header.Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header) {
			data, err := h.gzip(tag+" "+name, f)
			if err != nil {
				h.failed(w, r, err)
				return
			}
			header.Set("Content-Encoding", "gzip")
			tag += "-gzip"
			content = bytes.NewReader(data)
		}
	}
	header.Set("Etag", `"`+tag+`"`)
	if info.Size() > quick {
		// Who reads slowly gets the time for it, but not for ever.
		deadline := time.Now().Add(writeTimeout + time.Duration(info.Size()/slowest)*time.Second)
		_ = http.NewResponseController(w).SetWriteDeadline(deadline)
	}
	http.ServeContent(w, r, "", info.ModTime(), content)
}

const (
	worthwhile      = 1 << 10 // Smaller files fit into a packet.
	compressible    = 4 << 20 // Larger ones take too long.
	compressedFiles = 512
	quick           = 1 << 20
	slowest         = 16 << 10 // bytes in a second
)

// takesGzip tells whether a client takes gzip for what it gets whole.
func takesGzip(header http.Header) bool {
	if header.Get("Range") != "" {
		return false
	}
	for offer := range strings.SplitSeq(strings.Join(header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, weighed := strings.Cut(offer, ";")
		if coding = strings.TrimSpace(coding); coding != "gzip" && coding != "*" {
			continue
		}
		_, number, _ := strings.Cut(weight, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		return !weighed || err == nil && q > 0
	}
	return false
}

// gzip compresses a file, once.
func (h *Handler) gzip(id string, f io.Reader) ([]byte, error) {
	if data, ok := h.compressed.Get(id); ok {
		return data, nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(z, f)
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	h.compressed.Add(id, b.Bytes())
	return b.Bytes(), nil
}

// failed answers where a file cannot be read. That it is not there, or not below the directory,
// is nothing that the client should see a difference in.
func (h *Handler) failed(w *response, r *http.Request, err error) kind {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOMEM) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Retry-After", "5")
		say(w, http.StatusServiceUnavailable, "the file cannot be read now")
		return kind{name: "other"}
	}
	return h.missing(w, r)
}

func (h *Handler) missing(w *response, r *http.Request) kind {
	// Not for long: the version may be published in a moment.
	w.Header().Set("Cache-Control", "public, max-age=10")
	say(w, http.StatusNotFound, "not found: "+strings.TrimPrefix(r.URL.Path, "/mod/"))
	return kind{name: "missing"}
}

// say answers with a sentence, which the go command shows to its user.
func say(w http.ResponseWriter, code int, text string) {
	header := w.Header()
	for _, name := range []string{"Etag", "Content-Encoding"} {
		header.Del(name)
	}
	header.Set("Content-Type", plain)
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n") // Who does not read it does not get it.
}

// response notes what is answered.
type response struct {
	http.ResponseWriter
	code int
	size int64
}

func (w *response) WriteHeader(code int) {
	w.code = cmp.Or(w.code, code)
	w.ResponseWriter.WriteHeader(code)
}

func (w *response) Write(data []byte) (int, error) {
	w.code = cmp.Or(w.code, http.StatusOK)
	n, err := w.ResponseWriter.Write(data)
	w.size += int64(n)
	return n, err
}

// ReadFrom has the operating system copy a file, as it would without this type.
func (w *response) ReadFrom(r io.Reader) (int64, error) {
	w.code = cmp.Or(w.code, http.StatusOK)
	n, err := io.Copy(w.ResponseWriter, r)
	w.size += n
	return n, err
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
