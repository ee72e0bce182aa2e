package remotecommand_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
)

func webSocket(t *testing.T, target string, protocols ...string) remotecommand.Executor {
	t.Helper()
	if protocols == nil {
		executor, err := remotecommand.NewWebSocketExecutor(&rest.Config{Host: target}, "GET", target)
		if err != nil {
			t.Fatal(err)
		}
		return executor
	}
	executor, err := remotecommand.NewWebSocketExecutorForProtocols(&rest.Config{Host: target}, "GET", target, protocols...)
	if err != nil {
		t.Fatal(err)
	}
	return executor
}

func overSPDY(t *testing.T, target string) remotecommand.Executor {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	executor, err := remotecommand.NewSPDYExecutor(&rest.Config{Host: target}, "POST", u)
	if err != nil {
		t.Fatal(err)
	}
	return executor
}

// ways are all ways to run a command that know the end of the input and exit codes.
var ways = map[string]func(t *testing.T, parameters string) remotecommand.Executor{
	"WebSocket v5": func(t *testing.T, parameters string) remotecommand.Executor {
		return webSocket(t, node{webSocket: upTo(5)}.url(t, parameters))
	},
	"SPDY v5": func(t *testing.T, parameters string) remotecommand.Executor {
		return overSPDY(t, node{spdy: upTo(5)}.url(t, parameters))
	},
	"SPDY v4": func(t *testing.T, parameters string) remotecommand.Executor {
		return overSPDY(t, node{spdy: upTo(4)}.url(t, parameters))
	},
	"fallback": func(t *testing.T, parameters string) remotecommand.Executor {
		target := node{spdy: upTo(4)}.url(t, parameters)
		executor, err := remotecommand.NewFallbackExecutor(webSocket(t, target), overSPDY(t, target), httpstream.IsUpgradeFailure)
		if err != nil {
			t.Fatal(err)
		}
		return executor
	},
}

func inTime(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestInputComesBackWhole(t *testing.T) {
	input := make([]byte, 3<<20+1)
	rand.Read(input)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			executor := way(t, "command=cat&stdin=1&stdout=1")
			for range 2 { // an executor may be used again
				var output bytes.Buffer
				err := executor.StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdin: bytes.NewReader(input), Stdout: &output})
				if err != nil || !bytes.Equal(output.Bytes(), input) {
					t.Fatalf("%d of %d bytes came back: %v", output.Len(), len(input), err)
				}
			}
		})
	}
}

func TestCommandSeesTheEndOfItsInput(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			var output bytes.Buffer
			err := way(t, "command=count&stdin=1&stdout=1").StreamWithContext(inTime(t),
				remotecommand.StreamOptions{Stdin: strings.NewReader("hello"), Stdout: &output})
			if err != nil || output.String() != "5" {
				t.Errorf("%q, %v", &output, err)
			}
		})
	}
}

func TestOutputAndErrorAreKeptApart(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := way(t, "command=hello&stdout=1&stderr=1").StreamWithContext(inTime(t),
				remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr})
			if err != nil || stdout.String() != "to out" || stderr.String() != "to err" {
				t.Errorf("%q, %q, %v", &stdout, &stderr, err)
			}
		})
	}
}

func TestExitCodeIsAnExitError(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			var output bytes.Buffer
			err := way(t, "command=exit-42&stdout=1").StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdout: &output})
			var exit exec.ExitError
			if !errors.As(err, &exit) || exit.ExitStatus() != 42 || err.Error() != "command terminated with exit code 42" || output.String() != "bye" {
				t.Errorf("%q, %v", &output, err)
			}
		})
	}
}

func TestOtherFailuresAreTold(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			err := way(t, "command=fail&stdout=1").StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdout: io.Discard})
			if err == nil || err.Error() != "no such container" {
				t.Errorf("%v", err)
			}
		})
	}
}

// sizes is a queue of sizes.
type sizes chan remotecommand.TerminalSize

func (s sizes) Next() *remotecommand.TerminalSize {
	size, ok := <-s
	if !ok {
		return nil
	}
	return &size
}

func TestSizesOfTheTerminalArePassedOn(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			queue := make(sizes, 3)
			queue <- remotecommand.TerminalSize{Width: 80, Height: 25}
			queue <- remotecommand.TerminalSize{Width: 132, Height: 50}
			queue <- remotecommand.TerminalSize{Width: 65535, Height: 1}
			close(queue)
			var output bytes.Buffer
			err := way(t, "command=sizes-3&stdout=1&tty=1").StreamWithContext(inTime(t),
				remotecommand.StreamOptions{Stdout: &output, Stderr: io.Discard, Tty: true, TerminalSizeQueue: queue})
			if err != nil || output.String() != "80x25 132x50 65535x1 " {
				t.Errorf("%q, %v", &output, err)
			}
		})
	}
}

func TestContextEndsACommandThatHangs(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			started, end := io.Pipe()
			go func() {
				io.ReadFull(started, make([]byte, len("started")))
				cancel()
			}()
			// The input never ends.
			input, _ := io.Pipe()
			defer input.Close()
			err := way(t, "command=hang&stdin=1&stdout=1").StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: input, Stdout: end})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestEndOfTheCommandDoesNotWaitForInput(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			input, _ := io.Pipe()
			defer input.Close()
			err := way(t, "command=hello&stdin=1&stdout=1").StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdin: input, Stdout: io.Discard})
			if err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

// brokenPipe takes a few bytes and then fails.
type brokenPipe struct{ left int }

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.left < len(p) {
		return 0, io.ErrClosedPipe
	}
	b.left -= len(p)
	return len(p), nil
}

func TestWriterThatFailsDoesNotHoldUpTheCommand(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			err := way(t, "command=flood-8000000&stdout=1").StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdout: &brokenPipe{10}})
			if err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestOlderProtocolsDoWhatTheyCan(t *testing.T) {
	for version := 1; version <= 3; version++ {
		t.Run(fmt.Sprintf("SPDY v%d", version), func(t *testing.T) {
			target := node{spdy: upTo(version)}
			var stdout, stderr bytes.Buffer
			err := overSPDY(t, target.url(t, "command=hello&stdout=1&stderr=1")).StreamWithContext(inTime(t),
				remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr})
			if err != nil || stdout.String() != "to out" || stderr.String() != "to err" {
				t.Errorf("%q, %q, %v", &stdout, &stderr, err)
			}
			err = overSPDY(t, target.url(t, "command=exit-3&stdout=1")).StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdout: io.Discard})
			if err == nil || !strings.Contains(err.Error(), "exit code 3") {
				t.Errorf("%v", err)
			}
		})
	}
	for version := 2; version <= 4; version++ {
		t.Run(fmt.Sprintf("WebSocket v%d", version), func(t *testing.T) {
			target := node{webSocket: upTo(version)}.url(t, "command=hello&stdin=1&stdout=1&stderr=1")
			var stdout, stderr bytes.Buffer
			err := webSocket(t, target, upTo(4)...).StreamWithContext(inTime(t),
				remotecommand.StreamOptions{Stdin: strings.NewReader("a"), Stdout: &stdout, Stderr: &stderr})
			if err != nil || stdout.String() != "to out" || stderr.String() != "to err" {
				t.Errorf("%q, %q, %v", &stdout, &stderr, err)
			}
		})
	}
}

func TestServerThatRefusesIsAnUpgradeFailure(t *testing.T) {
	for name, executor := range map[string]remotecommand.Executor{
		"WebSocket, not there":       webSocket(t, node{spdy: upTo(4)}.url(t, "command=hello&stdout=1")),
		"WebSocket, older protocols": webSocket(t, node{webSocket: upTo(4)}.url(t, "command=hello&stdout=1")),
	} {
		t.Run(name, func(t *testing.T) {
			err := executor.StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdout: io.Discard})
			if !httpstream.IsUpgradeFailure(err) {
				t.Errorf("%v", err)
			}
		})
	}
	err := overSPDY(t, node{webSocket: upTo(5)}.url(t, "command=hello&stdout=1")).StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdout: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "not here") {
		t.Errorf("what the server said is not told: %v", err)
	}
}

func TestFallbackIsForWhatItsCallerSays(t *testing.T) {
	refused := errors.New("refused")
	for _, test := range []struct {
		name  string
		first error
		want  string
	}{
		{"success", nil, "first"},
		{"refused", refused, "first second"},
		{"another error", errors.New("exit 1"), "first"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ran []string
			first := executorFunc(func() error { ran = append(ran, "first"); return test.first })
			second := executorFunc(func() error { ran = append(ran, "second"); return nil })
			executor, err := remotecommand.NewFallbackExecutor(first, second, func(err error) bool { return err == refused })
			if err != nil {
				t.Fatal(err)
			}
			executor.Stream(remotecommand.StreamOptions{})
			if got := strings.Join(ran, " "); got != test.want {
				t.Errorf("ran %s", got)
			}
		})
	}
}

type executorFunc func() error

func (f executorFunc) Stream(remotecommand.StreamOptions) error { return f() }
func (f executorFunc) StreamWithContext(context.Context, remotecommand.StreamOptions) error {
	return f()
}

func TestRedirectIsRefusedWhereTheCallerSaysSo(t *testing.T) {
	target := node{spdy: upTo(4)}.url(t, "command=hello&stdout=1")
	var followed atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			followed.Store(true)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	u, _ := url.Parse(server.URL + "/exec")
	config := &rest.Config{Host: target}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		t.Fatal(err)
	}
	executor, err := remotecommand.NewSPDYExecutorRejectRedirects(transport, upgrader, "POST", u)
	if err != nil {
		t.Fatal(err)
	}
	if err := executor.StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdout: io.Discard}); err == nil || followed.Load() {
		t.Errorf("followed: %v, %v", followed.Load(), err)
	}
}

func TestConfigThatCannotBeUsedIsAnErrorAtOnce(t *testing.T) {
	config := &rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: "/does/not/exist"}}
	if _, err := remotecommand.NewWebSocketExecutor(config, "GET", "https://localhost"); err == nil {
		t.Error("WebSocket: no error")
	}
	if _, err := remotecommand.NewSPDYExecutor(config, "POST", &url.URL{Scheme: "https", Host: "localhost"}); err == nil {
		t.Error("SPDY: no error")
	}
}

// One executor may run several commands at a time.
func TestManyCommandsAtATime(t *testing.T) {
	executor := ways["WebSocket v5"](t, "command=cat&stdin=1&stdout=1")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			input := strings.Repeat(fmt.Sprint(i), 10_000)
			var output bytes.Buffer
			err := executor.StreamWithContext(inTime(t), remotecommand.StreamOptions{Stdin: strings.NewReader(input), Stdout: &output})
			if err != nil || output.String() != input {
				t.Errorf("%d: %d of %d bytes came back: %v", i, output.Len(), len(input), err)
			}
		})
	}
	all.Wait()
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Connection).shutdown"))
}
