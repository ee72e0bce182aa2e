package portforward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/streaming/pkg/httpstream"
)

// pair are the streams of one connection to a port.
type pair struct {
	data, errors httpstream.Stream
}

// open opens the streams. That of errors is first, and nothing is written to it: by
// that a node knows it.
func (pf *PortForwarder) open(port ForwardedPort) (pair, error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(int(port.Remote)))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.FormatUint(pf.requests.Add(1)-1, 10))

	var streams pair
	for _, stream := range []struct {
		kind string
		to   *httpstream.Stream
	}{{corev1.StreamTypeError, &streams.errors}, {corev1.StreamTypeData, &streams.data}} {
		headers := headers.Clone()
		headers.Set(corev1.StreamType, stream.kind)
		created, err := pf.conn.CreateStream(headers)
		if err != nil {
			pf.forget(streams)
			return pair{}, fmt.Errorf("error creating %s stream for port %d -> %d: %w", stream.kind, port.Local, port.Remote, err)
		}
		*stream.to = created
		if stream.kind == corev1.StreamTypeError {
			created.Close()
		}
	}
	return streams, nil
}

// forget resets streams, so that what is left of them does not hold up others, and
// lets the connection drop them.
func (pf *PortForwarder) forget(streams pair) {
	for _, stream := range []httpstream.Stream{streams.data, streams.errors} {
		if stream != nil {
			stream.Reset()
			pf.conn.RemoveStreams(stream)
		}
	}
}

// forward carries one connection, until the pod has closed it or one side has failed.
func (pf *PortForwarder) forward(local net.Conn, port ForwardedPort) {
	defer local.Close()
	pf.print(pf.out, "Handling connection for %d", port.Local)
	streams, err := pf.open(port)
	if err != nil {
		pf.report(err)
		return
	}
	defer pf.forget(streams)

	told := make(chan error, 1)
	go func() {
		defer utilruntime.HandleCrash()
		told <- readError(streams.errors, port)
	}()
	received := make(chan struct{})
	go func() {
		defer utilruntime.HandleCrash()
		defer close(received)
		if _, err := io.Copy(local, streams.data); expected(err) != nil {
			pf.report(fmt.Errorf("error copying from remote stream to local connection: %w", err))
		}
	}()
	failed := make(chan struct{})
	go func() {
		defer utilruntime.HandleCrash()
		// The pod may answer after it has seen the end.
		defer streams.data.Close()
		if _, err := io.Copy(streams.data, local); expected(err) != nil {
			pf.report(fmt.Errorf("error copying from local connection to remote stream: %w", err))
			close(failed)
		}
	}()

	select {
	case <-received:
	case <-failed:
	}
	// What is in the stream of data still must not hold up that of errors.
	streams.data.Reset()
	if err := <-told; err != nil {
		pf.report(err)
		// A port that nobody listens on may be listened on later. But where the pod is
		// gone, a node says so for each connection, and the caller should know.
		if !strings.Contains(err.Error(), "connection refused") {
			pf.conn.Close()
		}
	}
}

// expected returns nil for what is seen where a connection ends in an ordinary way.
func expected(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func readError(stream io.Reader, port ForwardedPort) error {
	said, err := io.ReadAll(stream)
	switch {
	case err != nil:
		return fmt.Errorf("error reading from error stream for port %d -> %d: %w", port.Local, port.Remote, err)
	case len(said) > 0:
		return fmt.Errorf("an error occurred forwarding %d -> %d: %s", port.Local, port.Remote, said)
	}
	return nil
}

// report tells of an error of one connection.
func (pf *PortForwarder) report(err error) {
	utilruntime.HandleError(err)
}
