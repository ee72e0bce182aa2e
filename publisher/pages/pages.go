// Package pages writes the part of the site that people read, and what tools read
// about it: pages, feeds, and an index in JSON. Module proxy, checksum database and git
// repositories beside them are packages of their own.
//
// # What is written
//
//	index.html                      all modules, and how to pin from this site
//	index.json                      the same for tools; see [Index]
//	feed.atom                       the newest versions of all modules
//	modules/D/index.html            the module of destination D
//	modules/D/index.json            all of its branches and versions; see [ModuleIndex]
//	modules/D/feed.atom             its newest versions
//	modules/D/v0.36.html            a minor version: its releases, and what changed
//	modules/D/api-v0.36.json        how its API differs from v0.35's; see [APIChange]
//	modules/D/other.html            tags that are no versions
//	modules/D/commits-N.html        its commits; the oldest are on page 1
//	commits/index.html              finds a commit of the source or of a mirror
//	commits/2b.html, commits/2b.json  the commits that begin with 2b; see package find
//	docs/…                          the documentation
//	assets/…                        style sheet, script, icon
//
// # How
//
// Data takes one way: from the [Input] into a value for each page, which has what the
// page shows and nothing else, and from there through html/template, which escapes all
// that comes from the source. No page has a style or a script of its own, so that the
// content security policy with which package webserver sends them need not allow any.
//
// Nothing on a page depends on when it was written. So a page that says the same is the
// same, byte for byte, and its file stays as it is. Pages of which a site has many are not
// even made where what they show is what they showed before, which a hidden file notes.
// New files are complete before the first of them is seen; then they are moved into place,
// the pages that link to others last.
//
// All links are relative, so the site may be anywhere on a server. All that the script
// does is comfort: buttons that copy, tables that are filtered as you type, the search
// for commits, which the pages below commits/ offer without it.
package pages

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"

	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"

	"k8s.io/publisher/apichange"
	"k8s.io/publisher/catalog"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/status"
)

// Input is what pages are made from.
type Input struct {
	Catalog *catalog.Catalog
	Rules   *rules.Rules
	// Status is where destinations stand since the last run; nil where nobody knows.
	Status *status.Status
	// BaseURL is where the site is. Where it is empty, pages leave the place to the
	// reader, or to the script, which knows from where it came.
	BaseURL string
	// SumDB is the verifier key of the checksum database: the first word of GOSUMDB. It
	// is empty where there is none.
	SumDB string
	// Docs has the documentation: Markdown, and what that links to. Nil: there is none.
	Docs fs.FS
	// Hash returns the hash of a module's zip, and its place in the checksum database. Nil:
	// there is none.
	Hash func(module.Version) (zip string, index int64, ok bool)
}

// Write writes all pages to a folder that may have other things in it, too. Files of
// pages that are no more are removed. An error is about this machine or a damaged
// mirror.
func Write(ctx context.Context, dir string, in Input) error {
	s := &site{Input: in, std: apichange.FindStd()}
	common, err := s.common()
	if err != nil {
		return fmt.Errorf("write the pages: %w", err)
	}
	if s.out, err = newOutput(dir, common); err != nil {
		return fmt.Errorf("write the pages: %w", err)
	}
	defer s.out.discard()
	if err := s.write(ctx); err != nil {
		return fmt.Errorf("write the pages: %w", err)
	}
	return nil
}

// site is the work of one call of [Write].
type site struct {
	Input
	out     *output
	modules []*mirrored
	std     *apichange.Std // nil where there is none
}

func (s *site) write(ctx context.Context) error {
	s.modules = make([]*mirrored, len(s.Catalog.Destinations))
	var reading errgroup.Group
	reading.SetLimit(runtime.GOMAXPROCS(0))
	for i, d := range s.Catalog.Destinations {
		reading.Go(func() (err error) {
			if s.modules[i], err = s.read(d); err != nil {
				return fmt.Errorf("%s: %w", d.Name, err)
			}
			return nil
		})
	}
	if err := reading.Wait(); err != nil {
		return err
	}
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, m := range s.modules {
		group.Go(func() error {
			if err := s.writeModule(working, m); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			return nil
		})
	}
	group.Go(func() error { return s.writeFinder(working) })
	group.Go(s.writeDocs)
	group.Go(s.writeAssets)
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.writeOverview(); err != nil {
		return err
	}
	return s.out.commit(ctx)
}
