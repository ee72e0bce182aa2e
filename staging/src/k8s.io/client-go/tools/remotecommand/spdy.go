package remotecommand

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// spdyProtocols are what is offered, the best first.
var spdyProtocols = [...]string{
	remotecommand.StreamProtocolV5Name,
	remotecommand.StreamProtocolV4Name,
	remotecommand.StreamProtocolV3Name,
	remotecommand.StreamProtocolV2Name,
	remotecommand.StreamProtocolV1Name,
}

// NewSPDYExecutor returns an executor that sends a request of a method to a URL, with
// the credentials of config, and speaks SPDY. There is an error if config cannot be
// used.
func NewSPDYExecutor(config *rest.Config, method string, url *url.URL) (Executor, error) {
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, fmt.Errorf("making a transport for SPDY: %w", err)
	}
	return NewSPDYExecutorForTransports(transport, upgrader, method, url)
}

// NewSPDYExecutorForTransports is NewSPDYExecutor with what spdy.RoundTripperFor
// returns. Without the first of NewSPDYExecutor's steps there is no error.
func NewSPDYExecutorForTransports(transport http.RoundTripper, upgrader spdy.Upgrader, method string, url *url.URL) (Executor, error) {
	return NewSPDYExecutorForProtocols(transport, upgrader, method, url, spdyProtocols[:]...)
}

// NewSPDYExecutorRejectRedirects is NewSPDYExecutorForTransports for servers that must
// not send the client elsewhere: a redirect is an error of the executor.
func NewSPDYExecutorRejectRedirects(transport http.RoundTripper, upgrader spdy.Upgrader, method string, url *url.URL) (Executor, error) {
	return &spdyExecutor{
		client:    http.Client{Transport: transport, CheckRedirect: refuseRedirect},
		upgrader:  upgrader,
		method:    method,
		url:       url,
		protocols: spdyProtocols[:],
	}, nil
}

// NewSPDYExecutorForProtocols is NewSPDYExecutorForTransports with other protocols,
// the best first.
func NewSPDYExecutorForProtocols(transport http.RoundTripper, upgrader spdy.Upgrader, method string, url *url.URL, protocols ...string) (Executor, error) {
	return &spdyExecutor{
		client:    http.Client{Transport: transport},
		upgrader:  upgrader,
		method:    method,
		url:       url,
		protocols: protocols,
	}, nil
}

func refuseRedirect(*http.Request, []*http.Request) error {
	return errors.New("redirect not allowed")
}

type spdyExecutor struct {
	client    http.Client
	upgrader  spdy.Upgrader
	method    string
	url       *url.URL
	protocols []string
}

func (e *spdyExecutor) Stream(options StreamOptions) error {
	return e.StreamWithContext(context.Background(), options)
}

func (e *spdyExecutor) StreamWithContext(ctx context.Context, options StreamOptions) error {
	conn, chosen, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	s := &session{StreamOptions: options, protocol: protocolOf(klog.FromContext(ctx), chosen)}
	return runUntilDone(ctx, s, conn)
}

func (e *spdyExecutor) connect(ctx context.Context) (httpstream.Connection, string, error) {
	req, err := http.NewRequestWithContext(ctx, e.method, e.url.String(), nil)
	if err != nil {
		return nil, "", fmt.Errorf("error creating request: %w", err)
	}
	return spdy.NegotiateStreaming(e.upgrader, &e.client, req, e.protocols...)
}

// runUntilDone runs a session until it or ctx ends. In the second case the session
// ends with its connection, which the caller closes.
func runUntilDone(ctx context.Context, s *session, conn streamCreator) error {
	done := make(chan error, 1)
	crashed := make(chan any, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				crashed <- p
			}
		}()
		done <- s.run(ctx, conn)
	}()
	select {
	case p := <-crashed:
		panic(p) // where the caller can see it
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
