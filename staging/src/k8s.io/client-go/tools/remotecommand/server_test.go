package remotecommand_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	client "k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
	"k8s.io/streaming/pkg/httpstream/wsstream"
)

// node serves commands as a node does, with the library that nodes use. The protocols
// say what it can speak in either kind of connection; none, that it refuses the kind.
type node struct {
	webSocket, spdy []string
}

// url starts a node. The parameters say which streams there are, and which command.
func (n node) url(t *testing.T, parameters string) string {
	t.Helper()
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	return server.URL + "/exec?" + parameters
}

// far are the ends of streams on the node's side.
type far struct {
	stdin, sizes           io.Reader
	stdout, stderr, errors io.WriteCloser
	status                 bool
	close                  func()
}

func (n node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var ends *far
	switch webSocket := wsstream.IsWebSocketRequest(r); {
	case webSocket && n.webSocket != nil:
		ends = n.openWebSocket(w, r)
	case !webSocket && n.spdy != nil:
		ends = n.openSPDY(w, r)
	default:
		http.Error(w, "not here", http.StatusNotFound)
	}
	if ends == nil {
		return
	}
	defer ends.close()
	status := ends.run(r.URL.Query().Get("command"))
	switch {
	case ends.status:
		json.NewEncoder(ends.errors).Encode(status)
	case status.Status == metav1.StatusFailure:
		io.WriteString(ends.errors, status.Message)
	}
}

func wants(r *http.Request, stream string) bool { return r.URL.Query().Get(stream) == "1" }

func (n node) openWebSocket(w http.ResponseWriter, r *http.Request) *far {
	kind := func(stream string, kind wsstream.ChannelType) wsstream.ChannelType {
		if wants(r, stream) {
			return kind
		}
		return wsstream.IgnoreChannel
	}
	channels := []wsstream.ChannelType{
		kind("stdin", wsstream.ReadChannel), kind("stdout", wsstream.WriteChannel), kind("stderr", wsstream.WriteChannel),
		wsstream.WriteChannel, wsstream.ReadChannel,
	}
	protocols := map[string]wsstream.ChannelProtocolConfig{}
	for _, name := range n.webSocket {
		protocols[name] = wsstream.ChannelProtocolConfig{Binary: true, Channels: channels}
	}
	conn := wsstream.NewConn(protocols)
	chosen, streams, err := conn.Open(w, r)
	if err != nil {
		return nil
	}
	return &far{
		stdin: streams[0], stdout: streams[1], stderr: streams[2], errors: streams[3], sizes: streams[4],
		status: chosen >= remotecommand.StreamProtocolV4Name, // their names sort by age
		close:  func() { conn.Close() },
	}
}

func (n node) openSPDY(w http.ResponseWriter, r *http.Request) *far {
	chosen, err := httpstream.Handshake(r, w, n.spdy)
	if err != nil {
		return nil
	}
	want := 1
	for _, stream := range []string{"stdin", "stdout", "stderr"} {
		if wants(r, stream) {
			want++
		}
	}
	if wants(r, "tty") && chosen >= remotecommand.StreamProtocolV3Name {
		want++
	}
	opened := make(chan httpstream.Stream, 5)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, replySent <-chan struct{}) error {
		go func() {
			<-replySent
			opened <- stream
		}()
		return nil
	})
	if conn == nil {
		return nil
	}
	ends := &far{status: chosen >= remotecommand.StreamProtocolV4Name, close: func() { conn.Close() }}
	for ; want > 0; want-- {
		select {
		case <-time.After(30 * time.Second):
			conn.Close()
			return nil
		case stream := <-opened:
			switch stream.Headers().Get(corev1.StreamType) {
			case corev1.StreamTypeStdin:
				ends.stdin = stream
			case corev1.StreamTypeStdout:
				ends.stdout = stream
			case corev1.StreamTypeStderr:
				ends.stderr = stream
			case corev1.StreamTypeError:
				ends.errors = stream
			case corev1.StreamTypeResize:
				ends.sizes = stream
			}
		}
	}
	return ends
}

var success = metav1.Status{Status: metav1.StatusSuccess}

func failure(reason metav1.StatusReason, message string, causes ...metav1.StatusCause) metav1.Status {
	return metav1.Status{Status: metav1.StatusFailure, Reason: reason, Message: message, Details: &metav1.StatusDetails{Causes: causes}}
}

// run is the command.
func (f *far) run(command string) metav1.Status {
	name, argument, _ := strings.Cut(command, "-")
	switch name {
	case "cat":
		if _, err := io.Copy(f.stdout, f.stdin); err != nil {
			return failure("", err.Error())
		}
	case "count": // needs to see the end of the input
		n, err := io.Copy(io.Discard, f.stdin)
		if err != nil {
			return failure("", err.Error())
		}
		fmt.Fprint(f.stdout, n)
	case "hello":
		io.WriteString(f.stdout, "to out")
		if f.stderr != nil {
			io.WriteString(f.stderr, "to err")
		}
	case "exit":
		io.WriteString(f.stdout, "bye")
		return failure(remotecommand.NonZeroExitCodeReason, "exit code "+argument,
			metav1.StatusCause{Type: remotecommand.ExitCodeCauseType, Message: argument})
	case "fail":
		return failure(metav1.StatusReasonInternalError, "no such container")
	case "sizes":
		n, _ := strconv.Atoi(argument)
		for sizes := json.NewDecoder(f.sizes); n > 0; n-- {
			var size client.TerminalSize
			if err := sizes.Decode(&size); err != nil {
				return failure("", err.Error())
			}
			fmt.Fprintf(f.stdout, "%dx%d ", size.Width, size.Height)
		}
	case "flood":
		n, _ := strconv.Atoi(argument)
		f.stdout.Write(make([]byte, n))
	case "hang":
		io.WriteString(f.stdout, "started")
		io.Copy(io.Discard, f.stdin) // ends with the connection
	}
	return success
}

// upTo returns the protocols up to a version, the newest first.
func upTo(version int) []string {
	var names []string
	for v := version; v > 1; v-- {
		names = append(names, fmt.Sprintf("v%d.channel.k8s.io", v))
	}
	return append(slices.Clip(names), remotecommand.StreamProtocolV1Name)
}
