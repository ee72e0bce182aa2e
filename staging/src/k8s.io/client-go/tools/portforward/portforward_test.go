package portforward_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/moby/spdystream.(*Connection).shutdown"))
}

func tunnel(t *testing.T, target string) httpstream.Dialer {
	t.Helper()
	u, _ := url.Parse(target)
	dialer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, &rest.Config{Host: target})
	if err != nil {
		t.Fatal(err)
	}
	return dialer
}

func plain(t *testing.T, target string) httpstream.Dialer {
	t.Helper()
	u, _ := url.Parse(target)
	transport, upgrader, err := spdy.RoundTripperFor(&rest.Config{Host: target})
	if err != nil {
		t.Fatal(err)
	}
	return spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, "POST", u)
}

// ways are all ways to reach a pod.
var ways = map[string]func(t *testing.T) (*pod, httpstream.Dialer){
	"tunnel": func(t *testing.T) (*pod, httpstream.Dialer) {
		p, target := startPod(t, true)
		return p, tunnel(t, target)
	},
	"SPDY": func(t *testing.T) (*pod, httpstream.Dialer) {
		p, target := startPod(t, false)
		return p, plain(t, target)
	},
	"fallback": func(t *testing.T) (*pod, httpstream.Dialer) {
		p, target := startPod(t, false)
		return p, portforward.NewFallbackDialerForStreaming(tunnel(t, target), plain(t, target), httpstream.IsUpgradeFailure)
	},
}

// forwarding is a forwarder at work.
type forwarding struct {
	*portforward.PortForwarder
	ports  map[uint16]uint16 // local, by remote
	out    *lines
	stop   func()
	result chan error
}

// lines may be written while they are read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func forward(t *testing.T, dialer httpstream.Dialer, remote ...uint16) *forwarding {
	t.Helper()
	var ports []string
	for _, port := range remote {
		ports = append(ports, fmt.Sprintf(":%d", port))
	}
	f := &forwarding{ports: map[uint16]uint16{}, out: &lines{}, result: make(chan error, 1)}
	stop, ready := make(chan struct{}), make(chan struct{})
	f.stop = sync.OnceFunc(func() { close(stop) })
	var err error
	f.PortForwarder, err = portforward.NewOnAddressesForStreaming(dialer, []string{"127.0.0.1"}, ports, stop, ready, f.out, f.out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.GetPorts(); err == nil {
		t.Error("ports are told before they are ready")
	}
	go func() { f.result <- f.ForwardPorts() }()
	t.Cleanup(f.stop)
	select {
	case <-ready:
	case err := <-f.result:
		t.Fatalf("it ended with %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("it is not ready")
	}
	chosen, err := f.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range chosen {
		f.ports[port.Remote] = port.Local
	}
	return f
}

func (f *forwarding) dial(t *testing.T, remote uint16) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", f.ports[remote]))
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// end waits for the end of a forwarder.
func (f *forwarding) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-f.result:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
		return nil
	}
}

func each(t *testing.T, test func(t *testing.T, p *pod, dialer httpstream.Dialer)) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p, dialer := way(t)
			test(t, p, dialer)
		})
	}
}

func TestManyConnectionsAtATimeAreCarriedWhole(t *testing.T) {
	each(t, func(t *testing.T, _ *pod, dialer httpstream.Dialer) {
		f := forward(t, dialer, echoes)
		var all sync.WaitGroup
		for range 8 {
			conn := f.dial(t, echoes)
			sent := make([]byte, 1<<20+3)
			rand.Read(sent)
			all.Go(func() {
				conn.Write(sent)
				conn.CloseWrite()
			})
			all.Go(func() {
				received, err := io.ReadAll(conn)
				if err != nil || !bytes.Equal(received, sent) {
					t.Errorf("%d of %d bytes came back: %v", len(received), len(sent), err)
				}
			})
		}
		all.Wait()
		f.stop()
		if err := f.end(t); err != nil {
			t.Error(err)
		}
	})
}

func TestEndOfWhatIsSentIsSeenBeforeTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, _ *pod, dialer httpstream.Dialer) {
		conn := forward(t, dialer, counts).dial(t, counts)
		io.WriteString(conn, "hello")
		conn.CloseWrite()
		if got, err := io.ReadAll(conn); string(got) != "5" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestPodMayCloseFirst(t *testing.T) {
	each(t, func(t *testing.T, _ *pod, dialer httpstream.Dialer) {
		f := forward(t, dialer, greets)
		for range 20 {
			if got, err := io.ReadAll(f.dial(t, greets)); string(got) != "hello" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		}
	})
}

func TestPortThatRefusesIsNoneOfTheOthers(t *testing.T) {
	each(t, func(t *testing.T, _ *pod, dialer httpstream.Dialer) {
		f := forward(t, dialer, echoes, refuses)
		before := f.dial(t, echoes)
		for range 3 {
			if got, err := io.ReadAll(f.dial(t, refuses)); len(got) > 0 {
				t.Errorf("from a port that refuses: %q, %v", got, err)
			}
		}
		after := f.dial(t, echoes)
		for _, conn := range []*net.TCPConn{before, after} {
			io.WriteString(conn, "hello")
			conn.CloseWrite()
			if got, err := io.ReadAll(conn); string(got) != "hello" {
				t.Errorf("%q, %v", got, err)
			}
		}
		f.stop()
		if err := f.end(t); err != nil {
			t.Error(err)
		}
	})
}

func TestStopEndsAllThatIsForwarded(t *testing.T) {
	each(t, func(t *testing.T, _ *pod, dialer httpstream.Dialer) {
		f := forward(t, dialer, waits)
		conn := f.dial(t, waits)
		io.ReadFull(conn, make([]byte, 1))
		f.stop()
		if err := f.end(t); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection is still forwarded")
		}
		if conn, err := net.Dial("tcp", conn.RemoteAddr().String()); err == nil {
			conn.Close()
			t.Error("it is still listened on")
		}
	})
}

func TestLossOfThePodIsTold(t *testing.T) {
	each(t, func(t *testing.T, p *pod, dialer httpstream.Dialer) {
		f := forward(t, dialer, waits)
		conn := f.dial(t, waits)
		io.ReadFull(conn, make([]byte, 1))
		p.die()
		if err := f.end(t); err != portforward.ErrLostConnectionToPod {
			t.Errorf("the error is %v", err)
		}
		io.ReadAll(conn)
	})
}

func TestPodThatIsGoneIsTold(t *testing.T) {
	each(t, func(t *testing.T, p *pod, dialer httpstream.Dialer) {
		f := forward(t, dialer, dead)
		io.ReadAll(f.dial(t, dead))
		if err := f.end(t); err != portforward.ErrLostConnectionToPod {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestWhatIsDoneIsPrinted(t *testing.T) {
	_, dialer := ways["tunnel"](t)
	f := forward(t, dialer, greets)
	io.ReadAll(f.dial(t, greets))
	want := fmt.Sprintf("Forwarding from 127.0.0.1:%d -> %d\nHandling connection for %[1]d\n", f.ports[greets], greets)
	if got := f.out.String(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestPortThatIsTakenIsTold(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	_, dialer := ways["tunnel"](t)
	var out lines
	f, err := portforward.NewOnAddressesForStreaming(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("%d:80", port)}, nil, nil, nil, &out)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.ForwardPorts(); err == nil || !strings.Contains(err.Error(), "unable to listen on any of the requested ports") {
		t.Errorf("the error is %v", err)
	}
	if got := out.String(); !strings.HasPrefix(got, fmt.Sprintf("Unable to listen on port %d: ", port)) {
		t.Errorf("printed %q", got)
	}

	// One of two is enough to go on.
	stop, ready := make(chan struct{}), make(chan struct{})
	_, dialer = ways["tunnel"](t)
	f, err = portforward.NewForStreaming(dialer, []string{fmt.Sprintf("%d:80", port), ":80"}, stop, ready, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() { result <- f.ForwardPorts() }()
	select {
	case <-ready:
		close(stop)
		err = <-result
	case err = <-result:
	}
	if err != nil {
		t.Error(err)
	}
}

type noDialer struct{ err error }

func (d noDialer) Dial(...string) (httpstream.Connection, string, error) { return nil, "", d.err }

func TestServerThatRefusesIsAnError(t *testing.T) {
	_, target := startPod(t, false)
	for name, dialer := range map[string]httpstream.Dialer{"tunnel": tunnel(t, target), "stub": noDialer{&httpstream.UpgradeFailureError{Cause: io.EOF}}} {
		f, err := portforward.NewForStreaming(dialer, []string{":80"}, nil, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.ForwardPorts(); !httpstream.IsUpgradeFailure(err) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, err := portforward.NewSPDYOverWebsocketDialer(&url.URL{}, &rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: "/does/not/exist"}}); err == nil {
		t.Error("a config that cannot be used is taken")
	}
}

func TestPortsAndAddressesThatMakeNoSense(t *testing.T) {
	for _, test := range []struct {
		ports, addresses []string
	}{
		{nil, []string{"localhost"}},
		{[]string{"80"}, []string{}},
		{[]string{"80"}, []string{"example.com"}},
		{[]string{"80"}, []string{"127.0.0.257"}},
		{[]string{"a"}, []string{"localhost"}},
		{[]string{""}, []string{"localhost"}},
		{[]string{"0"}, []string{"localhost"}},
		{[]string{"80:0"}, []string{"localhost"}},
		{[]string{"80:"}, []string{"localhost"}},
		{[]string{"-1"}, []string{"localhost"}},
		{[]string{"65536"}, []string{"localhost"}},
		{[]string{"1:2:3"}, []string{"localhost"}},
		{[]string{"80", "b:80"}, []string{"localhost"}},
	} {
		if _, err := portforward.NewOnAddressesForStreaming(noDialer{}, test.addresses, test.ports, nil, nil, nil, nil); err == nil {
			t.Errorf("%q on %q are taken", test.ports, test.addresses)
		}
	}
	ready := make(chan struct{})
	close(ready)
	f, err := portforward.NewForStreaming(noDialer{}, []string{"80", "8080:80", ":443"}, nil, ready, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.GetPorts(); fmt.Sprint(got) != "[{80 80} {8080 80} {0 443}]" || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
