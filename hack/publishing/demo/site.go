package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/publisher/checksumdb"
)

// site is what publisher site has written, while publisher serve serves it.
type site struct {
	dir, url string
	server   *exec.Cmd
	ended    chan error
}

// serveSite writes the site of the mirrors, and serves it on loopback.
func serveSite(ctx context.Context, publisher, rules, mirrors, dir, docs string) (*site, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, url: "http://" + address, ended: make(chan error, 1)}
	args := []string{"site", "--rules", rules, "--mirrors", mirrors, "--out", dir, "--base-url", s.url, "--docs", docs}
	if err := show(ctx, filepath.Dir(dir), nil, publisher, args...); err != nil {
		return nil, err
	}
	s.server = exec.Command(publisher, "serve", "--dir", dir, "--listen", address, "--access-log=false")
	s.server.Stderr = os.Stderr
	if err := s.server.Start(); err != nil {
		return nil, fmt.Errorf("start publisher serve: %w", err)
	}
	go func() { s.ended <- s.server.Wait() }()
	for {
		answer, err := http.Get(s.url + "/healthz")
		if err == nil {
			return s, answer.Body.Close()
		}
		select {
		case err := <-s.ended:
			return nil, fmt.Errorf("publisher serve ended at once: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *site) stop() error {
	// Who interrupts the demo interrupts the server, too.
	if err := s.server.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return <-s.ended
}

// environment is all that a consumer sets. What is not published here comes from where
// the user has it from.
func (s *site) environment(ctx context.Context) ([]string, error) {
	key, err := os.ReadFile(filepath.Join(s.dir, "sumdb", "key"))
	if err != nil {
		return nil, err
	}
	values, err := output(ctx, ".", nil, "go", "env", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return nil, err
	}
	moduleCache, proxies, _ := strings.Cut(values, "\n")
	// What the user's cache has is not downloaded again.
	all := []string{s.url + "/mod", fileURL(filepath.Join(moduleCache, "cache", "download"))}
	if proxies = strings.TrimSpace(proxies); proxies != "" {
		all = append(all, proxies)
	}
	return []string{
		"GOPROXY=" + strings.Join(all, ","),
		"GOSUMDB=" + strings.TrimSpace(string(key)) + " " + s.url + "/sumdb",
		"GONOSUMDB=" + checksumdb.Others(pinned...),
	}, nil
}
