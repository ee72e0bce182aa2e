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

// consumerEnvironment is the go command's environment, in which the proxy comes
// first. The module cache is a new one: the version is the same in every demo
// and what is in it is not. What the user's own cache has is not downloaded again.
func consumerEnvironment(ctx context.Context, proxy, moduleCache string) ([]string, error) {
	values, err := output(ctx, ".", nil, "go", "env", "GOMODCACHE", "GOPROXY", "GONOSUMDB")
	if err != nil {
		return nil, err
	}
	user := append(strings.Split(values, "\n"), "", "", "")
	proxies := []string{fileURL(proxy), fileURL(filepath.Join(user[0], "cache", "download"))}
	noSum := pinned
	if user[1] != "" {
		proxies = append(proxies, user[1])
	}
	if user[2] != "" {
		noSum = append([]string{user[2]}, pinned...)
	}
	return []string{
		"GOPROXY=" + strings.Join(proxies, ","),
		"GONOSUMDB=" + strings.Join(noSum, ","),
		"GOPRIVATE=", "GONOPROXY=none",
		"GOMODCACHE=" + moduleCache,
		"GOFLAGS=-modcacherw", // so that the scratch directory can be removed
		"GOWORK=off",
	}, nil
}

func fileURL(path string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return u.String()
}

// consume makes a module that pins what was published, builds it and runs it.
// It starts with the go.sum of what it pins: so the go command holds the
// siblings against the hashes that the publisher computed, and need not ask the checksum
// database about the others, which were looked up when they came into the
// monorepo.
func consume(ctx context.Context, dir, goSum string, env []string, kubeconfig string) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"go.mod":  "module example.com/consumer\n\ngo 1.26.0\n",
		"go.sum":  goSum,
		"main.go": program,
	} {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	step("go get %s", strings.Join(pins(), " "))
	if err := show(ctx, dir, env, "go", append([]string{"get"}, pins()...)...); err != nil {
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
	if err := show(ctx, dir, nil, binary, filepath.Join(dir, "..", "proxy"), copied, kubeconfig); err != nil {
		return fmt.Errorf("run what was built: %w", err)
	}
	return nil
}
