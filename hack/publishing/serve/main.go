// Command serve measures "publisher serve" beside nginx, which serves the same directory with
// the same headers and a log: requests in a second and the latency that 99 in 100 keep below,
// for the files that go commands and people ask for. Then it lets clients that are slow, or that do nothing, at
// the publisher, and watches its memory.
//
//	make bench-serve
//
// It needs nginx and wrk, which are packages of Debian. What it prints is only worth
// something on a machine that does nothing else.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	publisher   = flag.String("publisher", "../../bin/publisher", "the publisher's `binary`")
	length      = flag.Duration("length", 10*time.Second, "how long each file is asked for")
	rounds      = flag.Int("rounds", 1, "how often it is asked for, from the one and then from the other")
	soak        = flag.Duration("soak", 5*time.Minute, "how long memory is watched under load")
	idle        = flag.Int("idle", 10_000, "how many connections are open without a request")
	connections = flag.Int("connections", 64, "how many clients ask at once")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// files are what is asked for.
var files = []struct{ what, path string }{
	{".info", "/mod/k8s.io/client-go/@v/v0.36.0.info"},
	{".zip, 1 MB", "/mod/k8s.io/client-go/@v/v0.36.0.zip"},
	{"page, 40 KB", "/index.html"},
}

// makeSite writes them.
func makeSite(dir string) error {
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	contents := [][]byte{
		[]byte(`{"Version":"v0.36.0","Time":"2026-04-22T15:04:05Z","Origin":{"VCS":"git","URL":"https://example.org/git/client-go","Ref":"refs/tags/v0.36.0","Hash":"2b0d7c6a1f002b0d7c6a1f002b0d7c6a1f002b0d"}}`),
		random,
		[]byte("<!doctype html><title>Mirrors</title><table>" + strings.Repeat("<tr><td>client-go</td><td>v0.36.0</td><td>2b0d7c6a1f00</td></tr>\n", 600) + "</table>"),
	}
	for i, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, contents[i], 0o644); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench-serve-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// The workers of nginx may be another user's.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	site := filepath.Join(dir, "site")
	if err := makeSite(site); err != nil {
		return err
	}
	ours, err := startPublisher(ctx, dir, site)
	if err != nil {
		return err
	}
	defer ours.stop()
	theirs, err := startNginx(ctx, dir, site)
	if err != nil {
		return err
	}
	defer theirs.stop()

	fmt.Printf("%-14s %12s %12s %12s %12s %8s\n", "file", "publisher/s", "nginx/s", "p99", "nginx's p99", "ratio")
	for _, f := range files {
		for range *rounds {
			a, err := wrk(ctx, ours.url+f.path, *length)
			if err != nil {
				return err
			}
			b, err := wrk(ctx, theirs.url+f.path, *length)
			if err != nil {
				return err
			}
			fmt.Printf("%-14s %12.0f %12.0f %12s %12s %8.2f\n", f.what, a.rate, b.rate, a.p99, b.p99, a.rate/b.rate)
		}
	}
	if err := theirs.stop(); err != nil {
		return err
	}
	if err := slow(ctx, ours); err != nil {
		return err
	}
	return memory(ctx, ours)
}

// server is one of those that are compared.
type server struct {
	url string
	cmd *exec.Cmd
}

func (s *server) stop() error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	_ = s.cmd.Wait() // How it ends does not matter.
	return nil
}

func start(address string, log string, cmd *exec.Cmd) (*server, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{"http://" + address, cmd}
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			return s, c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log)
	return nil, fmt.Errorf("%s does not answer: %s", cmd.Path, text)
}

// freeAddress is one that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func startPublisher(ctx context.Context, dir, site string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return start(address, filepath.Join(dir, "publisher.log"), exec.CommandContext(ctx, *publisher, "serve", "--dir", site, "--listen", address))
}

func startNginx(ctx context.Context, dir, site string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`daemon off; worker_processes auto; pid %[1]s/nginx.pid; error_log %[1]s/nginx.err; user root;
events { worker_connections 4096; }
http {
	include /etc/nginx/mime.types;
	sendfile on; tcp_nopush on; keepalive_requests 1000000;
	gzip on; gzip_types application/json text/plain;
	access_log %[1]s/nginx.access;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s backlog=4096;
		root %[3]s;
		add_header Cache-Control "public, max-age=60";
		add_header X-Content-Type-Options nosniff;
		add_header Referrer-Policy no-referrer;
		add_header Content-Security-Policy "default-src 'none'; frame-ancestors 'none'";
	}
}
`, dir, address, site)
	name := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(name, []byte(config), 0o644); err != nil {
		return nil, err
	}
	return start(address, filepath.Join(dir, "nginx.log"), exec.CommandContext(ctx, "nginx", "-p", dir, "-c", name))
}

// load is what wrk has measured.
type load struct {
	rate float64 // requests in a second
	p99  string
}

var (
	rateLine = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	p99Line  = regexp.MustCompile(`99%\s+(\S+)`)
	errLine  = regexp.MustCompile(`(?m)^\s+(Non-2xx.*|Socket errors.*)$`)
)

func wrk(ctx context.Context, url string, length time.Duration) (l load, err error) {
	out, err := exec.CommandContext(ctx, "wrk", "--threads", "1", "--connections", strconv.Itoa(*connections), "--latency",
		"--duration", length.String(), "--header", "Accept-Encoding: gzip", url).CombinedOutput()
	if err != nil {
		return l, fmt.Errorf("wrk: %w: %s", err, out)
	}
	rate, p99 := rateLine.FindSubmatch(out), p99Line.FindSubmatch(out)
	if rate == nil || p99 == nil {
		return l, fmt.Errorf("wrk says %s", out)
	}
	if wrong := errLine.FindSubmatch(out); wrong != nil {
		return l, fmt.Errorf("%s: %s", url, wrong[1])
	}
	l.rate, err = strconv.ParseFloat(string(rate[1]), 64)
	l.p99 = string(p99[1])
	return l, err
}

// slow has clients do what slow ones do, and asks beside them.
func slow(ctx context.Context, s *server) error {
	address := strings.TrimPrefix(s.url, "http://")
	open := func(n int, begin string) (all []net.Conn, err error) {
		for range n {
			c, err := net.Dial("tcp", address)
			if err != nil {
				return all, fmt.Errorf("after %d connections: %w", len(all), err)
			}
			all = append(all, c)
			if _, err := io.WriteString(c, begin); err != nil {
				return all, err
			}
		}
		return all, nil
	}
	beside := func(what string, n int) error {
		l, err := wrk(ctx, s.url+files[0].path, 3*time.Second)
		if err != nil {
			return fmt.Errorf("beside %s: %w", what, err)
		}
		rss, err := s.memory()
		fmt.Printf("beside %d %s: %.0f requests/s, p99 %s, %d MB of memory\n", n, what, l.rate, l.p99, rss>>20)
		return err
	}
	closed := func(all []net.Conn) {
		for _, c := range all {
			c.Close()
		}
	}

	idlers, err := open(*idle, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	defer func() { closed(idlers) }()
	if err == nil {
		err = beside("connections that have been answered and stay", len(idlers))
	}
	if err != nil {
		return err
	}
	closed(idlers)

	// The head of their request never ends.
	lorises, err := open(min(*idle, 2000), "GET /index.html HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
	defer func() { closed(lorises) }()
	if err == nil {
		err = beside("clients whose request never ends", len(lorises))
	}
	if err != nil {
		return err
	}
	start := time.Now()
	for _, c := range lorises {
		for {
			if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, c); err == nil {
				break
			} else if time.Since(start) > time.Minute {
				return fmt.Errorf("after a minute, a client whose request never ends is still there: %w", err)
			}
		}
	}
	fmt.Printf("all of them were hung up on within %s\n", time.Since(start).Round(time.Second))
	r, err := http.Get(s.url + files[0].path)
	if err != nil {
		return err
	}
	return r.Body.Close()
}

// memory watches it under load.
func memory(ctx context.Context, s *server) error {
	end := time.Now().Add(*soak)
	for begin := time.Now(); time.Now().Before(end); {
		for _, f := range files {
			if _, err := wrk(ctx, s.url+f.path, max(*soak/30, time.Second)); err != nil {
				return err
			}
		}
		rss, err := s.memory()
		if err != nil {
			return err
		}
		fmt.Printf("after %s under load: %d MB of memory\n", time.Since(begin).Round(time.Second), rss>>20)
	}
	return nil
}

// memory is the resident set size in bytes.
func (s *server) memory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kb, err := strconv.ParseInt(number, 10, 64)
	return kb << 10, err
}
