package spdy_test

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/httpstream"
	apispdy "k8s.io/apimachinery/pkg/util/httpstream/spdy"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/transport/spdy"
	streamhttp "k8s.io/streaming/pkg/httpstream"
	streamspdy "k8s.io/streaming/pkg/httpstream/spdy"
)

// newServer returns the configuration for a server that speaks protocol v2 and
// v1, and echoes on each stream what it gets, after the headers of the stream.
func newServer(t testing.TB) *restclient.Config {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if got := req.Header.Get("Authorization"); got != "Bearer token" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		if req.URL.Path == "/refuse" {
			http.Error(w, "not here", http.StatusForbidden)
			return
		}
		if _, err := httpstream.Handshake(req, w, []string{"v2", "v1"}); err != nil {
			return
		}
		streams := make(chan httpstream.Stream, 1)
		conn := apispdy.NewResponseUpgrader().UpgradeResponse(w, req, func(stream httpstream.Stream, replySent <-chan struct{}) error {
			streams <- stream
			return nil
		})
		if conn == nil {
			return
		}
		defer conn.Close()
		for {
			select {
			case stream := <-streams:
				fmt.Fprintf(stream, "%s: ", stream.Headers().Get("name"))
				io.Copy(stream, stream)
				stream.Close()
			case <-conn.CloseChan():
				return
			}
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return &restclient.Config{
		Host:        s.URL,
		BearerToken: "token",
		TLSClientConfig: restclient.TLSClientConfig{
			CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
		},
	}
}

func clientFor(t testing.TB, config *restclient.Config) (spdy.Upgrader, *http.Client) {
	t.Helper()
	rt, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return upgrader, &http.Client{Transport: rt}
}

// A connection is what both types of connections have in common.
type connection[S io.ReadWriteCloser] interface {
	CreateStream(http.Header) (S, error)
	RemoveStreams(...S)
	Close() error
}

func expectEcho[S io.ReadWriteCloser](t testing.TB, conn connection[S]) {
	t.Helper()
	defer conn.Close()
	for _, name := range []string{"first", "second"} {
		stream, err := conn.CreateStream(http.Header{"Name": {name}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(stream, "hello"); err != nil {
			t.Error(err)
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
		if answer, err := io.ReadAll(stream); err != nil || string(answer) != name+": hello" {
			t.Errorf("got %q, %v", answer, err)
		}
		conn.RemoveStreams(stream)
	}
}

func TestConnectionIsNegotiated(t *testing.T) {
	config := newServer(t)
	request := func() *http.Request {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, config.Host, nil)
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	expectProtocol := func(t *testing.T, protocol string, err error) {
		t.Helper()
		if protocol != "v1" || err != nil {
			t.Fatalf("got protocol %q, %v, want the first one that the server knows", protocol, err)
		}
	}
	protocols := []string{"v9", "v1", "v2"}

	t.Run("Negotiate", func(t *testing.T) {
		upgrader, client := clientFor(t, config)
		conn, protocol, err := spdy.Negotiate(upgrader, client, request(), protocols...)
		expectProtocol(t, protocol, err)
		expectEcho[httpstream.Stream](t, conn)
	})
	t.Run("NegotiateStreaming", func(t *testing.T) {
		upgrader, client := clientFor(t, config)
		conn, protocol, err := spdy.NegotiateStreaming(upgrader, client, request(), protocols...)
		expectProtocol(t, protocol, err)
		expectEcho[streamhttp.Stream](t, conn)
	})
	t.Run("NewDialer", func(t *testing.T) {
		upgrader, client := clientFor(t, config)
		conn, protocol, err := spdy.NewDialer(upgrader, client, http.MethodPost, target).Dial(protocols...)
		expectProtocol(t, protocol, err)
		expectEcho[httpstream.Stream](t, conn)
	})
	t.Run("NewDialerForStreaming", func(t *testing.T) {
		upgrader, client := clientFor(t, config)
		conn, protocol, err := spdy.NewDialerForStreaming(upgrader, client, http.MethodPost, target).Dial(protocols...)
		expectProtocol(t, protocol, err)
		expectEcho[streamhttp.Stream](t, conn)
	})
	for _, streaming := range []bool{false, true} {
		t.Run(fmt.Sprint("NewUpgraderForStreaming, streaming: ", streaming), func(t *testing.T) {
			tlsConfig, err := restclient.TLSConfigFor(config)
			if err != nil {
				t.Fatal(err)
			}
			inner, err := streamspdy.NewRoundTripper(tlsConfig)
			if err != nil {
				t.Fatal(err)
			}
			rt, err := restclient.HTTPWrappersForConfig(config, inner)
			if err != nil {
				t.Fatal(err)
			}
			upgrader, client := spdy.NewUpgraderForStreaming(inner), &http.Client{Transport: rt}
			if streaming {
				conn, protocol, err := spdy.NegotiateStreaming(upgrader, client, request(), protocols...)
				expectProtocol(t, protocol, err)
				expectEcho[streamhttp.Stream](t, conn)
			} else {
				conn, protocol, err := spdy.Negotiate(upgrader, client, request(), protocols...)
				expectProtocol(t, protocol, err)
				expectEcho[httpstream.Stream](t, conn)
			}
		})
	}
}

func TestRefusalTellsWhatTheServerSaid(t *testing.T) {
	config := newServer(t)
	tests := map[string]struct {
		path     string
		token    string
		protocol string
		want     string
	}{
		"refused":            {"/refuse", "token", "v1", "not here"},
		"not known":          {"/", "other", "v1", "who are you?"},
		"no common protocol": {"/", "token", "v9", "unable to negotiate protocol"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := restclient.CopyConfig(config)
			c.BearerToken = test.token
			upgrader, client := clientFor(t, c)
			req, _ := http.NewRequest(http.MethodPost, config.Host+test.path, nil)
			conn, _, err := spdy.Negotiate(upgrader, client, req, test.protocol)
			if conn != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want %q", conn, err, test.want)
			}
			target, _ := url.Parse(config.Host + test.path)
			upgrader, client = clientFor(t, c)
			stream, _, err := spdy.NewDialerForStreaming(upgrader, client, http.MethodPost, target).Dial(test.protocol)
			if stream != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want %q", stream, err, test.want)
			}
		})
	}
}

func TestServerThatIsNotThereIsAnError(t *testing.T) {
	config := newServer(t)
	upgrader, client := clientFor(t, config)
	target, _ := url.Parse("https://127.0.0.1:1")
	if _, _, err := spdy.NewDialer(upgrader, client, http.MethodPost, target).Dial("v1"); err == nil || !strings.Contains(err.Error(), "error sending request") {
		t.Errorf("the error is %v", err)
	}
	if _, _, err := spdy.NewDialer(upgrader, client, "bad method", target).Dial("v1"); err == nil || !strings.Contains(err.Error(), "error creating request") {
		t.Errorf("the error is %v", err)
	}
}

func TestConfigThatContradictsItselfIsRefused(t *testing.T) {
	bad := newServer(t)
	bad.Insecure = true
	if _, _, err := spdy.RoundTripperFor(bad); err == nil {
		t.Error("there is no error")
	}
	bad = newServer(t)
	bad.Username = "user"
	if _, _, err := spdy.RoundTripperFor(bad); err == nil {
		t.Error("there is no error")
	}
}
