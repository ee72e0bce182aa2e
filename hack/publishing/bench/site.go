package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// siteTimes are how long publisher site took, sorted, and what it left.
type siteTimes struct {
	Nothing, Unchanged, NewTag []time.Duration
	Verify                     []time.Duration
	Peak                       int64 // of the run from nothing
	// Bytes on disk of the parts of the site, and of the mirrors; what is linked counts in
	// both.
	Mirrors, Modules, Log, Git, Pages int64
	Files                             int
}

// What is asked of the site.
const (
	siteLimit      = time.Minute
	siteNewLimit   = 2 * time.Second
	siteStillLimit = 500 * time.Millisecond
)

// measureSite writes a site from what save has kept, and then with nothing new, and with
// one new tag in all modules, so many times each. It needs room for a zip of every version
// of every module.
func (o ours) measureSite(ctx context.Context, s subject, saved string, p place, runs int) (times siteTimes, err error) {
	progress("the site: from nothing")
	if err := synced(s, saved)(ctx, p); err != nil {
		return times, err
	}
	defer os.RemoveAll(string(p))
	dir := filepath.Join(string(p), "site")
	site := func(times *[]time.Duration) (measurement, error) {
		syscall.Sync() // What others wrote must not go to disk while the clock runs.
		m, err := measure(ctx, invocation{Dir: string(p), Env: p.env(), Args: []string{
			o.binary, "site", "--rules", s.rules, "--mirrors", p.mirrors(), "--out", dir, "--base-url", "https://example.test/go",
		}})
		*times = append(*times, m.Wall)
		return m, err
	}
	m, err := site(&times.Nothing)
	if err != nil {
		return times, err
	}
	times.Peak = m.Peak
	progress("the site: from nothing: %s", seconds(m.Wall))
	for range runs {
		if _, err := site(&times.Unchanged); err != nil {
			return times, err
		}
	}
	for i := range runs {
		if err := s.addTag(ctx, p.source(), i); err != nil {
			return times, err
		}
		if _, err := measure(ctx, invocation{Args: o.run("sync", s.rules, p), Dir: string(p), Env: p.env()}); err != nil {
			return times, err
		}
		m, err := site(&times.NewTag)
		if err != nil {
			return times, err
		}
		progress("the site: a new tag: %s", seconds(m.Wall))
	}
	if err := times.weigh(dir, p.mirrors()); err != nil {
		return times, err
	}
	m, err = measure(ctx, invocation{Args: o.run("verify", s.rules, p, "--site", dir), Dir: string(p), Env: p.env()})
	times.Verify = append(times.Verify, m.Wall)
	for _, all := range [][]time.Duration{times.Unchanged, times.NewTag} {
		slices.Sort(all)
	}
	return times, err
}

// addTag puts one more release on the head of the newest release branch.
func (s *subject) addTag(ctx context.Context, source string, number int) error {
	branches, err := git(ctx, source, "for-each-ref", "--sort=-version:refname", "--format=%(refname:short)", "refs/heads/release-*")
	if err != nil {
		return err
	}
	branch, _, _ := strings.Cut(branches, "\n")
	version, ok := strings.CutPrefix(branch, "release-")
	if !ok {
		return fmt.Errorf("%s has no release branch to tag", source)
	}
	_, err = git(ctx, source, "-c", "user.name=News", "-c", "user.email=news@example.test",
		"tag", "-a", "-m", "Release", fmt.Sprintf("v%s.%d", version, 900+number), "refs/heads/"+branch)
	return err
}

// weigh counts what is on disk.
func (t *siteTimes) weigh(dir, mirrors string) (err error) {
	for _, part := range []struct {
		size *int64
		dirs []string
	}{
		{&t.Mirrors, []string{mirrors}},
		{&t.Modules, []string{filepath.Join(dir, "mod")}},
		{&t.Log, []string{filepath.Join(dir, "sumdb")}},
		{&t.Git, []string{filepath.Join(dir, "git")}},
		{&t.Pages, []string{filepath.Join(dir, "modules"), filepath.Join(dir, "commits"), filepath.Join(dir, "docs"), filepath.Join(dir, "assets")}},
	} {
		for _, dir := range part.dirs {
			err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
				if os.IsNotExist(err) || err == nil && e.Name() == ".publisher" {
					return fs.SkipDir
				}
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				info, err := e.Info()
				if err != nil {
					return err
				}
				*part.size += info.Sys().(*syscall.Stat_t).Blocks * 512
				if part.size != &t.Mirrors {
					t.Files++
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes a table, and a line for each target.
func (t siteTimes) write(w io.Writer) {
	fmt.Fprintln(w, "| the site | runs | wall, median | longest |")
	fmt.Fprintln(w, "|---|--:|--:|--:|")
	line := func(what string, all []time.Duration) {
		fmt.Fprintf(w, "| %s | %d | %s | %s |\n", what, len(all), seconds(all[len(all)/2]), seconds(slices.Max(all)))
	}
	line("publisher site, from nothing", t.Nothing)
	line("publisher site, one new tag in every module", t.NewTag)
	line("publisher site, nothing new", t.Unchanged)
	line("publisher verify --site, everything", t.Verify)
	fmt.Fprintf(w, "\nPeak memory from nothing: %s. On disk: mirrors %s; site in %d files: modules %s, checksum database %s, repositories %s (links to the mirrors), pages %s.\n\n",
		mebibytes(t.Peak), mebibytes(t.Mirrors), t.Files, mebibytes(t.Modules), mebibytes(t.Log), mebibytes(t.Git), mebibytes(t.Pages))
	target := func(what string, all []time.Duration, limit time.Duration) {
		fmt.Fprintf(w, "- %s: %s (target < %s): %s\n", what, seconds(all[len(all)/2]), limit, verdict(all[len(all)/2] < limit))
	}
	target("the site from nothing", t.Nothing, siteLimit)
	target("the site, one new tag", t.NewTag, siteNewLimit)
	target("the site, nothing new", t.Unchanged, siteStillLimit)
}
