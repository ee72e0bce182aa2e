package remotecommand

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// streamCreator is what a session needs of a connection.
type streamCreator interface {
	CreateStream(headers http.Header) (httpstream.Stream, error)
}

// protocol is what a version of the protocol can do.
type protocol struct {
	halfClose bool // the end of the input is passed on
	resize    bool // there is a stream for sizes
	status    bool // errors are a Status
}

// protocolOf returns the protocol that a server has chosen. A server that has not
// chosen any is from before there was a choice.
func protocolOf(logger klog.Logger, name string) protocol {
	switch name {
	case remotecommand.StreamProtocolV5Name, remotecommand.StreamProtocolV4Name:
		return protocol{halfClose: true, resize: true, status: true}
	case remotecommand.StreamProtocolV3Name:
		return protocol{halfClose: true, resize: true}
	case remotecommand.StreamProtocolV2Name:
		return protocol{halfClose: true}
	default:
		if name != remotecommand.StreamProtocolV1Name {
			logger.V(4).Info("The server did not negotiate a streaming protocol version, falling back", "protocol", remotecommand.StreamProtocolV1Name)
		}
		return protocol{}
	}
}

// session is one run of a command.
type session struct {
	StreamOptions
	protocol protocol
	opened   func() // if not nil, is called when all streams are open

	errors, stdin, stdout, stderr, sizes httpstream.Stream
}

// run carries the streams. It ends when the server has closed the output and the
// stream of errors, which it does when the command has ended.
func (s *session) run(ctx context.Context, conn streamCreator) error {
	if err := s.open(conn); err != nil {
		return err
	}
	if s.opened != nil {
		s.opened()
	}
	// These end with the connection; the first two not before a read of the
	// caller's does.
	if s.stdin != nil {
		go s.sendInput(ctx)
	}
	if s.sizes != nil {
		go s.sendSizes(ctx)
	}
	var output sync.WaitGroup
	for _, out := range []struct {
		name   string
		remote httpstream.Stream
		local  io.Writer
	}{{"stdout", s.stdout, s.Stdout}, {"stderr", s.stderr, s.Stderr}} {
		if out.remote != nil {
			output.Go(func() {
				defer utilruntime.HandleCrashWithContext(ctx)
				receive(ctx, out.name, out.local, out.remote)
			})
		}
	}
	result := make(chan error, 1)
	go func() {
		defer utilruntime.HandleCrashWithContext(ctx)
		result <- s.readError()
	}()
	output.Wait()
	return <-result
}

// open creates the streams, in the order in which servers have always seen them.
func (s *session) open(conn streamCreator) error {
	for _, stream := range []struct {
		kind   string
		wanted bool
		to     *httpstream.Stream
	}{
		{corev1.StreamTypeError, true, &s.errors},
		{corev1.StreamTypeStdin, s.Stdin != nil, &s.stdin},
		{corev1.StreamTypeStdout, s.Stdout != nil, &s.stdout},
		{corev1.StreamTypeStderr, s.Stderr != nil && !s.Tty, &s.stderr},
		{corev1.StreamTypeResize, s.Tty && s.protocol.resize, &s.sizes},
	} {
		if !stream.wanted {
			continue
		}
		headers := http.Header{}
		headers.Set(corev1.StreamType, stream.kind)
		created, err := conn.CreateStream(headers)
		if err != nil {
			return fmt.Errorf("opening the stream %s: %w", stream.kind, err)
		}
		*stream.to = created
	}
	return nil
}

// onlyReader hides all other methods: a reader that writes itself to the connection
// would do so as one message, however large it is.
type onlyReader struct{ io.Reader }

func (s *session) sendInput(ctx context.Context) {
	defer utilruntime.HandleCrashWithContext(ctx)
	logger := klog.FromContext(ctx)
	if s.protocol.halfClose {
		// The server says nothing here, but it may close the stream, and SPDY wants
		// what there is to be read.
		go func() {
			defer utilruntime.HandleCrashWithContext(ctx)
			io.Copy(io.Discard, s.stdin)
		}()
		defer s.stdin.Close()
	}
	// Most commands end without having read all of their input, so that this is no
	// error of the command.
	if _, err := io.Copy(s.stdin, onlyReader{s.Stdin}); err != nil {
		logger.V(4).Info("Input not sent to its end", "err", err)
	}
}

func (s *session) sendSizes(ctx context.Context) {
	defer utilruntime.HandleCrashWithContext(ctx)
	if s.TerminalSizeQueue == nil {
		return
	}
	sizes := json.NewEncoder(s.sizes)
	for size := s.TerminalSizeQueue.Next(); size != nil; size = s.TerminalSizeQueue.Next() {
		if err := sizes.Encode(size); err != nil {
			klog.FromContext(ctx).V(4).Info("Size of the terminal not sent", "err", err)
			return
		}
	}
}

// receive copies output. A writer that fails, as a pipe that nobody reads does, is no
// error of the command; that the connection is broken is told by the stream of errors.
// The rest is read in any case, since one stream that is not read stops all of a
// connection's.
func receive(ctx context.Context, name string, local io.Writer, remote io.Reader) {
	if _, err := io.Copy(local, remote); err != nil {
		klog.FromContext(ctx).Error(err, "Output not passed on to its end", "stream", name)
		io.Copy(io.Discard, remote)
	}
}
