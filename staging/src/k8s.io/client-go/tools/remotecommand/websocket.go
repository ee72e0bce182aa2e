package remotecommand

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport/websocket"
	"k8s.io/klog/v2"
)

const (
	// A ping goes out so often, also for proxies that close what is silent.
	pingPeriod = 5 * time.Second
	// A server that is silent for so long, though it is pinged, is gone.
	silence = 12*pingPeriod + time.Second
	// A message that cannot be sent for so long will not be sent.
	writeTimeout = time.Minute
)

// NewWebSocketExecutor returns an executor that sends a request of a method, which
// should be GET, to a URL, with the credentials of config, and speaks WebSocket in
// version 5 of the protocol. There is an error if config cannot be used.
func NewWebSocketExecutor(config *rest.Config, method, url string) (Executor, error) {
	return NewWebSocketExecutorForProtocols(config, method, url, remotecommand.StreamProtocolV5Name)
}

// NewWebSocketExecutorForProtocols is NewWebSocketExecutor with other protocols, the
// best first.
func NewWebSocketExecutorForProtocols(config *rest.Config, method, url string, protocols ...string) (Executor, error) {
	e := &websocketExecutor{
		config:     config,
		method:     method,
		url:        url,
		protocols:  protocols,
		pingPeriod: pingPeriod,
		silence:    silence,
	}
	// The error is to be seen now, though a transport is for one connection.
	if _, _, err := e.transport(); err != nil {
		return nil, err
	}
	return e, nil
}

type websocketExecutor struct {
	config              *rest.Config
	method, url         string
	protocols           []string
	pingPeriod, silence time.Duration
}

func (e *websocketExecutor) transport() (http.RoundTripper, websocket.ConnectionHolder, error) {
	transport, holder, err := websocket.RoundTripperFor(e.config)
	if err != nil {
		return nil, nil, fmt.Errorf("error creating websocket transports: %w", err)
	}
	return transport, holder, nil
}

func (e *websocketExecutor) Stream(options StreamOptions) error {
	return e.StreamWithContext(context.Background(), options)
}

func (e *websocketExecutor) StreamWithContext(ctx context.Context, options StreamOptions) error {
	req, err := http.NewRequestWithContext(ctx, e.method, e.url, nil)
	if err != nil {
		return fmt.Errorf("error creating request: %w", err)
	}
	transport, holder, err := e.transport()
	if err != nil {
		return err
	}
	ws, err := websocket.Negotiate(transport, holder, req, e.protocols...)
	if err != nil {
		return err
	}
	if ws == nil {
		return errors.New("websocket connection is nil")
	}
	conn := newChannels(ws, holder.DataBufferSize(), e.silence)
	defer conn.Close()

	pings, stop := context.WithCancel(ctx)
	defer stop()
	go conn.ping(pings, e.pingPeriod)
	s := &session{
		StreamOptions: options,
		protocol:      protocolOf(klog.FromContext(ctx), ws.Subprotocol()),
		// Before that, there would be messages for streams that are not there yet.
		opened: func() { go conn.read(ctx) },
	}
	return runUntilDone(ctx, s, conn)
}
