package transport_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/transport"
)

func TestClientsOfEqualConfigsShareConnections(t *testing.T) {
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	cert, key := ca.pair("client")
	config := func() *transport.Config {
		return &transport.Config{TLS: transport.TLSConfig{
			CAData:   slices.Clone(ca.pem),
			CertData: slices.Clone(cert),
			KeyData:  slices.Clone(key),
		}}
	}
	for i := range 5 {
		c := config()
		c.UserAgent = fmt.Sprint("client ", i) // not a matter of connections
		c.BearerToken = fmt.Sprint("token ", i)
		if got := get(t, newTransport(t, c), s.URL); got != "HTTP/2.0 client" {
			t.Errorf("the answer is %q", got)
		}
	}
	if ever, _ := s.connections(); ever != 1 {
		t.Errorf("there were %d connections, want 1", ever)
	}
}

func TestAllWhoAskAtTheSameTimeGetTheSameTransport(t *testing.T) {
	const clients = 32
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	got := make([]http.RoundTripper, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			got[i] = newTransport(t, &transport.Config{TLS: transport.TLSConfig{CAData: ca.pem}})
			get(t, got[i], s.URL)
		})
	}
	all.Wait()
	for _, rt := range got {
		if rt != got[0] {
			t.Fatal("there are two transports")
		}
	}
}

func TestWhatConnectionsDependOnKeepsThemApart(t *testing.T) {
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	cert, key := ca.pair("client")
	dir := t.TempDir()
	caFile, otherFile := write(t, dir, "ca", ca.pem), write(t, dir, "other", ca.pem)
	certFile, keyFile := write(t, dir, "cert", cert), write(t, dir, "key", key)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) { return nil, net.ErrClosed }
	getCert := func() (*tls.Certificate, error) { return nil, nil }
	noProxy := func(*http.Request) (*url.URL, error) { return nil, nil }

	distinct := map[string]*transport.Config{
		"authority":       {TLS: transport.TLSConfig{CAData: ca.pem}},
		"other authority": {TLS: transport.TLSConfig{CAData: other.pem}},
		"file":            {TLS: transport.TLSConfig{CAFile: caFile}},
		"other file":      {TLS: transport.TLSConfig{CAFile: otherFile}},
		"name":            {TLS: transport.TLSConfig{CAData: ca.pem, ServerName: "a"}},
		"other name":      {TLS: transport.TLSConfig{CAData: ca.pem, ServerName: "b"}},
		"insecure":        {TLS: transport.TLSConfig{Insecure: true}},
		"protocol":        {TLS: transport.TLSConfig{Insecure: true, NextProtos: []string{"http/1.1"}}},
		"protocols":       {TLS: transport.TLSConfig{Insecure: true, NextProtos: []string{"http/1.1", "h2"}}},
		"uncompressed":    {DisableCompression: true, TLS: transport.TLSConfig{CAData: ca.pem}},
		"certificate":     {TLS: transport.TLSConfig{CertData: cert, KeyData: key}},
		"files":           {TLS: transport.TLSConfig{CertFile: certFile, KeyFile: keyFile}},
		"dialer":          {DialHolder: &transport.DialHolder{Dial: dial}},
		"same dialer":     {DialHolder: &transport.DialHolder{Dial: dial}},
		"callback":        {TLS: transport.TLSConfig{GetCertHolder: &transport.GetCertHolder{GetCert: getCert}}},
		"same callback":   {TLS: transport.TLSConfig{GetCertHolder: &transport.GetCertHolder{GetCert: getCert}}},
		"plain":           {},
	}
	seen := map[http.RoundTripper]string{}
	for name, config := range distinct {
		rt := newTransport(t, config)
		if same, ok := seen[rt]; ok {
			t.Errorf("%q and %q share connections", name, same)
		}
		seen[rt] = name
		if again := newTransport(t, config); again != rt {
			t.Errorf("%q does not share connections with itself", name)
		}
	}
	proxied := &transport.Config{Proxy: noProxy}
	if newTransport(t, proxied) == newTransport(t, proxied) {
		t.Error("configurations with proxy functions share connections")
	}
}

func TestPlainConfigUsesTheDefaultTransport(t *testing.T) {
	if rt := newTransport(t, &transport.Config{}); rt != http.DefaultTransport {
		t.Errorf("it is a %T", rt)
	}
	uncompressed := newTransport(t, &transport.Config{DisableCompression: true})
	if c, ok := uncompressed.(*http.Transport); !ok || !c.DisableCompression {
		t.Error("compression is not disabled")
	}
}

func TestDialerOfTheConfigOpensConnections(t *testing.T) {
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	var dialed []string
	rt := newTransport(t, &transport.Config{
		TLS: transport.TLSConfig{CAData: ca.pem, ServerName: "server"},
		DialHolder: &transport.DialHolder{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialed = append(dialed, address)
			return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
		}},
	})
	if got := get(t, rt, "https://elsewhere.test"); got != "HTTP/2.0" {
		t.Errorf("the answer is %q", got)
	}
	if want := []string{"elsewhere.test:443"}; !slices.Equal(dialed, want) {
		t.Errorf("dialed %q, want %q", dialed, want)
	}
}

func TestProxyOfTheConfigIsUsed(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Fprint(w, "proxy for ", req.URL.Host)
	}))
	defer proxy.Close()
	address, _ := url.Parse(proxy.URL)
	rt := newTransport(t, &transport.Config{Proxy: http.ProxyURL(address)})
	defer utilnet.CloseIdleConnectionsFor(rt)
	if got := get(t, rt, "http://server.test/"); got != "proxy for server.test" {
		t.Errorf("the answer is %q", got)
	}
}

func TestProtocolIsNegotiated(t *testing.T) {
	ca := newAuthority(t, "ca")
	tests := map[string]struct {
		protos  []string
		disable string
		want    string
	}{
		"HTTP/2 by default":          {want: "HTTP/2.0"},
		"HTTP/2 if allowed":          {protos: []string{"http/1.1", "h2"}, want: "HTTP/2.0"},
		"HTTP/1.1 if asked for":      {protos: []string{"http/1.1"}, want: "HTTP/1.1"},
		"HTTP/1.1 by environment":    {disable: "1", want: "HTTP/1.1"},
		"HTTP/2 if that is all":      {protos: []string{"h2"}, want: "HTTP/2.0"},
		"environment beats protocol": {protos: []string{"h2", "http/1.1"}, disable: "1", want: "HTTP/1.1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DISABLE_HTTP2", test.disable)
			s := newServer(t, ca)
			// A dialer of its own keeps each case apart from the others.
			rt := newTransport(t, &transport.Config{
				TLS:        transport.TLSConfig{CAData: ca.pem, NextProtos: test.protos},
				DialHolder: &transport.DialHolder{Dial: new(net.Dialer).DialContext},
			})
			if got := get(t, rt, s.URL); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestConfigurationOfConnectionsCanBeFoundAndCopiedMeanwhile(t *testing.T) {
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	file := write(t, t.TempDir(), "ca", ca.pem)
	rt := newTransport(t, &transport.Config{
		TLS:         transport.TLSConfig{CAFile: file},
		UserAgent:   "test",
		BearerToken: "token",
		Impersonate: transport.ImpersonationConfig{UserName: "someone"},
	})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { get(t, rt, s.URL) })
		all.Go(func() {
			config, err := utilnet.TLSClientConfig(rt)
			if err != nil {
				t.Error(err)
				return
			}
			if got := config.Clone().NextProtos; !slices.Equal(got, []string{"h2", "http/1.1"}) {
				t.Errorf("protocols are %q", got)
			}
		})
	}
	all.Wait()
	if dial, err := utilnet.DialerFor(rt); dial == nil || err != nil {
		t.Errorf("no dialer: %v", err)
	}
	eventually(t, "idle connections are closed", func() bool {
		utilnet.CloseIdleConnectionsFor(rt) // some may have been opened in vain, and late
		_, now := s.connections()
		return now == 0
	})
}

func TestHealthChecksAreConfiguredByEnvironment(t *testing.T) {
	tests := []struct {
		idle, ping         string
		wantIdle, wantPing string
	}{
		{"", "", "30s", "15s"},
		{"7", "3", "7s", "3s"},
		{"0", "", "0s", "15s"},
		{"nonsense", "1m", "30s", "15s"},
	}
	for _, test := range tests {
		t.Setenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS", test.idle)
		t.Setenv("HTTP2_PING_TIMEOUT_SECONDS", test.ping)
		rt := newTransport(t, &transport.Config{DialHolder: &transport.DialHolder{Dial: new(net.Dialer).DialContext}})
		http2 := rt.(*http.Transport).HTTP2
		if got := http2.SendPingTimeout.String(); got != test.wantIdle {
			t.Errorf("%q: pings after %s, want %s", test.idle, got, test.wantIdle)
		}
		if got := http2.PingTimeout.String(); got != test.wantPing {
			t.Errorf("%q: waits %s for an answer, want %s", test.ping, got, test.wantPing)
		}
	}
}

// A server that is gone without a word is noticed by the health check: the
// request fails in seconds, not when TCP gives up.
func TestSilentServerIsNoticed(t *testing.T) {
	t.Setenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "1")
	t.Setenv("HTTP2_PING_TIMEOUT_SECONDS", "1")
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	var lines sync.Map
	rt := newTransport(t, &transport.Config{
		TLS: transport.TLSConfig{CAData: ca.pem},
		DialHolder: &transport.DialHolder{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			line := &cuttable{Conn: conn, cut: make(chan struct{})}
			lines.Store(line, nil)
			return line, nil
		}},
	})
	get(t, rt, s.URL)
	lines.Range(func(line, _ any) bool {
		close(line.(*cuttable).cut)
		return true
	})
	if _, err := tryGet(rt, s.URL); err == nil {
		t.Error("there was an answer over a line that is cut")
	}
	if got := get(t, rt, s.URL); got != "HTTP/2.0" { // over another line
		t.Errorf("the answer is %q", got)
	}
}

// A cuttable connection loses all that is written once it is cut.
type cuttable struct {
	net.Conn
	cut chan struct{}
}

func (c *cuttable) Write(b []byte) (int, error) {
	select {
	case <-c.cut:
		return len(b), nil
	default:
		return c.Conn.Write(b)
	}
}
