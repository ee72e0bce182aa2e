package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
	"k8s.io/publisher/site"
	"k8s.io/publisher/status"
)

// siteFlags are those of all commands that write a site.
type siteFlags struct {
	dir, baseURL, keyFile, docs string
}

// add adds all but the flag for the folder, which has another name in each command.
func (s *siteFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&s.baseURL, "base-url", "", "the `URL` at which the site is going to be served, such as https://example.com/go")
	c.Flags().StringVar(&s.keyFile, "sumdb-key", "", "the `file` with the private key of the checksum database, made at first use (default the site's folder with .key after it)")
	c.Flags().StringVar(&s.docs, "docs", "", "a `folder` with documentation in Markdown to show beside the modules")
}

// addTo adds the flags to a command that does something else first.
func (s *siteFlags) addTo(c *cobra.Command) {
	c.Flags().StringVar(&s.dir, "site", "", "bring the site in this `folder` up to date afterwards, as publisher site does")
	s.add(c)
}

// check says early what would fail late.
func (s *siteFlags) check() error {
	if s.dir == "" && (s.baseURL != "" || s.keyFile != "" || s.docs != "") {
		return errors.New("--base-url, --sumdb-key and --docs are about a site, which --site names")
	}
	return site.CheckBaseURL(s.baseURL)
}

// key is the file with the private key of the checksum database.
func (s *siteFlags) key() string { return cmp.Or(s.keyFile, filepath.Clean(s.dir)+".key") }

// hide keeps the private key from what is built and run of the source.
func (s *siteFlags) hide(o *session.Options) {
	if s.dir != "" {
		o.Build.Hidden = append(slices.Clone(o.Build.Hidden), s.key())
	}
}

// site brings a site up to date with the mirrors.
func (f *flags) site(ctx context.Context, s *siteFlags, where *status.Status, log *slog.Logger) (*site.Report, error) {
	set, err := rules.LoadOrFetch(ctx, f.rules)
	if err != nil {
		return nil, err
	}
	return site.Write(ctx, site.Options{
		Dir: s.dir, Rules: set, Mirrors: f.mirrors, BaseURL: s.baseURL, KeyFile: s.key(), Docs: s.docs,
		Status: where, Log: log, Progress: f.screen.progress,
	})
}

// siteAfter brings the site up to date after a sync, if there is one, and logs what came of
// it: what a sync reports is the mirrors.
func (f *flags) siteAfter(ctx context.Context, s *siteFlags, where *status.Status, log *slog.Logger) error {
	if s.dir == "" {
		return nil
	}
	r, err := f.site(ctx, s, where, log)
	if err != nil {
		return fmt.Errorf("the mirrors are as they should be, but the site in %s is not up to date: %w", s.dir, err)
	}
	added := 0
	for _, d := range r.Destinations {
		added += d.New
		for _, u := range d.Unfetchable {
			log.Warn("a version is not on the site, as the go command could not fetch it", "destination", d.Name, "version", u.Module, "why", u.Why)
		}
	}
	log.Info("the site is up to date", "folder", s.dir, "versions", added)
	return nil
}

func newSite(f *flags) *cobra.Command {
	var s siteFlags
	c := &cobra.Command{
		Use:   "site",
		Short: "Write a site from which the mirrors' modules can be pinned",
		Long: `Write a site from which the mirrors' modules can be pinned.

What is in the mirrors is written as files that any web server or object store can
serve; a consumer at https://example.com/go sets GOPROXY and GOSUMDB:

  OUT/mod      a module proxy: GOPROXY=https://example.com/go/mod
  OUT/sumdb    a checksum database, whose key OUT/sumdb/key has:
               GOSUMDB="KEY https://example.com/go/sumdb"
  OUT/git      the mirrors, for git over plain HTTP
  OUT/…        pages for people, from index.html on

Only what is new is written, and a version that was written is never touched again.
Who reads meanwhile sees a whole file or none, and each thing before it is told of.
A run that was cut off is finished by the next one.

The first run makes the private key of the checksum database, beside the site. Keep
it and OUT/sumdb: go commands that have seen the database accept no other one. Where
a version's hash is not the one in the database, nothing new is listed, and the exit
code is 1.

Versions that the go command could not fetch are left out, and reported. Those that
were there when a mirror was taken over are served, and counted as foreign: nothing
proves them. docs/serving.md says how to serve the site.`,
		Example: `  publisher site --out /srv/site --base-url https://example.com/go
  publisher site --out /srv/site --mirrors /srv/mirrors --docs docs
  publisher sync --push --site /srv/site --base-url https://example.com/go`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := f.site(c.Context(), &s, nil, f.log)
			if err != nil {
				return err
			}
			return f.print(r, siteTable(r, s.dir, f.width()))
		},
	}
	c.Flags().StringVar(&s.dir, "out", "site", "the `folder` of the site")
	c.Flags().StringVar(&f.mirrors, "mirrors", ".", "the `folder` of the mirrors; that of destination D is D/mirror.git in it")
	s.add(c)
	f.addOutput(c)
	return c
}

// siteTable returns a function that writes a report for people.
func siteTable(r *site.Report, dir string, width int) func(io.Writer) error {
	return func(w io.Writer) error {
		if r.Unchanged {
			_, err := fmt.Fprintf(w, "the site in %s is up to date\n", dir)
			return err
		}
		t := new(table)
		t.row("DESTINATION", "VERSIONS", "NEW", "FOREIGN", "LEFT OUT")
		for _, d := range r.Destinations {
			foreign, out := "", ""
			if d.Foreign > 0 {
				foreign = strconv.Itoa(d.Foreign)
			}
			if n := len(d.Unfetchable); n > 0 {
				out = strconv.Itoa(n)
			}
			t.row(d.Name, strconv.Itoa(d.Versions), strconv.Itoa(d.New), foreign, out)
		}
		if err := t.write(w, width); err != nil {
			return err
		}
		l := lines{w: w}
		for _, d := range r.Destinations {
			var notes []string
			for _, u := range d.Unfetchable {
				notes = append(notes, "left out: "+u.Module+": "+u.Why)
			}
			l.list(d.Name, "version that the go command cannot fetch", notes)
		}
		return nil
	}
}
