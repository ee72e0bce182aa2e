package exec

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/transport"
)

// get returns the status and the body of an answer.
func get(t testing.TB, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(resp.StatusCode, " ", string(body))
}

func TestTokenIsSentAndThePluginRunsOnce(t *testing.T) {
	for _, version := range []string{apiV1, apiV1beta1} {
		plugin := newTestPlugin(t)
		plugin.config.APIVersion = version
		plugin.token("abc")
		server, client := newServer(t, anyToken), plugin.client(&transport.Config{})
		for range 3 {
			if got := get(t, client, server.URL); got != "200 Bearer abc" {
				t.Errorf("%s: got %s", version, got)
			}
		}
		if plugin.runs() != 1 {
			t.Errorf("%s: the plugin ran %d times", version, plugin.runs())
		}
	}
}

func TestExpiryDecidesWhenThePluginRunsAgain(t *testing.T) {
	for expiry, want := range map[string]int{"2001-01-01T00:00:00Z": 3, "2999-01-01T00:00:00Z": 1} {
		plugin := newTestPlugin(t)
		plugin.answer(map[string]any{"token": "abc", "expirationTimestamp": expiry})
		server, client := newServer(t, anyToken), plugin.client(&transport.Config{})
		for range 3 {
			get(t, client, server.URL)
		}
		if got := plugin.runs(); got != want {
			t.Errorf("expiry %s: the plugin ran %d times, want %d", expiry, got, want)
		}
	}
}

func TestRefusedTokenIsReplacedForTheNextRequest(t *testing.T) {
	plugin := newTestPlugin(t)
	plugin.token("old")
	server := newServer(t, func(token string) bool { return token != "Bearer old" })
	client := plugin.client(&transport.Config{})

	plugin.authenticator().mu.Lock() // nothing has run yet
	if plugin.authenticator().current != nil {
		t.Error("the plugin ran before a request")
	}
	plugin.authenticator().mu.Unlock()
	if _, err := plugin.authenticator().credentials(t.Context()); err != nil {
		t.Fatal(err)
	}

	plugin.token("new")
	if got := get(t, client, server.URL); got != "401 Bearer old" {
		t.Errorf("first got %s", got)
	}
	if got := get(t, client, server.URL); got != "200 Bearer new" {
		t.Errorf("then got %s", got)
	}
	if plugin.runs() != 2 {
		t.Errorf("the plugin ran %d times", plugin.runs())
	}
}

func TestManyRefusalsOfOneTokenRunThePluginOnce(t *testing.T) {
	const requests = 20
	plugin := newTestPlugin(t)
	plugin.token("old")
	var waiting sync.WaitGroup
	waiting.Add(requests)
	server := newServer(t, func(token string) bool {
		waiting.Done()
		waiting.Wait() // all requests carry the old token
		return false
	})
	client := plugin.client(&transport.Config{})
	if _, err := plugin.authenticator().credentials(t.Context()); err != nil {
		t.Fatal(err)
	}
	plugin.token("new")

	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			if got := get(t, client, server.URL); got != "401 Bearer old" {
				t.Errorf("got %s", got)
			}
		})
	}
	all.Wait()
	if plugin.runs() != 2 {
		t.Errorf("the plugin ran %d times, want 2", plugin.runs())
	}
}

func TestConcurrentRequestsShareOneRun(t *testing.T) {
	plugin := newTestPlugin(t)
	plugin.token("abc")
	plugin.write("hold", "")
	server, client := newServer(t, anyToken), plugin.client(&transport.Config{})

	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := get(t, client, server.URL); got != "200 Bearer abc" {
				t.Errorf("got %s", got)
			}
		})
	}
	await(t, func() bool { return plugin.runs() > 0 })

	// One that cannot wait gives up, and the others still get their answer.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(req); !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled request got error %v", err)
	}

	plugin.remove("hold")
	all.Wait()
	if plugin.runs() != 1 {
		t.Errorf("the plugin ran %d times", plugin.runs())
	}
}

// await polls for a condition.
func await(t testing.TB, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func TestFailureAfterARefusalKeepsTheOldToken(t *testing.T) {
	plugin := newTestPlugin(t)
	plugin.token("old")
	var down atomic.Bool
	server := newServer(t, func(string) bool { return !down.Load() })
	client := plugin.client(&transport.Config{})
	get(t, client, server.URL)

	down.Store(true)
	plugin.write("exit", "1")
	if got := get(t, client, server.URL); got != "401 Bearer old" {
		t.Errorf("while the server is out of order: got %s", got)
	}
	down.Store(false)
	if got := get(t, client, server.URL); got != "200 Bearer old" {
		t.Errorf("afterwards: got %s", got)
	}
	if plugin.runs() != 2 {
		t.Errorf("the plugin ran %d times", plugin.runs())
	}
}

type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error { b.closed = true; return nil }

func TestRequestFailsWithThePluginAndItsBodyIsClosed(t *testing.T) {
	plugin := newTestPlugin(t)
	plugin.write("exit", "3")
	client := plugin.client(&transport.Config{})
	sent := &body{Reader: strings.NewReader("hello")}
	_, err := client.Post("http://127.0.0.1:1", "text/plain", sent)
	if err == nil || !strings.Contains(err.Error(), "getting credentials: exec: executable "+plugin.config.Command+" failed with exit code 3") {
		t.Errorf("got error %v", err)
	}
	if !sent.closed {
		t.Error("the body was left open")
	}
}

func TestRequestsOfTheCallerAreNotChanged(t *testing.T) {
	plugin := newTestPlugin(t)
	plugin.token("abc")
	server, client := newServer(t, anyToken), plugin.client(&transport.Config{})
	for header, want := range map[string]string{"": "Bearer abc", "Basic xyz": "Basic xyz"} {
		req, err := http.NewRequest(http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		resp, err := client.Transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != want {
			t.Errorf("header %q: the server saw %q, error %v", header, got, err)
		}
		if req.Header.Get("Authorization") != header {
			t.Errorf("the request was changed: %q", req.Header)
		}
	}
}

func TestConfigsWithCredentialsOfTheirOwnAreLeftAlone(t *testing.T) {
	a := newTestPlugin(t).authenticator()
	for name, config := range map[string]*transport.Config{
		"token":       {BearerToken: "x"},
		"token file":  {BearerTokenFile: "x"},
		"user":        {Username: "x"},
		"certificate": {TLS: transport.TLSConfig{CertFile: "x", KeyFile: "y"}},
	} {
		if err := a.UpdateTransportConfig(config); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if config.WrapTransport != nil || config.TLS.GetCertHolder != nil || config.DialHolder != nil {
			t.Errorf("%s: the config was changed", name)
		}
	}
}

func TestConfigsThatCannotBeUpdated(t *testing.T) {
	a := newTestPlugin(t).authenticator()
	for name, config := range map[string]*transport.Config{
		"callback":         {TLS: transport.TLSConfig{GetCertHolder: &transport.GetCertHolder{GetCert: a.certificate}}},
		"dialer without f": {DialHolder: &transport.DialHolder{}},
	} {
		if err := a.UpdateTransportConfig(config); err == nil || config.WrapTransport != nil {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestTransportsOfOnePluginCanBeShared(t *testing.T) {
	a := newTestPlugin(t).authenticator()
	var one, two transport.Config
	for _, config := range []*transport.Config{&one, &two} {
		if err := a.UpdateTransportConfig(config); err != nil {
			t.Fatal(err)
		}
	}
	if one.DialHolder != two.DialHolder || one.TLS.GetCertHolder != two.TLS.GetCertHolder {
		t.Error("two configs have different holders")
	}
	wrapped, ok := one.WrapTransport(http.DefaultTransport).(interface{ WrappedRoundTripper() http.RoundTripper })
	if !ok || wrapped.WrappedRoundTripper() != http.DefaultTransport {
		t.Error("the transport at the bottom cannot be found")
	}
}

func TestNewCertificateIsShownOnNewConnectionsAndOldOnesAreClosed(t *testing.T) {
	plugin := newTestPlugin(t)
	setCert := func(name string, age time.Duration) {
		cert, key := newCertificate(t, name, age)
		plugin.answer(map[string]any{"clientCertificateData": cert, "clientKeyData": key})
	}
	setCert("one", 10*time.Hour)

	var refuse atomic.Bool
	var closed sync.Map
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse.Load() {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, r.TLS.PeerCertificates[0].Subject.CommonName, " ", r.RemoteAddr)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed.Store(conn.RemoteAddr().String(), true)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)

	var dials atomic.Int32
	client := plugin.client(&transport.Config{
		TLS: transport.TLSConfig{Insecure: true},
		DialHolder: &transport.DialHolder{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}},
	})

	first := get(t, client, server.URL)
	if again := get(t, client, server.URL); !strings.HasPrefix(first, "200 one ") || again != first {
		t.Fatalf("got %s, then %s", first, again)
	}
	if counted.expiry == nil || time.Until(*counted.expiry).Round(time.Hour) != 11*time.Hour {
		t.Errorf("the expiry was measured as %v", counted.expiry)
	}

	setCert("two", 20*time.Hour)
	refuse.Store(true)
	events := counted.during(func() { get(t, client, server.URL) })
	refuse.Store(false)
	second := get(t, client, server.URL)
	if !strings.HasPrefix(second, "200 two ") {
		t.Errorf("after the rotation: got %s", second)
	}
	if dials.Load() != 2 {
		t.Errorf("%d connections were made, want 2", dials.Load())
	}
	await(t, func() bool { _, ok := closed.Load(strings.Fields(first)[2]); return ok })
	if events["age 10h0m0s"] != 1 || events["no_error 0"] != 1 {
		t.Errorf("measured: %v", events)
	}

	// The same certificate again is no rotation.
	refuse.Store(true)
	get(t, client, server.URL)
	refuse.Store(false)
	if again := get(t, client, server.URL); again != second || dials.Load() != 2 {
		t.Errorf("after a refresh: got %s on connection %d", again, dials.Load())
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	plugin := newTestPlugin(b)
	plugin.token("abc")
	resp := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
	var config transport.Config
	if err := plugin.authenticator().UpdateTransportConfig(&config); err != nil {
		b.Fatal(err)
	}
	rt := config.WrapTransport(roundTrip(func(*http.Request) (*http.Response, error) { return resp, nil }))
	req, err := http.NewRequest(http.MethodGet, "http://server.example", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rt.RoundTrip(req); err != nil {
			b.Fatal(err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
