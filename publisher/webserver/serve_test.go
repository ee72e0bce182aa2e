package webserver_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"k8s.io/publisher/webserver"
)

const (
	soon = 200 * time.Millisecond
	long = time.Minute // No test takes that long.
)

// impatient serves a directory to clients that are not waited for.
func impatient(t *testing.T, dir string, head, idle, piece, stop time.Duration) *served {
	t.Helper()
	return impatientLogged(t, dir, nil, head, idle, piece, stop)
}

func impatientLogged(t *testing.T, dir string, log *slog.Logger, head, idle, piece, stop time.Duration) *served {
	t.Helper()
	s, err := webserver.New(dir, webserver.Options{AccessLog: log})
	if err != nil {
		t.Fatal(err)
	}
	s.SetPatience(head, idle, piece, stop)
	return start(t, s)
}

// connect begins a request.
func (to *served) connect(begin string) net.Conn {
	to.Helper()
	c, err := net.Dial("tcp", to.address)
	if err != nil {
		to.Fatal(err)
	}
	to.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(long)); err != nil {
		to.Fatal(err)
	}
	if _, err := io.WriteString(c, begin); err != nil {
		to.Fatal(err)
	}
	return c
}

// large adds a file that does not fit into the buffers of a connection.
func large(t *testing.T, dir string) (name string, content []byte) {
	t.Helper()
	content = bytes.Repeat([]byte("0123456789abcdef"), 2<<20)
	if err := os.WriteFile(filepath.Join(dir, "large.png"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	return "/large.png", content
}

const request = "GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n"

// Who sends the head of a request a byte at a time, or nothing, is hung up on.
func TestSlowRequestsEnd(t *testing.T) {
	s := impatient(t, site(t, "index.html"), soon, soon, long, long)
	for what, begin := range map[string]string{
		"nothing": "", "half a request": request[:20], "a body that does not come": "POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\n", "nothing after an answer": request,
	} {
		c := s.connect(begin)
		if begin != "" {
			go func() {
				for what != "nothing after an answer" {
					time.Sleep(soon / 10)
					if _, err := io.WriteString(c, "a"); err != nil || strings.HasPrefix(begin, "POST") {
						return
					}
				}
			}()
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the server still waits", what)
		}
	}
}

// Who takes nothing of what it has asked for is hung up on, and who takes it slowly gets all.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	const patience = 2 * time.Second
	dir := site(t, "index.html")
	name, content := large(t, dir)
	ends := make(records, 2)
	s := impatientLogged(t, dir, slog.New(slog.NewTextHandler(ends, nil)), long, long, patience, long)
	get := strings.Replace(request, "/index.html", name, 1)

	s.connect(get) // It takes nothing.
	slow := bufio.NewReader(&slowReader{from: s.connect(get), pauses: 9, pause: patience / 8})
	if a := read(t, slow, "GET"); a.Body != string(content) {
		t.Errorf("%d of %d bytes were sent", len(a.Body), len(content))
	}
	whole := fmt.Sprintf("bytes=%d ", len(content))
	if one, other := <-ends, <-ends; strings.Contains(one, whole) == strings.Contains(other, whole) {
		t.Errorf("the requests ended with\n%s%s", one, other)
	}
}

// records is where a log goes.
type records chan string

func (r records) Write(p []byte) (int, error) {
	r <- string(p)
	return len(p), nil
}

// slowReader pauses now and then.
type slowReader struct {
	from   io.Reader
	pauses int
	pause  time.Duration
	since  int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.since >= 1<<20 && r.pauses > 0 {
		time.Sleep(r.pause)
		r.since = 0
		r.pauses--
	}
	n, err := r.from.Read(p)
	r.since += n
	return n, err
}

// Who is being answered when the server is to end gets the rest; who only might ask is hung up
// on, and nobody new is answered.
func TestTheServerEndsWhenAllIsAnswered(t *testing.T) {
	dir := site(t, "index.html")
	name, content := large(t, dir)
	s := impatient(t, dir, long, long, long, long)
	idle := s.connect(request)
	if a := read(t, bufio.NewReader(idle), "GET"); a.StatusCode != 200 {
		t.Fatal(a.StatusCode)
	}
	busy := bufio.NewReader(s.connect(strings.Replace(request, "/index.html", name, 1)))
	if _, err := busy.Peek(1); err != nil {
		t.Fatal(err)
	}
	s.stop()
	if n, err := idle.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who does not ask is waited for: %d, %v", n, err)
	}
	if c, err := net.Dial("tcp", s.address); err == nil {
		c.Close()
		t.Error("somebody new is taken")
	}
	if a := read(t, busy, "GET"); a.Body != string(content) {
		t.Errorf("%d of %d bytes were sent", len(a.Body), len(content))
	}
	s.end()
}

// Nobody is waited for for ever.
func TestTheServerEndsWithoutWhoIsTooSlow(t *testing.T) {
	dir := site(t, "index.html")
	name, _ := large(t, dir)
	s := impatient(t, dir, long, long, long, soon)
	stalled := bufio.NewReader(s.connect(strings.Replace(request, "/index.html", name, 1)))
	if _, err := stalled.Peek(1); err != nil {
		t.Fatal(err)
	}
	s.connect(request[:20])
	begin := time.Now()
	s.end()
	if took := time.Since(begin); took > long/2 {
		t.Errorf("it took %s", took)
	}
	if _, err := io.Copy(io.Discard, stalled); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open")
	}
}

// One connection carries one request after the other, also where they are sent at once.
func TestAConnectionIsKept(t *testing.T) {
	dir := site(t, "index.html")
	name, content := large(t, dir)
	s := serve(t, dir, webserver.Options{})
	all := strings.Join([]string{
		request, strings.Replace(request, "/index.html", "/none", 1), strings.Replace(request, "GET", "HEAD", 1), strings.Replace(request, "/index.html", name, 1),
		"POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nHello", request,
	}, "")
	from := bufio.NewReader(s.connect(all))
	for i, want := range []struct {
		code, length int
	}{{200, 4200}, {404, 17}, {200, 0}, {200, len(content)}, {405, 31}, {200, 4200}} {
		method := "GET"
		if i == 2 {
			method = "HEAD"
		}
		if a := read(t, from, method); a.StatusCode != want.code || len(a.Body) != want.length {
			t.Errorf("answer %d is %d, with %d bytes", i, a.StatusCode, len(a.Body))
		}
	}
}

// What is no request, or a very large one, gets an answer that says so.
func TestWhatIsNotUnderstood(t *testing.T) {
	s := serve(t, site(t, "index.html"), webserver.Options{})
	for begin, want := range map[string]int{
		"Hello\r\n\r\n": 400,
		"GET / HTTP/1.1\r\nHost: a\r\nBad header\r\n\r\n":                                           400,
		"GET / HTTP/1.1\r\nHost: example.org\r\nX-Long: " + strings.Repeat("a", 16<<10):             431,
		"POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1000000\r\n\r\n":                   405,
		"GET / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1000000\r\n\r\n":                    413,
		"POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n": 417,
	} {
		c := s.connect(begin)
		a := read(t, bufio.NewReader(c), "GET")
		if a.StatusCode != want || a.Header.Get("X-Content-Type-Options") == "" && want != 417 {
			t.Errorf("%.60q: %d, %v", begin, a.StatusCode, a.Header)
		}
	}
}

// panics is a log that cannot be written.
type panics struct{ slog.Handler }

func (panics) Handle(context.Context, slog.Record) error { panic("no log") }

// A mistake that ends one request ends no other.
func TestAPanicIsOneAnswer(t *testing.T) {
	var out bytes.Buffer
	text := slog.NewTextHandler(&out, nil)
	broken, err := webserver.New(site(t, "index.html"), webserver.Options{Log: slog.New(text), AccessLog: slog.New(panics{text})})
	if err != nil {
		t.Fatal(err)
	}
	broken.Break()
	s := start(t, broken)
	for _, try := range []struct {
		path, accept string
		want         int
	}{{"/index.html", "gzip", 500}, {"/index.html", "identity", 200}, {"/none", "gzip", 404}, {"/index.html", "gzip", 500}} {
		if a := s.get(try.path, "Accept-Encoding", try.accept); a.StatusCode != try.want || a.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s in %s: %d, %v", try.path, try.accept, a.StatusCode, a.Header)
		}
	}
	s.end()
	if n := strings.Count(out.String(), "panic="); n != 4 {
		t.Errorf("%d panics are logged: %s", n, &out)
	}
}

// full is a listener on a machine that has too many files open for a moment.
type full struct {
	net.Listener
	times atomic.Int32
}

func (l *full) Accept() (net.Conn, error) {
	if l.times.Add(1) <= 3 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestTooManyOpenFilesPass(t *testing.T) {
	s, err := webserver.New(site(t, "index.html"), webserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if a := startAt(t, s, &full{Listener: l}).get("/index.html"); a.StatusCode != 200 {
		t.Errorf("%d", a.StatusCode)
	}
}

// A kernel without openat2 serves the same.
func TestFilesAreOpenedByStep(t *testing.T) {
	dir := site(t, "docs/page.html")
	for name, target := range map[string]string{"out": "../secret", "up": "..", "in": "docs"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := webserver.New(dir, webserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, ok := range map[string]bool{"docs/page.html": true, "in/page.html": true, ".": true, "out": false, "up/secret": false, "../secret": false, "none": false} {
		if err := s.OpenByStep(name); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a client sends, it is answered or hung up on, nothing from elsewhere comes out, and
// the server stays.
func FuzzBytes(f *testing.F) {
	for _, begin := range []string{
		request, request[:20], "GET / HTTP/1.0\r\n\r\n", "GET /\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n" + request,
		"GET /../secret HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nIf-Range: \"x\"\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "\x16\x03\x01\x00\xff",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n folded: a\r\n\r\n",
	} {
		f.Add([]byte(begin))
	}
	s := serve(f, site(f, "index.html"), webserver.Options{})
	f.Fuzz(func(t *testing.T, sent []byte) {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(long)); err != nil {
			t.Fatal(err)
		}
		// The server may hang up before it has everything.
		_, _ = c.Write(sent)
		_ = c.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: the server waits", sent)
		}
		if len(got) > 0 && !bytes.HasPrefix(got, []byte("HTTP/1.")) || bytes.Contains(got, []byte("secret has this")) {
			t.Errorf("%q gives %q", sent, got)
		}
	})
}
