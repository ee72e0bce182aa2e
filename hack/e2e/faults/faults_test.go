package faults

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server echoes each request's path, and streams without end below /stream.
func server(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path)
		if strings.HasPrefix(r.URL.Path, "/stream") {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func throughTCP(t *testing.T) (*TCP, *http.Client, string) {
	t.Helper()
	s := server(t)
	p, err := NewTCP(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, s.Client(), "https://" + p.Addr()
}

func throughHTTP(t *testing.T) (*HTTP, *http.Client, string) {
	t.Helper()
	s := server(t)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	p, err := NewHTTP(s.URL, s.TLS.Certificates[0], ca)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, s.Client(), p.URL()
}

func get(t *testing.T, c *http.Client, url string) (int, string, error) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func mustGet(t *testing.T, c *http.Client, url, want string) {
	t.Helper()
	status, body, err := get(t, c, url)
	if err != nil || status != 200 || body != want {
		t.Errorf("GET %s: %d %q, %v; want %q", url, status, body, err, want)
	}
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestTCPPassesAndCounts(t *testing.T) {
	p, client, url := throughTCP(t)
	mustGet(t, client, url+"/a", "/a")
	mustGet(t, client, url+"/b", "/b")
	if p.Accepted() != 1 || p.Open() != 1 {
		t.Errorf("%d connections, %d open; want one", p.Accepted(), p.Open())
	}
	client.CloseIdleConnections()
	if err := p.WaitOpen(deadline(t), 0); err != nil {
		t.Errorf("%d connections open: %v", p.Open(), err)
	}
}

func TestTCPResets(t *testing.T) {
	p, client, url := throughTCP(t)
	resp, err := client.Get(url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	p.ResetAll()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v, want a connection that was reset", err)
	}
	mustGet(t, client, url+"/a", "/a")
	p.Refuse(true)
	client.CloseIdleConnections()
	if err := p.WaitOpen(deadline(t), 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := get(t, client, url); err == nil {
		t.Error("an answer while connections are refused")
	}
	p.Refuse(false)
	mustGet(t, client, url+"/b", "/b")
}

func TestTCPCutsAfterSoManyBytes(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "0123456789")
			conn.Close()
		}
	}()
	p, err := NewTCP(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	read := func() (string, error) {
		conn, err := net.Dial("tcp", p.Addr())
		if err != nil {
			return "", err // the reset may be there before the connection is
		}
		defer conn.Close()
		data, err := io.ReadAll(conn)
		return string(data), err
	}
	if data, err := read(); data != "0123456789" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	p.CutAfter(4)
	if data, err := read(); len(data) > 4 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%q, %v; want 4 bytes at most and a reset", data, err)
	}
	p.CutAfter(-1)
	if data, err := read(); data != "0123456789" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
}

func TestTCPStalls(t *testing.T) {
	p, client, url := throughTCP(t)
	mustGet(t, client, url+"/a", "/a")
	p.Stall(true)
	req, err := http.NewRequestWithContext(deadline(t), "GET", url+"/b", nil)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("answered while stalled: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	p.Stall(false)
	if err := <-answered; err != nil {
		t.Errorf("after the stall: %v", err)
	}
}

func TestHTTPInjectsInOrderAndAsOftenAsTold(t *testing.T) {
	p, client, url := throughHTTP(t)
	mustGet(t, client, url+"/a", "/a")
	p.Inject(1, func(r *http.Request) bool { return r.URL.Path == "/b" }, Fault{Status: 429, RetryAfter: 3 * time.Second, Body: "later"})
	p.Inject(1, nil, Fault{Status: 503})
	if status, _, err := get(t, client, url+"/a"); status != 503 || err != nil {
		t.Errorf("%d, %v; want 503", status, err)
	}
	resp, err := client.Get(url + "/b")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "3" {
		t.Errorf("%d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	mustGet(t, client, url+"/b", "/b")
	requests := p.Requests()
	if len(requests) != 4 || requests[0].Faulty || !requests[1].Faulty || requests[3].Path != "/b" {
		t.Errorf("%+v", requests)
	}
	p.Inject(1, nil, Fault{Status: 500})
	p.Clear()
	mustGet(t, client, url+"/c", "/c")
}

func TestHTTPCutsBodies(t *testing.T) {
	p, client, url := throughHTTP(t)
	p.Inject(1, nil, Fault{CutBody: 3})
	status, body, err := get(t, client, url+"/abcdef")
	if err == nil || len(body) > 3 {
		t.Errorf("%d %q, %v; want 3 bytes at most and an error", status, body, err)
	}
	mustGet(t, client, url+"/abcdef", "/abcdef")
}

func TestHTTPAltersLines(t *testing.T) {
	p, client, url := throughHTTP(t)
	each := func(f func([]byte) []byte) func() func([]byte) []byte {
		return func() func([]byte) []byte { return f }
	}
	twice := each(func(line []byte) []byte { return slices.Concat(line, line) })
	p.Inject(2, nil, Fault{Lines: twice})
	mustGet(t, client, url+"/a%0Ab", "/a\n/a\nbb")
	p.Inject(1, nil, Fault{Lines: each(func([]byte) []byte { return nil })})
	p.Inject(1, nil, Fault{Lines: twice, CutBody: 5})
	mustGet(t, client, url+"/a", "/a/a")
	mustGet(t, client, url+"/a", "")
	if _, body, err := get(t, client, url+"/abc"); err == nil || len(body) > 5 {
		t.Errorf("%q, %v; want 5 bytes at most and an error", body, err)
	}
	mustGet(t, client, url+"/a", "/a")
}

func TestHTTPHangsUntilTheClientLeaves(t *testing.T) {
	p, client, url := throughHTTP(t)
	p.Inject(1, nil, Fault{Hang: true})
	ctx, cancel := context.WithCancel(deadline(t))
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := client.Do(req)
		answered <- err
	}()
	if err := p.WaitRequests(ctx, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := p.WaitIdle(deadline(t)); err != nil {
		t.Errorf("the proxy still serves who has left: %v", err)
	}
}

// TestHTTPStreams: what the server sends arrives when it is sent.
func TestHTTPStreams(t *testing.T) {
	p, client, url := throughHTTP(t)
	resp, err := client.Get(url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, len("/stream"))
	if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != "/stream" {
		t.Errorf("%q, %v", buf, err)
	}
	resp.Body.Close()
	if err := p.WaitIdle(deadline(t)); err != nil {
		t.Error(err)
	}
}
