package goproxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/mod/module"
)

// Server answers the module proxy protocol (https://go.dev/ref/mod#goproxy-protocol)
// with what a [Writer] has written, and for all other modules with what an upstream
// has. So who asks needs no network, and no credentials, but this server.
//
// It knows why a go command that asked it got nowhere: see [Server.Failures].
type Server struct {
	// Dir is the Writer's.
	Dir string
	// Own reports the paths of modules of which Dir has all versions that there
	// are. They are not asked for upstream. It may be nil.
	Own func(path string) bool
	// Upstream has the rest. Nil is nobody.
	Upstream Upstream

	mu       sync.Mutex
	failures []error
}

// Upstream has modules.
type Upstream interface {
	// File returns the name of a file with the answer to a request for a module:
	// for a version, or "list" or "@latest", and with one of .info, .mod and .zip.
	// The error is an [*UnknownError] if there is no such thing.
	File(ctx context.Context, path, version, ext string) (name string, err error)
}

// UnknownError reports a module or a version that an upstream does not know.
type UnknownError struct {
	Path, Version string
	Err           error
}

func (e *UnknownError) Error() string { return fmt.Sprintf("%s@%s: %v", e.Path, e.Version, e.Err) }
func (e *UnknownError) Unwrap() error { return e.Err }

// Failures are the errors of the upstream, each told once. That it does not know a
// module is among them where a version was asked for, and not where the go command
// was looking for modules.
func (s *Server) Failures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failures
}

func (s *Server) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.failures {
		if other.Error() == err.Error() {
			return
		}
	}
	s.failures = append(s.failures, err)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ask, err := parseRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	name := filepath.Join(s.Dir, filepath.FromSlash(strings.TrimPrefix(r.URL.Path, "/")))
	if ask.version == "list" {
		name = filepath.Join(s.Dir, filepath.FromSlash(ask.escaped), "@v", "list")
	}
	if _, err := os.Stat(name); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.failed(err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if s.Upstream == nil || s.Own != nil && s.Own(ask.path) {
			http.Error(w, ask.path+" has no version "+ask.version+" in the mirrors", http.StatusNotFound)
			return
		}
		name, err = s.Upstream.File(r.Context(), ask.path, ask.version, ask.ext)
		if err != nil {
			unknown := false
			if _, ok := errors.AsType[*UnknownError](err); ok {
				unknown = true
			}
			// A go command that looks for a package asks for modules that need not exist.
			if !unknown || ask.ext != "" && r.Context().Err() == nil {
				s.failed(err)
			}
			status := http.StatusBadGateway
			if unknown {
				status = http.StatusNotFound
			}
			http.Error(w, err.Error(), status)
			return
		}
	}
	http.ServeFile(w, r, name)
}

// request is what a go command asks for.
type request struct {
	escaped, path string
	version       string // or list, or @latest
	ext           string // with the dot; empty for list and @latest
}

func parseRequest(r *http.Request) (ask request, err error) {
	text, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/"))
	if err != nil {
		return ask, err
	}
	var file string
	var ok bool
	if ask.escaped, ok = strings.CutSuffix(text, "/@latest"); ok {
		ask.version = "@latest"
	} else if ask.escaped, file, ok = strings.Cut(text, "/@v/"); !ok {
		return ask, fmt.Errorf("%q is no request of the module proxy protocol", text)
	}
	if ask.path, err = module.UnescapePath(ask.escaped); err != nil {
		return ask, err
	}
	switch {
	case ask.version != "":
		return ask, nil
	case file == "list":
		ask.version = file
		return ask, nil
	}
	for _, ext := range []string{".info", ".mod", ".zip"} {
		if escaped, ok := strings.CutSuffix(file, ext); ok {
			ask.ext = ext
			ask.version, err = module.UnescapeVersion(escaped)
			return ask, err
		}
	}
	return ask, fmt.Errorf("%q is no request of the module proxy protocol", text)
}
