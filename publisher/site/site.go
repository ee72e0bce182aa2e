// Package site writes what is published as a directory that any web server or object
// store can serve: a consumer sets GOPROXY and GOSUMDB to it and needs nothing else.
//
//	mod/     module versions, for the go command; see package goproxy
//	sumdb/   the checksum database; see package checksumdb
//	git/     the mirrors, for git over plain HTTP
//	…        pages for people; see package pages
//	state    which mirrors all of that was made from
//
// Everything comes from the mirrors. What is written once about a version is never
// touched again: a run adds what is new. Who reads meanwhile sees a whole file or none,
// and is told of nothing before what it needs is there. So the order is: zips and go.mod
// files; the checksum database, which refuses a version that is not what it was; what
// lists versions; git; pages; and the state at the very end, so that a run that was cut
// off is finished by the next one.
//
// Versions that the go command could not fetch are left out, and reported. Those that
// were there when a mirror was taken over from somebody else are served like all others;
// nothing proves that they are what the source was.
package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/checksumdb"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/status"
)

// Options say what is written, and where.
type Options struct {
	// Dir is the site's directory. It is made where it is not there.
	Dir string
	// Rules and Mirrors are what is published.
	Rules   *rules.Rules
	Mirrors string
	// BaseURL is where the site is going to be served, such as https://example.com/go.
	// Where it is empty, versions do not say where they come from, there are no pages for
	// GOPROXY=direct, and the checksum database is called localhost.
	BaseURL string
	// KeyFile has the private key of the checksum database. It is made at first use.
	KeyFile string
	// Docs, where not empty, is a folder with documentation that is shown beside the modules.
	Docs string
	// Status is where destinations stand. Nil: as the report beside the mirrors says.
	Status *status.Status

	Log      *slog.Logger
	Progress func(what string, done, total int)
}

// Report says what was done.
type Report struct {
	// Unchanged tells that nothing was to be done.
	Unchanged bool `json:"unchanged"`
	// Key is the verifier key of the checksum database; empty where nothing was done.
	Key          string         `json:"key,omitempty"`
	Destinations []*Destination `json:"destinations"`
}

// Destination says what was done for one destination.
type Destination struct {
	Name string `json:"name"`
	// Versions are those that are served, and New those of them that this run added.
	Versions int `json:"versions"`
	New      int `json:"new"`
	// Foreign are those that were there when the mirror was taken over: served, and not
	// proven.
	Foreign int `json:"foreign,omitempty"`
	// Unfetchable are versions that are left out, and why.
	Unfetchable []Unfetchable `json:"unfetchable,omitempty"`
}

// Unfetchable is a version that the go command could not fetch.
type Unfetchable struct {
	Module string `json:"module"`
	Why    string `json:"why"`
}

// CheckBaseURL returns an error where a site cannot be served at a URL.
func CheckBaseURL(base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return fmt.Errorf("base URL: %w", err)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("base URL %q is not of the form https://host/path", u.Redacted())
	case u.User != nil:
		return errors.New("base URL: it is for everyone, and can have no user")
	}
	return nil
}

// writer is one run.
type writer struct {
	Options
	catalog *catalog.Catalog
	report  map[string]*Destination
	log     *checksumdb.Database
	sums    modhash.MemorySums
	hashers map[string]*modhash.Hasher
	changed func(destination string) bool
	// modules are what is served of each destination.
	modules map[string]*served
	owner   map[string]*catalog.Destination // of module paths
	hashes  map[module.Version]checksumdb.Record
}

// Write brings a site up to date. The lock of the mirrors is held meanwhile. The error is
// a [*checksumdb.ChangedError] where a version is not what it was.
func Write(ctx context.Context, o Options) (_ *Report, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := CheckBaseURL(o.BaseURL); err != nil {
		return nil, err
	}
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	lock, err := mirror.Acquire(ctx, o.Mirrors, o.Log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	if o.Status == nil {
		if o.Status, err = status.Read(mirror.WorkDir(o.Mirrors)); err != nil {
			o.Log.Warn("the pages do not say how destinations do", "error", err)
		}
	}
	now, err := stateOf(&o)
	if err != nil {
		return nil, err
	}
	before := readState(o.Dir)
	if before.same(now) {
		return &Report{Unchanged: true, Destinations: []*Destination{}}, nil
	}
	w := &writer{
		Options: o, report: make(map[string]*Destination), hashers: make(map[string]*modhash.Hasher),
		modules: make(map[string]*served), owner: make(map[string]*catalog.Destination), hashes: make(map[module.Version]checksumdb.Record),
		changed: func(destination string) bool { return before.changed(now, destination) },
	}
	if w.catalog, err = catalog.Read(ctx, catalog.Input{Rules: o.Rules, Mirrors: o.Mirrors}); err != nil {
		return nil, err
	}
	defer w.catalog.Close()
	r := new(Report)
	for _, d := range w.catalog.Destinations {
		w.report[d.Name] = &Destination{Name: d.Name}
		r.Destinations = append(r.Destinations, w.report[d.Name])
	}
	if w.log, err = w.openLog(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.log.Close()) }()
	r.Key = w.log.VerifierKey()
	for _, step := range []func(context.Context) error{w.writeModules, w.writeGit, w.writePages} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return r, now.write(o.Dir)
}

// openLog opens the checksum database, and lets the module proxy pass it on.
func (w *writer) openLog() (*checksumdb.Database, error) {
	name := "localhost"
	if u, err := url.Parse(w.BaseURL); err == nil && u.Hostname() != "" {
		name = u.Hostname()
	}
	if _, err := os.Stat(w.KeyFile); err == nil {
		name = "" // A key that was rotated has another one.
	}
	return checksumdb.Open(filepath.Join(w.Dir, "sumdb"), checksumdb.Options{Name: name, KeyFile: w.KeyFile})
}

// each does something for each destination, on all processors.
func (w *writer) each(ctx context.Context, do func(*catalog.Destination) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, d := range w.catalog.Destinations {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(d)
		})
	}
	return group.Wait()
}

func (w *writer) progress(what string, done, total int) {
	if w.Progress != nil {
		w.Progress(what, done, total)
	}
}
