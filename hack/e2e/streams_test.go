package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
	criportforward "k8s.io/cri-streaming/pkg/streaming/portforward"
	criremotecommand "k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
)

const (
	idleTimeout     = time.Hour
	creationTimeout = 30 * time.Second
)

// kubelet serves what a node's kubelet does of streams, by the library of container
// runtimes, to which kubelets pass them on.
type kubelet struct{}

func (k kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// METHOD /exec/NAMESPACE/POD/CONTAINER, and without the last /portForward.
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 3 {
		http.NotFound(w, r)
		return
	}
	switch pod := parts[2]; parts[0] {
	case "exec", "attach":
		options, err := criremotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if parts[0] == "exec" {
			criremotecommand.ServeExec(w, r, k, pod, "", parts[3], r.URL.Query()["command"], options,
				idleTimeout, creationTimeout, criremotecommand.SupportedStreamingProtocols)
			return
		}
		criremotecommand.ServeAttach(w, r, k, pod, "", parts[3], options,
			idleTimeout, creationTimeout, criremotecommand.SupportedStreamingProtocols)
	case "portForward":
		options, err := criportforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		criportforward.ServePortForward(w, r, k, pod, "", options, idleTimeout, creationTimeout, criportforward.SupportedProtocols)
	default:
		http.NotFound(w, r)
	}
}

// exitCode is how a runtime tells the exit code of a command.
type exitCode int

func (e exitCode) Error() string   { return fmt.Sprintf("exit code %d", int(e)) }
func (e exitCode) String() string  { return e.Error() }
func (e exitCode) Exited() bool    { return true }
func (e exitCode) ExitStatus() int { return int(e) }

func (kubelet) ExecInContainer(ctx context.Context, pod, uid, container string, command []string, in io.Reader, out, stderr io.WriteCloser, tty bool, resize <-chan criremotecommand.TerminalSize, _ time.Duration) error {
	switch command[0] {
	case "cat":
		_, err := io.Copy(out, in)
		return err
	case "count": // does not answer before the end of the input
		n, err := io.Copy(io.Discard, in)
		fmt.Fprint(out, n)
		return err
	case "complain":
		io.WriteString(out, "to out")
		io.WriteString(stderr, "to err")
		code, _ := strconv.Atoi(command[1])
		return exitCode(code)
	case "size":
		for range 2 {
			size := <-resize
			fmt.Fprintf(out, "%dx%d ", size.Width, size.Height)
		}
		return nil
	case "hang":
		io.WriteString(out, "started")
		_, err := io.Copy(io.Discard, in) // until the client is gone
		return err
	}
	return errors.New("no such command")
}

func (kubelet) AttachContainer(ctx context.Context, pod, uid, container string, in io.Reader, out, stderr io.WriteCloser, tty bool, resize <-chan criremotecommand.TerminalSize) error {
	_, err := fmt.Fprintf(out, "attached to %s of %s", container, pod)
	return err
}

func (kubelet) PortForward(ctx context.Context, pod, uid string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	if port == 81 {
		return errors.New("connection refused")
	}
	_, err := io.Copy(stream, stream)
	return err
}

// streamingPod is a pod on a node whose kubelet is one of ours.
func streamingPod(t *testing.T) *corev1.Pod {
	t.Helper()
	server := httptest.NewTLSServer(kubelet{})
	t.Cleanup(server.Close)
	port := server.Listener.Addr().(*net.TCPAddr).Port
	cs := clientset(t, adminConfig(t))
	ns := namespace(t)
	node, err := cs.CoreV1().Nodes().Create(deadline(t), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cs.CoreV1().Nodes().Delete(context.Background(), node.Name, metav1.DeleteOptions{})
	})
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(port)
	if _, err := cs.CoreV1().Nodes().UpdateStatus(deadline(t), node, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod, err := cs.CoreV1().Pods(ns).Create(deadline(t), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.PodSpec{
			NodeName:   node.Name,
			Containers: []corev1.Container{{Name: "main", Image: "example.com/image"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// podURL is the URL of a subresource of a pod.
func podURL(t *testing.T, pod *corev1.Pod, sub string, options *corev1.PodExecOptions) *url.URL {
	t.Helper()
	request := clientset(t, adminConfig(t)).CoreV1().RESTClient().Post().
		Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource(sub)
	if options != nil {
		request = request.VersionedParams(options, scheme.ParameterCodec)
	}
	return request.URL()
}

// execWays are all ways to run a command.
var execWays = map[string]func(config *rest.Config, url *url.URL) (remotecommand.Executor, error){
	"WebSocket": func(config *rest.Config, url *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewWebSocketExecutor(config, http.MethodGet, url.String())
	},
	"SPDY": func(config *rest.Config, url *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewSPDYExecutor(config, http.MethodPost, url)
	},
	"fallback": func(config *rest.Config, url *url.URL) (remotecommand.Executor, error) {
		// No server speaks this version.
		future, err := remotecommand.NewWebSocketExecutorForProtocols(config, http.MethodGet, url.String(), "v9.channel.k8s.io")
		if err != nil {
			return nil, err
		}
		now, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, url)
		if err != nil {
			return nil, err
		}
		return remotecommand.NewFallbackExecutor(future, now, httpstream.IsUpgradeFailure)
	},
}

type sizeQueue []remotecommand.TerminalSize

func (q *sizeQueue) Next() *remotecommand.TerminalSize {
	if len(*q) == 0 {
		return nil
	}
	size := (*q)[0]
	*q = (*q)[1:]
	return &size
}

// TestCommandsInAContainer goes through the API server to a kubelet.
func TestCommandsInAContainer(t *testing.T) {
	t.Parallel()
	pod := streamingPod(t)
	input := make([]byte, 1<<20+1)
	rand.Read(input)
	for name, way := range execWays {
		run := func(t *testing.T, ctx context.Context, streams remotecommand.StreamOptions, command ...string) error {
			t.Helper()
			executor, err := way(adminConfig(t), podURL(t, pod, "exec", &corev1.PodExecOptions{
				Command: command, Stdin: streams.Stdin != nil, Stdout: streams.Stdout != nil, Stderr: streams.Stderr != nil, TTY: streams.Tty,
			}))
			if err != nil {
				t.Fatal(err)
			}
			return executor.StreamWithContext(ctx, streams)
		}
		t.Run(name, func(t *testing.T) {
			t.Run("input comes back", func(t *testing.T) {
				var output bytes.Buffer
				err := run(t, deadline(t), remotecommand.StreamOptions{Stdin: bytes.NewReader(input), Stdout: &output}, "cat")
				if err != nil || !bytes.Equal(output.Bytes(), input) {
					t.Errorf("%d of %d bytes: %v", output.Len(), len(input), err)
				}
			})
			t.Run("end of input is seen", func(t *testing.T) {
				var output bytes.Buffer
				err := run(t, deadline(t), remotecommand.StreamOptions{Stdin: strings.NewReader("hello"), Stdout: &output}, "count")
				if err != nil || output.String() != "5" {
					t.Errorf("%q, %v", &output, err)
				}
			})
			t.Run("exit code", func(t *testing.T) {
				var stdout, stderr bytes.Buffer
				err := run(t, deadline(t), remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr}, "complain", "42")
				var exit exec.ExitError
				if !errors.As(err, &exit) || exit.ExitStatus() != 42 || stdout.String() != "to out" || stderr.String() != "to err" {
					t.Errorf("%q, %q, %v", &stdout, &stderr, err)
				}
			})
			t.Run("failure", func(t *testing.T) {
				err := run(t, deadline(t), remotecommand.StreamOptions{Stdout: io.Discard}, "nothing")
				if err == nil || !strings.Contains(err.Error(), "no such command") {
					t.Errorf("%v", err)
				}
			})
			t.Run("sizes", func(t *testing.T) {
				var output bytes.Buffer
				sizes := &sizeQueue{{Width: 80, Height: 25}, {Width: 132, Height: 50}}
				err := run(t, deadline(t), remotecommand.StreamOptions{Stdin: strings.NewReader(""), Stdout: &output, Tty: true, TerminalSizeQueue: sizes}, "size")
				if err != nil || output.String() != "80x25 132x50 " {
					t.Errorf("%q, %v", &output, err)
				}
			})
			t.Run("context ends it", func(t *testing.T) {
				ctx, cancel := context.WithCancel(deadline(t))
				stdin, _ := io.Pipe()
				defer stdin.Close()
				started, stdout := io.Pipe()
				go func() {
					io.ReadFull(started, make([]byte, len("started")))
					cancel()
				}()
				err := run(t, ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout}, "hang")
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v", err)
				}
			})
			t.Run("attach", func(t *testing.T) {
				var output bytes.Buffer
				executor, err := way(adminConfig(t), podURL(t, pod, "attach", &corev1.PodExecOptions{Stdout: true}))
				if err != nil {
					t.Fatal(err)
				}
				err = executor.StreamWithContext(deadline(t), remotecommand.StreamOptions{Stdout: &output})
				if err != nil || output.String() != "attached to main of web" {
					t.Errorf("%q, %v", &output, err)
				}
			})
		})
	}
}

// TestPortsOfAPod goes through the API server to a kubelet.
func TestPortsOfAPod(t *testing.T) {
	t.Parallel()
	pod := streamingPod(t)
	target := podURL(t, pod, "portforward", nil)
	config := adminConfig(t)
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(target, config)
	if err != nil {
		t.Fatal(err)
	}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		t.Fatal(err)
	}
	plain := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	forward := func(t *testing.T, forwarder func(stop, ready chan struct{}) (*portforward.PortForwarder, error)) {
		stop, ready, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		pf, err := forwarder(stop, ready)
		if err != nil {
			t.Fatal(err)
		}
		go func() { result <- pf.ForwardPorts() }()
		select {
		case <-ready:
		case err := <-result:
			t.Fatal(err)
		}
		ports, err := pf.GetPorts()
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range []int{1, 0, 0} { // one that refuses first, and others after it
			conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", ports[port].Local), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(time.Minute))
			io.WriteString(conn, "hello")
			conn.(*net.TCPConn).CloseWrite()
			got, err := io.ReadAll(conn)
			conn.Close()
			if ports[port].Remote == 80 && (string(got) != "hello" || err != nil) {
				t.Errorf("port 80: %q, %v", got, err)
			}
			if ports[port].Remote == 81 && len(got) > 0 {
				t.Errorf("port 81: %q", got)
			}
		}
		close(stop)
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
	ports := []string{":80", ":81"}
	t.Run("tunnel", func(t *testing.T) {
		forward(t, func(stop, ready chan struct{}) (*portforward.PortForwarder, error) {
			return portforward.New(tunnel, ports, stop, ready, io.Discard, io.Discard)
		})
	})
	t.Run("SPDY", func(t *testing.T) {
		forward(t, func(stop, ready chan struct{}) (*portforward.PortForwarder, error) {
			return portforward.New(plain, ports, stop, ready, io.Discard, io.Discard)
		})
	})
	t.Run("fallback", func(t *testing.T) {
		missing := *target
		missing.Path += "x" // where nothing is that could be upgraded
		nowhere, err := portforward.NewSPDYOverWebsocketDialer(&missing, config)
		if err != nil {
			t.Fatal(err)
		}
		forward(t, func(stop, ready chan struct{}) (*portforward.PortForwarder, error) {
			dialer := portforward.NewFallbackDialer(nowhere, plain, httpstream.IsUpgradeFailure)
			return portforward.New(dialer, ports, stop, ready, io.Discard, io.Discard)
		})
	})
}
