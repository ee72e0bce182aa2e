// Command demo shows the whole way of a release, from a tag in this monorepo
// to a program that pins it, with the real publisher and the real go command:
//
//  1. clone the repository at HEAD and put the source tag v1.36.0-demo.1 there,
//  2. publish branches and tags to new mirrors, and verify them,
//  3. write the site with module proxy and checksum database, and serve it,
//  4. install the publisher itself from there,
//  5. have a new module require the tagged versions from there, build it and run it:
//     it lists the pods of a real API server on loopback.
//
// What is not committed is not published. Everything happens in a scratch
// directory, which goes away at the end. The same HEAD gives the same hashes on
// every machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"k8s.io/publisher/hack/e2e/controlplane"
)

const sourceTag, version = "v1.36.0-demo.1", "v0.36.0-demo.1"

// pinned are the modules that the consumer requires, and tool is the one that is a command.
var pinned = []string{"k8s.io/client-go", "k8s.io/sample-controller"}

const tool = "k8s.io/publisher"

func main() {
	publisher := flag.String("publisher", "", "the publisher's `binary`, as make build leaves it in bin")
	repository := flag.String("repository", ".", "publish the HEAD of this `repository`")
	keep := flag.Bool("keep", false, "leave the scratch directory, with mirrors, site and consumer")
	serve := flag.Bool("serve", false, "serve the site at the end, until interrupted")
	cache := flag.String("build-cache", "", "a `folder` for what the publisher compiles, which is kept")
	flag.Parse()
	if flag.NArg() > 0 || *publisher == "" {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *publisher, *repository, *cache, *keep, *serve); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, publisher, repository, cache string, keep, serve bool) (err error) {
	if cache != "" {
		if cache, err = filepath.Abs(cache); err != nil {
			return err
		}
	}
	if publisher, err = filepath.Abs(publisher); err != nil {
		return err
	}
	if _, err := os.Stat(publisher); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no publisher at %s; make build makes it", publisher)
	}
	scratch, err := os.MkdirTemp("", "publisher-demo-")
	if err != nil {
		return err
	}
	defer func() {
		if keep {
			step("Kept: %s", scratch)
			return
		}
		err = errors.Join(err, os.RemoveAll(scratch))
	}()

	source, err := cutRelease(ctx, repository, scratch)
	if err != nil {
		return err
	}
	step("Tagged %.12s as %s, as head of %s in a clone", source.head, sourceTag, source.branch)

	mirrors := filepath.Join(scratch, "mirrors")
	for _, verb := range []string{"sync", "verify"} {
		step("publisher %s", verb)
		args := []string{verb, "--rules", source.rulesFile, "--source", source.dir, "--mirrors", mirrors}
		if verb == "sync" {
			args = append(args, "--consumers=none") // There is one below.
			if cache != "" {
				args = append(args, "--build-cache", cache)
			}
		}
		if err := show(ctx, scratch, nil, publisher, args...); err != nil {
			return err
		}
	}
	published, err := readMirrors(ctx, source.rules, mirrors)
	if err != nil {
		return err
	}

	step("publisher site, and serve")
	site, err := serveSite(ctx, publisher, source.rulesFile, mirrors, filepath.Join(scratch, "site"), filepath.Join(source.repository, "docs"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.stop()) }()
	proxies, err := site.proxies(ctx)
	if err != nil {
		return err
	}
	database, err := site.database()
	if err != nil {
		return err
	}
	env := append(private(scratch), proxies)
	if err := install(ctx, scratch, env, database, site); err != nil {
		return fmt.Errorf("install the publisher from the site: %w", err)
	}
	step("Starting an API server")
	server, err := controlplane.Start(ctx, controlplane.Options{Dir: filepath.Join(scratch, "controlplane"), Log: progress{}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := consume(ctx, filepath.Join(scratch, "consumer"), env, database, server.AdminKubeconfig); err != nil {
		return fmt.Errorf("consumer: %w", err)
	}

	step("Published")
	if err := printTable(os.Stdout, published); err != nil {
		return err
	}
	step("To pin it in a module of yours, while the site is served")
	fmt.Printf("export GOPROXY='%s/mod',\"$(go env GOPROXY)\"\n", site.url)
	fmt.Printf("GOSUMDB='%s' go mod download %s\n", database, strings.Join(pins(pinned), " "))
	fmt.Printf("GONOSUMDB=%s go get %s\n", strings.Join(pinned, ","), strings.Join(pins(pinned), " "))
	switch {
	case serve:
		step("The site is at %s/ until you interrupt", site.url)
		<-ctx.Done()
	case keep:
		step("To serve the site again")
		fmt.Printf("%s serve --dir %s --listen %s\n", publisher, site.dir, strings.TrimPrefix(site.url, "http://"))
	default:
		step("The site was at %s/; with -serve it stays", site.url)
	}
	return nil
}

// pins are what the go command is asked for.
func pins(paths []string) []string {
	var all []string
	for _, path := range paths {
		all = append(all, path+"@"+version)
	}
	return all
}

// step says what comes next.
func step(format string, args ...any) { fmt.Printf("\n== "+format+"\n", args...) }

// show runs a command whose output is for the reader.
func show(ctx context.Context, dir string, env []string, name string, args ...string) error {
	return command(ctx, dir, env, os.Stdout, name, args...)
}

// output runs a command and returns what it prints.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var out strings.Builder
	err := command(ctx, dir, env, &out, name, args...)
	return strings.TrimSpace(out.String()), err
}

func command(ctx context.Context, dir string, env []string, stdout io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return nil
}
