package portforward

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// listeners are all that is listened on.
type listeners struct {
	mu     sync.Mutex
	all    []net.Listener
	closed bool
}

// add takes a listener over, and closes it if all others are closed already.
func (l *listeners) add(listener net.Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		listener.Close()
		return
	}
	l.all = append(l.all, listener)
}

func (l *listeners) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, listener := range l.all {
		// That it was not to be closed changes nothing for anybody.
		_ = listener.Close()
	}
	l.all = nil
}

// listen listens for all ports. Some that cannot be listened on are told of; it is an
// error if none can.
func (pf *PortForwarder) listen() error {
	var failed []error
	for i := range pf.ports {
		port := &pf.ports[i]
		if err := pf.listenFor(port); err != nil {
			pf.print(pf.errOut, "Unable to listen on port %d: %v", port.Local, err)
			failed = append(failed, err)
		}
	}
	if len(failed) == len(pf.ports) {
		return fmt.Errorf("unable to listen on any of the requested ports: %w", errors.Join(failed...))
	}
	return nil
}

// listenFor listens for a port on all addresses. Each one that is needed must do, and
// at least one of all. A local port that is chosen on the first one is the same on
// the others.
func (pf *PortForwarder) listenFor(port *ForwardedPort) error {
	var opened []net.Listener
	var failed []error
	needed := false
	for _, a := range pf.addresses {
		listener, err := net.Listen(a.network, net.JoinHostPort(a.host, strconv.Itoa(int(port.Local))))
		if err != nil {
			failed = append(failed, fmt.Errorf("unable to create listener: %w", err))
			needed = needed || a.needed
			continue
		}
		port.Local = uint16(listener.Addr().(*net.TCPAddr).Port)
		opened = append(opened, listener)
	}
	if needed || len(opened) == 0 {
		for _, listener := range opened {
			listener.Close()
		}
		return errors.Join(failed...)
	}
	for _, listener := range opened {
		pf.print(pf.out, "Forwarding from %s -> %d", listener.Addr(), port.Remote)
		pf.listeners.add(listener)
		go pf.accept(listener, *port)
	}
	return nil
}

// accept forwards what connects, until the listener is closed.
func (pf *PortForwarder) accept(listener net.Listener, port ForwardedPort) {
	for {
		local, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			pf.report(fmt.Errorf("error accepting connection on port %d: %w", port.Local, err))
			return
		}
		go func() {
			defer utilruntime.HandleCrash()
			pf.forward(local, port)
		}()
	}
}
