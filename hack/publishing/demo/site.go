package main

import (
	"bufio"
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

// proxies is the consumer's GOPROXY. What is not published here comes from where the
// user has it from; what the user's module cache has is not downloaded again.
func (s *site) proxies(ctx context.Context) (string, error) {
	values, err := output(ctx, ".", nil, "go", "env", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return "", err
	}
	moduleCache, others, _ := strings.Cut(values, "\n")
	all := []string{s.url + "/mod", fileURL(filepath.Join(moduleCache, "cache", "download"))}
	if others = strings.TrimSpace(others); others != "" {
		all = append(all, others)
	}
	return "GOPROXY=" + strings.Join(all, ","), nil
}

// database is the GOSUMDB by which what is published here is verified.
func (s *site) database() (string, error) {
	key, err := os.ReadFile(filepath.Join(s.dir, "sumdb", "key"))
	return strings.TrimSpace(string(key)) + " " + s.url + "/sumdb", err
}

// hash is that of a module's zip, as the checksum database has it.
func (s *site) hash(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/sumdb/lookup/"+path+"@"+version, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == path && f[1] == version {
			return f[2], nil
		}
	}
	return "", fmt.Errorf("the checksum database does not know %s@%s: %s", path, version, answer.Status)
}
