package connrotation_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/client-go/util/connrotation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen returns the address of a server that keeps connections open until the
// client closes them.
func listen(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				io.Copy(io.Discard, conn)
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

func dial(t testing.TB, d *connrotation.Dialer, address string) net.Conn {
	t.Helper()
	conn, err := d.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestCloseAllClosesWhatIsOpen(t *testing.T) {
	d := connrotation.NewDialer(nil)
	address := listen(t)
	before := []net.Conn{dial(t, d, address), dial(t, d, address)}
	d.CloseAll()
	after := dial(t, d, address)
	defer after.Close()
	for _, conn := range before {
		if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing to a connection that is closed: %v", err)
		}
	}
	if _, err := after.Write([]byte("x")); err != nil {
		t.Errorf("a connection was closed that was opened later: %v", err)
	}
	if d.Len() != 1 {
		t.Errorf("%d are open, want 1", d.Len())
	}
}

func TestConnectionIsForgottenWhenItIsClosed(t *testing.T) {
	d := connrotation.NewDialer(new(net.Dialer).DialContext)
	conn := dial(t, d, listen(t))
	if d.Len() != 1 {
		t.Errorf("%d are open, want 1", d.Len())
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if d.Len() != 0 {
		t.Errorf("%d are open, want 0", d.Len())
	}
	d.CloseAll()
}

func TestDialersCanShareATracker(t *testing.T) {
	address := listen(t)
	tracker := connrotation.NewConnectionTracker()
	dial(t, connrotation.NewDialerWithTracker(nil, tracker), address)
	dial(t, connrotation.NewDialerWithTracker(nil, tracker), address)
	if tracker.Len() != 2 {
		t.Errorf("%d are open, want 2", tracker.Len())
	}
	tracker.CloseAll()
	if tracker.Len() != 0 {
		t.Errorf("%d are open, want 0", tracker.Len())
	}
}

func TestFailureToDialIsPassedOn(t *testing.T) {
	failure := errors.New("no route")
	d := connrotation.NewDialer(func(context.Context, string, string) (net.Conn, error) { return nil, failure })
	if conn, err := d.DialContext(context.Background(), "tcp", "server.test:1"); conn != nil || err != failure {
		t.Errorf("got %v, %v", conn, err)
	}
	if d.Len() != 0 {
		t.Errorf("%d are open, want 0", d.Len())
	}
}

func TestConnectionsComeAndGoWhileAllAreClosed(t *testing.T) {
	d := connrotation.NewDialer(func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		there.Close()
		return here, nil
	})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				conn, err := d.Dial("tcp", "server.test:1")
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
			}
		})
		all.Go(func() {
			for range 50 {
				d.CloseAll()
			}
		})
	}
	all.Wait()
	if d.Len() != 0 {
		t.Errorf("%d are open, want 0", d.Len())
	}
}

func ExampleDialer() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()

	dialer := connrotation.NewDialer(nil)
	conn, err := dialer.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	dialer.CloseAll() // there are new credentials
	_, err = conn.Write([]byte("old credentials"))
	fmt.Println(errors.Is(err, net.ErrClosed))
	// Output: true
}
