// Command pictures makes the pictures of README.md and docs/:
//
//   - site-light.png and site-dark.png, of the first page of a site, in Chromium
//   - session-light.svg and session-dark.svg, of a session in a terminal
//
// The publisher publishes a small monorepo, which is the same every time: see [history].
// What the session shows is what commands printed, and the page is that of its site. Dates
// of runs and the key of the checksum database are set, so that a picture changes when what
// it shows does, and then only. As no two versions of Chromium draw the same, pictures of a
// page that has not changed stay as they are; site.sha256 says of which page they are.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
)

func main() {
	publisher := flag.String("publisher", "", "the publisher's `binary`, as make build leaves it in bin")
	docs := flag.String("docs", "docs", "the `folder` with the documentation, of which pictures is a folder")
	flag.Parse()
	if flag.NArg() > 0 || *publisher == "" {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *publisher, *docs); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, publisher, docs string) (err error) {
	if publisher, err = filepath.Abs(publisher); err != nil {
		return err
	}
	if docs, err = filepath.Abs(docs); err != nil {
		return err
	}
	pictures := filepath.Join(docs, "pictures")
	if err := os.MkdirAll(pictures, 0o777); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "publisher-pictures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()

	w := &world{dir: filepath.Join(scratch, "monorepo"), publisher: publisher}
	if err := w.makeSource(ctx); err != nil {
		return err
	}
	s, err := w.session(ctx)
	if err != nil {
		return err
	}
	for _, c := range schemes {
		if err := replace(filepath.Join(pictures, "session-"+c.name+".svg"), s.draw(c)); err != nil {
			return err
		}
	}
	site, err := w.writeSite(ctx, docs)
	if err != nil {
		return err
	}
	return site.pictures(ctx, pictures)
}

// world is a monorepo, with rules and mirrors in it.
type world struct{ dir, publisher string }

// command is one that runs in the monorepo, and finds the publisher by its name.
func (w *world) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Dir(w.publisher)+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", fmt.Sprint("COLUMNS=", columns))
	return cmd
}

// run returns what a command prints on stdout.
func (w *world) run(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, out, &stderr)
	}
	return string(out), nil
}

// replace writes a file, unless it is as it should be.
func replace(name string, data []byte) error {
	if before, err := os.ReadFile(name); err == nil && bytes.Equal(before, data) {
		return nil
	}
	if err := renameio.WriteFile(name, data, 0o644); err != nil {
		return err
	}
	fmt.Println("drawn:", name)
	return nil
}
