package transport

import (
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

// stepTimes measures what goes on between a request and its response. Several
// addresses may be tried at the same time, and what is no longer needed may end
// after the response is there, so everything is under a lock.
type stepTimes struct {
	start  time.Time
	logger klog.Logger

	mu                               sync.Mutex
	reused                           bool
	dnsStart, dialStart, tlsStart    time.Time
	lookup, dial, handshake, connect time.Duration
	gotConn                          time.Time
	server                           time.Duration
}

func (s *stepTimes) watch(req *http.Request) *http.Request {
	begin := func(at *time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		*at = time.Now()
	}
	end := func(took *time.Duration, since *time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		*took = time.Since(*since)
	}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		DNSStart: func(info httptrace.DNSStartInfo) {
			begin(&s.dnsStart)
		},
		DNSDone: func(info httptrace.DNSDoneInfo) {
			end(&s.lookup, &s.dnsStart)
			if info.Err != nil {
				s.logger.Info("HTTP Trace: DNS Lookup failed", "err", info.Err)
				return
			}
			s.logger.Info("HTTP Trace: DNS Lookup resolved", "address", info.Addrs)
		},
		ConnectStart: func(network, address string) {
			begin(&s.dialStart)
		},
		ConnectDone: func(network, address string, err error) {
			end(&s.dial, &s.dialStart)
			if err != nil {
				s.logger.Info("HTTP Trace: Dial failed", "network", network, "address", address, "err", err)
				return
			}
			s.logger.Info("HTTP Trace: Dial succeed", "network", network, "address", address)
		},
		TLSHandshakeStart: func() {
			begin(&s.tlsStart)
		},
		TLSHandshakeDone: func(tls.ConnectionState, error) {
			end(&s.handshake, &s.tlsStart)
		},
		GotConn: func(info httptrace.GotConnInfo) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.reused = info.Reused
			s.gotConn = time.Now()
			s.connect = s.gotConn.Sub(s.start)
		},
		GotFirstResponseByte: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.gotConn.IsZero() {
				s.server = time.Since(s.gotConn)
			}
		},
	}))
}

// fields returns the times as fields for a log. On a connection that was open
// before there are no steps to opening it.
func (s *stepTimes) fields() (fields []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reused {
		fields = append(fields, "getConnectionMilliseconds", s.connect.Milliseconds())
	} else {
		fields = append(fields,
			"dnsLookupMilliseconds", s.lookup.Milliseconds(),
			"dialMilliseconds", s.dial.Milliseconds(),
			"tlsHandshakeMilliseconds", s.handshake.Milliseconds())
	}
	if s.server > 0 {
		fields = append(fields, "serverProcessingMilliseconds", s.server.Milliseconds())
	}
	return fields
}
