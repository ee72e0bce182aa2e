package websocket_test

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	gwebsocket "github.com/gorilla/websocket"
	"go.uber.org/goleak"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apihttpstream "k8s.io/apimachinery/pkg/util/httpstream"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/transport/websocket"
	streamhttp "k8s.io/streaming/pkg/httpstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const forbidden = `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no way","reason":"Forbidden","code":403}`

// newServer returns the configuration for a server that speaks v2 and v1, and
// echoes messages, after the credentials of who has connected.
func newServer(t testing.TB) *restclient.Config {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		upgrader := gwebsocket.Upgrader{Subprotocols: []string{"v2", "v1"}}
		var own http.Header
		switch req.URL.Path {
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, forbidden)
			return
		case "/missing":
			http.NotFound(w, req)
			return
		case "/none":
			upgrader.Subprotocols = nil
		case "/other":
			upgrader.Subprotocols, own = nil, http.Header{"Sec-Websocket-Protocol": {"v9"}}
		}
		conn, err := upgrader.Upgrade(w, req, own)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil {
				return
			}
			conn.WriteMessage(kind, fmt.Appendf(nil, "%s %s: %s", req.UserAgent(), req.Header.Get("Authorization"), message))
		}
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return &restclient.Config{
		Host:        s.URL,
		UserAgent:   "agent",
		BearerToken: "token",
		TLSClientConfig: restclient.TLSClientConfig{
			CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
		},
	}
}

func negotiate(t testing.TB, config *restclient.Config, path string, protocols ...string) (*gwebsocket.Conn, error) {
	t.Helper()
	rt, holder, err := websocket.RoundTripperFor(config)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, config.Host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := websocket.Negotiate(rt, holder, req, protocols...)
	if conn != holder.Connection() {
		t.Error("the holder has another connection")
	}
	if (conn == nil) != (err != nil) {
		t.Errorf("got %v and %v", conn, err)
	}
	return conn, err
}

func expectEcho(t testing.TB, conn *gwebsocket.Conn) {
	t.Helper()
	defer conn.Close()
	long := strings.Repeat("x", 100_000)
	if err := conn.WriteMessage(gwebsocket.BinaryMessage, []byte(long)); err != nil {
		t.Fatal(err)
	}
	if _, message, err := conn.ReadMessage(); err != nil || string(message) != "agent Bearer token: "+long {
		t.Errorf("got %d bytes, %v", len(message), err)
	}
}

func TestConnectionIsNegotiated(t *testing.T) {
	for name, change := range map[string]func(*restclient.Config){
		"as it is":             func(*restclient.Config) {},
		"HTTP/2 in the config": func(c *restclient.Config) { c.NextProtos = []string{"h2", "http/1.1"} },
	} {
		t.Run(name, func(t *testing.T) {
			config := newServer(t)
			change(config)
			conn, err := negotiate(t, config, "/", "v9", "v1")
			if err != nil {
				t.Fatal(err)
			}
			if got := conn.Subprotocol(); got != "v1" {
				t.Errorf("it speaks %q", got)
			}
			expectEcho(t, conn)
		})
	}
}

func TestDialerOfTheConfigIsUsed(t *testing.T) {
	config := newServer(t)
	var dialed atomic.Int64
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	conn, err := negotiate(t, config, "/", "v1")
	if err != nil {
		t.Fatal(err)
	}
	expectEcho(t, conn)
	if dialed.Load() != 1 {
		t.Errorf("it was used %d times", dialed.Load())
	}
}

func TestProxyOfTheConfigIsUsed(t *testing.T) {
	config := newServer(t)
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked.Store(req.Method + " " + req.Host)
		if user, _, _ := strings.Cut(req.Header.Get("Proxy-Authorization"), " "); user != "Basic" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		server, err := net.Dial("tcp", req.Host)
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			io.Copy(server, client)
			server.Close()
		}()
		io.Copy(client, server)
	}))
	defer proxy.Close()
	address, _ := url.Parse(proxy.URL)
	address.User = url.UserPassword("user", "secret")
	config.Proxy = http.ProxyURL(address)
	conn, err := negotiate(t, config, "/", "v1")
	if err != nil {
		t.Fatal(err)
	}
	expectEcho(t, conn)
	if want := "CONNECT " + strings.TrimPrefix(config.Host, "https://"); asked.Load() != want {
		t.Errorf("the proxy got %q, want %q", asked.Load(), want)
	}
}

func TestRefusalIsAnUpgradeFailure(t *testing.T) {
	config := newServer(t)
	tests := map[string]struct {
		path      string
		protocols []string
		want      string
		forbidden bool
	}{
		"status":         {"/forbidden", []string{"v1"}, "unable to upgrade streaming request: no way", true},
		"text":           {"/missing", []string{"v1"}, "unable to upgrade streaming request: websocket: bad handshake (404 Not Found): 404 page not found", false},
		"no protocol":    {"/none", []string{"v1", "v2"}, `unable to upgrade streaming request: invalid protocol, expected one of ["v1" "v2"], got ""`, false},
		"other protocol": {"/other", []string{"v1"}, `unable to upgrade streaming request: invalid protocol, expected one of ["v1"], got "v9"`, false},
		"none asked for": {"/", nil, `unable to upgrade streaming request: invalid protocol, expected one of [], got ""`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := negotiate(t, config, test.path, test.protocols...)
			if err == nil || err.Error() != test.want {
				t.Fatalf("the error is %v, want %s", err, test.want)
			}
			if !apihttpstream.IsUpgradeFailure(err) || !streamhttp.IsUpgradeFailure(err) {
				t.Errorf("%T is no upgrade failure", err)
			}
			if apierrors.IsForbidden(err) != test.forbidden {
				t.Errorf("it is forbidden: %v, want %v", !test.forbidden, test.forbidden)
			}
		})
	}
}

func TestServerThatIsNotThereIsNoUpgradeFailure(t *testing.T) {
	config := newServer(t)
	config.Host = "https://127.0.0.1:1"
	if _, err := negotiate(t, config, "/", "v1"); err == nil || streamhttp.IsUpgradeFailure(err) || apihttpstream.IsUpgradeFailure(err) {
		t.Errorf("the error is %v", err)
	}
	config.Host = "ftp://server.test"
	if _, err := negotiate(t, config, "/", "v1"); err == nil || err.Error() != "unknown url scheme: ftp" {
		t.Errorf("the error is %v", err)
	}
}

func TestRequestIsNotChanged(t *testing.T) {
	config := newServer(t)
	tlsConfig, err := restclient.TLSConfigFor(config)
	if err != nil {
		t.Fatal(err)
	}
	rt := &websocket.RoundTripper{TLSConfig: tlsConfig}
	req, _ := http.NewRequest(http.MethodGet, config.Host, nil)
	req.Header["Sec-Websocket-Protocol"] = []string{"v2", "v1"}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	rt.Connection().Close()
	if req.URL.String() != config.Host || !slices.Equal(req.Header["Sec-Websocket-Protocol"], []string{"v2", "v1"}) || len(req.Header) != 1 {
		t.Errorf("it is now %s %v", req.URL, req.Header)
	}
}

func TestTLSConfigCanBeFound(t *testing.T) {
	config := newServer(t)
	rt, holder, err := websocket.RoundTripperFor(config)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := utilnet.TLSClientConfig(rt); err != nil || found == nil || found.RootCAs == nil {
		t.Errorf("got %v, %v", found, err)
	}
	if holder.Connection() != nil || holder.DataBufferSize() != 32*1024 {
		t.Errorf("%v, %d bytes", holder.Connection(), holder.DataBufferSize())
	}
	config.Insecure = true
	if _, _, err := websocket.RoundTripperFor(config); err == nil {
		t.Error("a configuration that contradicts itself is accepted")
	}
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		upgrader := gwebsocket.Upgrader{Subprotocols: []string{"v5.channel.k8s.io"}}
		conn, err := upgrader.Upgrade(w, req, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		conn.WriteMessage(gwebsocket.TextMessage, []byte("hello"))
		conn.ReadMessage() // until the client is gone
	}))
	defer server.Close()

	rt, holder, err := websocket.RoundTripperFor(&restclient.Config{Host: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	req, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := websocket.Negotiate(rt, holder, req, "v5.channel.k8s.io")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	_, message, err := conn.ReadMessage()
	fmt.Println(conn.Subprotocol(), string(message), err)
	// Output: v5.channel.k8s.io hello <nil>
}
