package webserver_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"k8s.io/publisher/webserver"
)

// served is a directory that is served.
type served struct {
	testing.TB
	address string
	stop    context.CancelFunc
	ended   chan error
}

func serve(t testing.TB, dir string, o webserver.Options) *served {
	t.Helper()
	s, err := webserver.New(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, s)
}

func start(t testing.TB, s *webserver.Server) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startAt(t, s, l)
}

func startAt(t testing.TB, s *webserver.Server, l net.Listener) *served {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	to := &served{t, l.Addr().String(), stop, make(chan error, 1)}
	go func() { to.ended <- errors.Join(s.Serve(ctx, l), s.Close()) }()
	t.Cleanup(to.end)
	return to
}

// end ends it.
func (to *served) end() {
	to.stop()
	if err := <-to.ended; err != nil {
		to.Errorf("the server ends with %v", err)
	}
	to.ended <- nil
}

// answer is what a client gets.
type answer struct {
	*http.Response
	Body string
}

// ask sends a request as it is.
func (to *served) ask(method, target string, header ...string) answer {
	to.Helper()
	return ask(to, to.address, method, target, header...)
}

func ask(t testing.TB, address, method, target string, header ...string) answer {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	request := method + " " + target + " HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n"
	for i := 0; i < len(header); i += 2 {
		request += header[i] + ": " + header[i+1] + "\r\n"
	}
	if _, err := io.WriteString(c, request+"\r\n"); err != nil {
		t.Fatal(err)
	}
	return read(t, bufio.NewReader(c), method)
}

// read reads an answer.
func read(t testing.TB, from *bufio.Reader, method string) answer {
	t.Helper()
	r, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r, string(body)}
}

func (to *served) get(target string, header ...string) answer {
	to.Helper()
	return to.ask("GET", target, header...)
}
