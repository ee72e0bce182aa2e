package remotecommand

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gwebsocket "github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/rest"
)

// raw serves WebSocket connections by a function, and returns an executor for it.
func raw(t *testing.T, serve func(ws *gwebsocket.Conn)) *websocketExecutor {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := gwebsocket.Upgrader{Subprotocols: []string{remotecommand.StreamProtocolV5Name}}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		serve(ws)
	}))
	t.Cleanup(server.Close)
	executor, err := NewWebSocketExecutor(&rest.Config{Host: server.URL}, "GET", server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return executor.(*websocketExecutor)
}

// answer reads, and so answers pings, until the connection ends.
func answer(ws *gwebsocket.Conn) {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return
		}
	}
}

func bye(ws *gwebsocket.Conn, code int) {
	ws.WriteControl(gwebsocket.CloseMessage, gwebsocket.FormatCloseMessage(code, "bye"), time.Now().Add(time.Second))
}

func TestMessagesThatMakeNoSenseEndTheConnection(t *testing.T) {
	for _, test := range []struct {
		name string
		send func(ws *gwebsocket.Conn)
		want string
	}{
		{"text", func(ws *gwebsocket.Conn) { ws.WriteMessage(gwebsocket.TextMessage, []byte("1a")) }, "unexpected message type"},
		{"no stream", func(ws *gwebsocket.Conn) { ws.WriteMessage(gwebsocket.BinaryMessage, nil) }, "read stream id"},
		{"closes no stream", func(ws *gwebsocket.Conn) { ws.WriteMessage(gwebsocket.BinaryMessage, []byte{255}) }, "stream to close"},
		{"gone", func(ws *gwebsocket.Conn) { ws.UnderlyingConn().Close() }, "next reader"},
		{"ended as not it should", func(ws *gwebsocket.Conn) { bye(ws, gwebsocket.CloseInternalServerErr) }, "bye"},
	} {
		t.Run(test.name, func(t *testing.T) {
			executor := raw(t, func(ws *gwebsocket.Conn) {
				test.send(ws)
				answer(ws)
			})
			err := executor.StreamWithContext(t.Context(), StreamOptions{Stdout: &bytes.Buffer{}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
}

func TestServerMayCloseOneStreamAfterTheOther(t *testing.T) {
	executor := raw(t, func(ws *gwebsocket.Conn) {
		for _, message := range [][]byte{{1, 'a'}, {9, 'x'}, {255, 9}, {255, 1}, {2, 'b'}, {1, 'x'}, {255, 2}, {255, 3}} {
			ws.WriteMessage(gwebsocket.BinaryMessage, message)
		}
		answer(ws)
	})
	var stdout, stderr bytes.Buffer
	err := executor.StreamWithContext(t.Context(), StreamOptions{Stdout: &stdout, Stderr: &stderr})
	if err != nil || stdout.String() != "a" || stderr.String() != "b" {
		t.Errorf("%q, %q, %v", &stdout, &stderr, err)
	}
}

func TestServerThatIsSilentIsGivenUp(t *testing.T) {
	done := make(chan struct{})
	defer close(done)
	executor := raw(t, func(ws *gwebsocket.Conn) { <-done }) // answers no ping
	executor.pingPeriod, executor.silence = 10*time.Millisecond, 200*time.Millisecond
	err := executor.StreamWithContext(t.Context(), StreamOptions{Stdout: &bytes.Buffer{}})
	if err == nil || !strings.Contains(err.Error(), "i/o timeout") {
		t.Errorf("the error is %v", err)
	}
}

func TestServerThatAnswersPingsIsNotGivenUp(t *testing.T) {
	executor := raw(t, func(ws *gwebsocket.Conn) {
		time.AfterFunc(time.Second, func() { bye(ws, gwebsocket.CloseNormalClosure) })
		answer(ws)
	})
	executor.pingPeriod, executor.silence = 20*time.Millisecond, 500*time.Millisecond
	if err := executor.StreamWithContext(t.Context(), StreamOptions{Stdout: &bytes.Buffer{}}); err != nil {
		t.Errorf("the error is %v", err)
	}
}

// slow takes its time for each write.
type slow struct{ bytes.Buffer }

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(400 * time.Millisecond)
	return s.Buffer.Write(p)
}

func TestTimeOfASlowWriterIsNotTheServersSilence(t *testing.T) {
	executor := raw(t, func(ws *gwebsocket.Conn) {
		for range 3 {
			ws.WriteMessage(gwebsocket.BinaryMessage, []byte{1, 'a'})
		}
		bye(ws, gwebsocket.CloseNormalClosure)
		answer(ws)
	})
	executor.pingPeriod, executor.silence = 20*time.Millisecond, 200*time.Millisecond
	var output slow
	if err := executor.StreamWithContext(t.Context(), StreamOptions{Stdout: &output}); err != nil || output.String() != "aaa" {
		t.Errorf("%q, %v", &output, err)
	}
}

func TestStreamsAreOpenedOnceAndOnAnOpenConnectionOnly(t *testing.T) {
	ws, _, err := gwebsocket.DefaultDialer.Dial(strings.Replace(raw(t, answer).url, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn := newChannels(ws, 1024, time.Minute)
	open := func(kind string) error {
		_, err := conn.CreateStream(http.Header{http.CanonicalHeaderKey(corev1.StreamType): {kind}})
		return err
	}
	if err := open(corev1.StreamTypeStdin); err != nil {
		t.Error(err)
	}
	for kind, want := range map[string]string{corev1.StreamTypeStdin: "duplicate", "other": "unknown stream type"} {
		if err := open(kind); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	conn.Close()
	if err := open(corev1.StreamTypeStdout); err == nil {
		t.Error("a stream is opened on a closed connection")
	}
}

func TestCommandThatPanicsHereDoesSoInTheCaller(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	_ = runUntilDone(context.Background(), &session{opened: func() { panic("here") }}, &channels{
		ws: &gwebsocket.Conn{}, streams: map[byte]*channel{},
	})
}

func TestStatusOfTheErrorStream(t *testing.T) {
	for said, want := range map[string]string{
		`{"status":"Success"}`:               "",
		`{}`:                                 "unknown error",
		`{`:                                  `unexpected end of JSON input in "{"`,
		`{"status":"Failure","message":"a"}`: "a",
		`{"status":"Failure","reason":"NonZeroExitCode"}`:                                                                     "details must be set",
		`{"status":"Failure","reason":"NonZeroExitCode","details":{}}`:                                                        "no ExitCode cause given",
		`{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode"}]}}`:                        `invalid exit code value ""`,
		`{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3221225786"}]}}`: "exit code 3221225786",
		`{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"255"}]}}`:        "exit code 255",
	} {
		err := statusError([]byte(said))
		if got := ""; err != nil {
			got = err.Error()
			if want == "" || !strings.Contains(got, want) {
				t.Errorf("%s is the error %q, want %q", said, got, want)
			}
		} else if want != "" {
			t.Errorf("%s is no error, want %q", said, want)
		}
	}
}
