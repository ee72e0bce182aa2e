package main

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// program is the consumer's main.go. It has another suffix here because it is
// no part of this module.
//
//go:embed consumer.go.txt
var program string

// private is the part of the go command's environment that keeps the demo apart. The
// module cache and what is known of checksum databases are new: the version is the same in every
// demo, and what is in it is not.
func private(scratch string) []string {
	return []string{
		"GOPRIVATE=", "GONOPROXY=none", "GOINSECURE=",
		"GOPATH=" + filepath.Join(scratch, "go"), "GOMODCACHE=" + filepath.Join(scratch, "go", "pkg", "mod"),
		"GOFLAGS=-modcacherw", // so that the scratch directory can be removed
		"GOWORK=off",
	}
}

func fileURL(path string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return u.String()
}

// download brings versions of modules that are published here, verified by the site's
// checksum database, and returns the environment in which all else is verified by the
// user's: the go command knows one database at a time.
func download(ctx context.Context, dir string, env []string, database string, paths []string) ([]string, error) {
	step("go mod download %s, verified by the site's checksum database", strings.Join(pins(paths), " "))
	verified := append(env[:len(env):len(env)], "GOSUMDB="+database, "GONOSUMDB=")
	if err := show(ctx, dir, verified, "go", append([]string{"mod", "download"}, pins(paths)...)...); err != nil {
		return nil, err
	}
	excepted, err := output(ctx, ".", nil, "go", "env", "GONOSUMDB")
	if err != nil {
		return nil, err
	}
	return append(env[:len(env):len(env)], "GONOSUMDB="+strings.Join(append(paths[:len(paths):len(paths)], excepted), ",")), nil
}

// consume makes a module that pins what was published, builds it and runs it.
func consume(ctx context.Context, dir string, env []string, database, kubeconfig string) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"go.mod":  "module example.com/consumer\n\ngo 1.26.0\n",
		"main.go": program,
	} {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	env, err := download(ctx, dir, env, database, pinned)
	if err != nil {
		return err
	}
	step("go get %s", strings.Join(pins(pinned), " "))
	if err := show(ctx, dir, env, "go", append([]string{"get"}, pins(pinned)...)...); err != nil {
		return err
	}
	// What the packages that it imports require in turn is added, too.
	if err := show(ctx, dir, env, "go", "mod", "tidy"); err != nil {
		return err
	}
	step("go build, go mod verify, and run")
	binary := filepath.Join(dir, "consumer")
	for _, args := range [][]string{
		// Paths differ from demo to demo, and must not get into the build cache.
		{"build", "-mod=readonly", "-trimpath", "-o", binary, "."},
		{"mod", "verify"},
	} {
		if err := show(ctx, dir, env, "go", args...); err != nil {
			return err
		}
	}
	copied := filepath.Join(dir, "copy")
	if err := show(ctx, dir, nil, binary, filepath.Join(dir, "..", "site", "mod"), copied, kubeconfig); err != nil {
		return fmt.Errorf("run what was built: %w", err)
	}
	return nil
}
