package portforward

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/klog/v2"
	streamhttp "k8s.io/streaming/pkg/httpstream"
)

// A FallbackDialer has a second dialer for servers that the first one cannot talk to.
type FallbackDialer struct {
	primary, secondary httpstream.Dialer
	shouldFallback     func(error) bool
}

var _ httpstream.Dialer = &FallbackDialer{}

// NewFallbackDialer returns a dialer that uses primary, and secondary if primary has
// returned an error for which shouldFallback is true.
func NewFallbackDialer(primary, secondary httpstream.Dialer, shouldFallback func(error) bool) httpstream.Dialer {
	return &FallbackDialer{primary: primary, secondary: secondary, shouldFallback: shouldFallback}
}

// Dial connects, and returns the connection and the protocol that was chosen.
func (f *FallbackDialer) Dial(protocols ...string) (httpstream.Connection, string, error) {
	return dialOneOf(f.primary.Dial, f.secondary.Dial, f.shouldFallback, protocols)
}

// A StreamingFallbackDialer is a FallbackDialer of the types of k8s.io/streaming.
type StreamingFallbackDialer struct {
	primary, secondary streamhttp.Dialer
	shouldFallback     func(error) bool
}

var _ streamhttp.Dialer = &StreamingFallbackDialer{}

// NewFallbackDialerForStreaming is NewFallbackDialer for the types of k8s.io/streaming.
func NewFallbackDialerForStreaming(primary, secondary streamhttp.Dialer, shouldFallback func(error) bool) streamhttp.Dialer {
	return &StreamingFallbackDialer{primary: primary, secondary: secondary, shouldFallback: shouldFallback}
}

// Dial connects, and returns the connection and the protocol that was chosen.
func (f *StreamingFallbackDialer) Dial(protocols ...string) (streamhttp.Connection, string, error) {
	return dialOneOf(f.primary.Dial, f.secondary.Dial, f.shouldFallback, protocols)
}

func dialOneOf[C any](primary, secondary func(...string) (C, string, error), shouldFallback func(error) bool, protocols []string) (C, string, error) {
	conn, protocol, err := primary(protocols...)
	if err == nil || !shouldFallback(err) {
		return conn, protocol, err
	}
	klog.V(4).InfoS("Falling back to another way to forward ports", "err", err)
	return secondary(protocols...)
}
