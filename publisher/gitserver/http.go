package gitserver

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"k8s.io/publisher/gittest"
)

// HTTP is git's http-backend behind TLS. Its fields are for whoever started it, under
// Lock where the server is in use.
type HTTP struct {
	// URL is where it is; Template is for the URLs of the repositories.
	URL, Template string
	// CA is the file of the certificate that its own is signed with. Git finds it where
	// GIT_SSL_CAINFO says.
	CA string

	sync.Mutex
	// Password, where not empty, is asked of everyone, and Bearer is a token that does in
	// its place. User is who is to give the password; anyone where it is empty.
	User, Password, Bearer string
	// MostBody is the most bytes that a request may have; no limit where it is zero.
	MostBody int64
	// Disk is how many blocks of 512 bytes the server has for a file; no limit where it is
	// zero.
	Disk int
	// Lose is how many answers to pushes get lost.
	Lose int
	// Intercept, where not nil, is called for each request that is let in. It may answer
	// itself, and returns false then.
	Intercept func(rw http.ResponseWriter, r *http.Request) bool
	// Refused, where not nil, is told of each request that is not let in.
	Refused func(r *http.Request)
	// Requests are the method, path and query of all requests that were let in, and
	// Denied counts the others.
	Requests []string
	Denied   int
}

// HTTP starts http-backend.
func (r *Repositories) HTTP() *HTTP {
	r.Helper()
	path := strings.TrimSpace(string(gittest.Git(r.TB, r.Root, "", "--exec-path")))
	program := filepath.Join(path, "git-http-backend")
	backend := func(disk int) *cgi.Handler {
		return &cgi.Handler{
			// A file that is too large fails a write as a full disk does.
			Path: "/bin/sh", Args: []string{"-c", `if [ $1 -gt 0 ]; then trap "" XFSZ; ulimit -f $1; fi; exec "$2"`, "sh", strconv.Itoa(disk), program},
			Stderr: io.Discard,
			Env:    append(environment(r.Root), "GIT_PROJECT_ROOT="+r.Root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=publisher"),
		}
	}
	s := new(HTTP)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		intercept, ok := s.admit(rw, r)
		if !ok || intercept != nil && !intercept(rw, r) {
			return
		}
		// CGI wants the length of a body, and git does not always tell it.
		body, err := io.ReadAll(r.Body)
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			http.Error(rw, tooLarge.Error(), http.StatusRequestEntityTooLarge)
			return
		} else if err != nil {
			return // Who asked has gone.
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		s.Lock()
		disk, lose := s.Disk, s.Lose > 0 && IsPush(r)
		if lose {
			s.Lose--
		}
		s.Unlock()
		if lose {
			backend(disk).ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		backend(disk).ServeHTTP(rw, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	r.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s.URL, s.Template = server.URL, server.URL+"/{{.Destination}}.git"
	s.CA = filepath.Join(r.TempDir(), "ca.pem")
	if err := os.WriteFile(s.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o666); err != nil {
		r.Fatal(err)
	}
	return s
}

// admit lets a request in, or answers that it is not.
func (s *HTTP) admit(rw http.ResponseWriter, r *http.Request) (intercept func(http.ResponseWriter, *http.Request) bool, ok bool) {
	s.Lock()
	defer s.Unlock()
	if s.Password != "" || s.Bearer != "" {
		user, password, basic := r.BasicAuth()
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case s.Bearer != "" && bearer && token == s.Bearer:
		case s.Password != "" && basic && password == s.Password && (s.User == "" || user == s.User):
		default:
			s.Denied++
			if s.Refused != nil {
				s.Refused(r)
			}
			rw.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(rw, "who are you?", http.StatusUnauthorized)
			return nil, false
		}
	}
	s.Requests = append(s.Requests, r.Method+" "+r.URL.RequestURI())
	if s.MostBody > 0 && r.Method == http.MethodPost {
		if r.ContentLength > s.MostBody {
			http.Error(rw, "too large", http.StatusRequestEntityTooLarge)
			return nil, false
		}
		r.Body = http.MaxBytesReader(rw, r.Body, s.MostBody)
	}
	return s.Intercept, true
}

// Set changes fields while the server is in use.
func (s *HTTP) Set(change func(*HTTP)) {
	s.Lock()
	defer s.Unlock()
	change(s)
}

// IsPush reports whether a request has what is pushed.
func IsPush(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-receive-pack")
}

// Cut ends the connection of a request once so many bytes of it were read: the server
// never sees it.
func Cut(rw http.ResponseWriter, r *http.Request, after int64) {
	_, _ = io.CopyN(io.Discard, r.Body, after)
	panic(http.ErrAbortHandler)
}
