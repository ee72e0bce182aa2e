package portforward

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/internal/streamtypes"
	streamhttp "k8s.io/streaming/pkg/httpstream"
)

// PortForwardProtocolV1Name is the protocol of streams that is spoken.
const PortForwardProtocolV1Name = "portforward.k8s.io"

// PingPeriod is how often a connection in a tunnel is pinged.
const PingPeriod = 10 * time.Second

// ErrLostConnectionToPod is returned when the connection has ended before the caller
// wanted it to.
var ErrLostConnectionToPod = errors.New("lost connection to pod")

// A PortForwarder listens on ports of this machine, and forwards what connects there to
// ports of a pod. It is used once.
type PortForwarder struct {
	// Ready is closed when all ports are listened on. It may be nil.
	Ready chan struct{}

	dialer    dialer
	addresses []address
	ports     []ForwardedPort
	stop      <-chan struct{}
	out       io.Writer
	errOut    io.Writer

	conn      streamhttp.Connection
	requests  atomic.Uint64 // numbers for pairs of streams
	printing  sync.Mutex
	listeners listeners
}

// dialer opens the connection.
type dialer func(protocols ...string) (streamhttp.Connection, string, error)

// New returns a forwarder that listens on localhost. See NewOnAddresses.
func New(dialer httpstream.Dialer, ports []string, stopChan <-chan struct{}, readyChan chan struct{}, out, errOut io.Writer) (*PortForwarder, error) {
	return NewOnAddresses(dialer, []string{"localhost"}, ports, stopChan, readyChan, out, errOut)
}

// NewForStreaming is New for a dialer of k8s.io/streaming.
func NewForStreaming(dialer streamhttp.Dialer, ports []string, stopChan <-chan struct{}, readyChan chan struct{}, out, errOut io.Writer) (*PortForwarder, error) {
	return NewOnAddressesForStreaming(dialer, []string{"localhost"}, ports, stopChan, readyChan, out, errOut)
}

// NewOnAddresses returns a forwarder that listens on IP addresses of this machine;
// localhost stands for those of 127.0.0.1 and ::1 that there are.
//
// A port is one number for both sides, local:remote, or :remote for any local port
// that is free; [PortForwarder.GetPorts] tells which one it has become. out gets a line for each
// address, and for each connection to it; errOut gets what goes wrong. Either may be
// nil.
//
// There is an error if a port or an address cannot be understood.
func NewOnAddresses(dialer httpstream.Dialer, addresses []string, ports []string, stopChan <-chan struct{}, readyChan chan struct{}, out, errOut io.Writer) (*PortForwarder, error) {
	return newForwarder(func(protocols ...string) (streamhttp.Connection, string, error) {
		conn, protocol, err := dialer.Dial(protocols...)
		if err != nil {
			return nil, "", err
		}
		return streamtypes.ToStreaming(conn), protocol, nil
	}, addresses, ports, stopChan, readyChan, out, errOut)
}

// NewOnAddressesForStreaming is NewOnAddresses for a dialer of k8s.io/streaming.
func NewOnAddressesForStreaming(dialer streamhttp.Dialer, addresses []string, ports []string, stopChan <-chan struct{}, readyChan chan struct{}, out, errOut io.Writer) (*PortForwarder, error) {
	return newForwarder(dialer.Dial, addresses, ports, stopChan, readyChan, out, errOut)
}

func newForwarder(dial dialer, addresses, ports []string, stop <-chan struct{}, ready chan struct{}, out, errOut io.Writer) (*PortForwarder, error) {
	parsedAddresses, err := parseAddresses(addresses)
	if err != nil {
		return nil, err
	}
	parsedPorts, err := parsePorts(ports)
	if err != nil {
		return nil, err
	}
	return &PortForwarder{
		Ready:     ready,
		dialer:    dial,
		addresses: parsedAddresses,
		ports:     parsedPorts,
		stop:      stop,
		out:       out,
		errOut:    errOut,
	}, nil
}

// ForwardPorts connects, listens, and forwards until the stop channel is closed. It
// returns nil then, [ErrLostConnectionToPod] if the connection has ended by itself, and
// another error if there was no connection, or no port to listen on. Nothing is
// listened on any more when it returns, and what was forwarded is closed.
func (pf *PortForwarder) ForwardPorts() error {
	defer pf.Close()
	conn, protocol, err := pf.dialer(PortForwardProtocolV1Name)
	if err != nil {
		return fmt.Errorf("error upgrading connection: %w", err)
	}
	pf.conn = conn
	defer conn.Close()
	if protocol != PortForwardProtocolV1Name {
		return fmt.Errorf("unable to negotiate protocol: client supports %q, server returned %q", PortForwardProtocolV1Name, protocol)
	}
	if err := pf.listen(); err != nil {
		return err
	}
	if pf.Ready != nil {
		close(pf.Ready)
	}
	select {
	case <-pf.stop:
		return nil
	case <-conn.CloseChan():
		return ErrLostConnectionToPod
	}
}

// Close ends listening. Connections that are forwarded already go on.
func (pf *PortForwarder) Close() { pf.listeners.close() }

// GetPorts returns the ports, with the local ones that were chosen. There is an error
// before Ready is closed, or if it is nil.
func (pf *PortForwarder) GetPorts() ([]ForwardedPort, error) {
	if pf.Ready == nil {
		return nil, errors.New("no Ready channel provided")
	}
	select {
	case <-pf.Ready:
		return pf.ports, nil
	default:
		return nil, errors.New("listeners not ready")
	}
}

// print writes a line. Many connections may do so at a time.
func (pf *PortForwarder) print(w io.Writer, format string, args ...any) {
	if w == nil {
		return
	}
	pf.printing.Lock()
	defer pf.printing.Unlock()
	fmt.Fprintf(w, format+"\n", args...)
}
