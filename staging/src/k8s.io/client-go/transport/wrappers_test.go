package transport_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/transport"
)

func TestHeadersAreAdded(t *testing.T) {
	impersonate := func(who transport.ImpersonationConfig) transport.WrapperFunc {
		return func(rt http.RoundTripper) http.RoundTripper {
			return transport.NewImpersonatingRoundTripper(who, rt)
		}
	}
	authProxy := func(user, uid string, groups []string, extra map[string][]string) transport.WrapperFunc {
		return func(rt http.RoundTripper) http.RoundTripper {
			return transport.NewAuthProxyRoundTripper(user, uid, groups, extra, rt)
		}
	}
	bearer := func(rt http.RoundTripper) http.RoundTripper { return transport.NewBearerAuthRoundTripper("token", rt) }
	basic := func(rt http.RoundTripper) http.RoundTripper {
		return transport.NewBasicAuthRoundTripper("user", "pass", rt)
	}
	agent := func(rt http.RoundTripper) http.RoundTripper { return transport.NewUserAgentRoundTripper("agent", rt) }

	tests := map[string]struct {
		wrap      transport.WrapperFunc
		has, want http.Header
	}{
		"bearer":                    {bearer, nil, http.Header{"Authorization": {"Bearer token"}}},
		"bearer, has credentials":   {bearer, http.Header{"Authorization": {"own"}}, http.Header{"Authorization": {"own"}}},
		"basic":                     {basic, nil, http.Header{"Authorization": {"Basic dXNlcjpwYXNz"}}},
		"basic, has credentials":    {basic, http.Header{"Authorization": {"own"}}, http.Header{"Authorization": {"own"}}},
		"agent":                     {agent, nil, http.Header{"User-Agent": {"agent"}}},
		"agent, has one":            {agent, http.Header{"User-Agent": {"own"}}, http.Header{"User-Agent": {"own"}}},
		"bearer around basic":       {transport.Wrappers(basic, bearer), nil, http.Header{"Authorization": {"Bearer token"}}},
		"several, and other header": {transport.Wrappers(basic, agent), http.Header{"Accept": {"a", "b"}}, http.Header{"Accept": {"a", "b"}, "Authorization": {"Basic dXNlcjpwYXNz"}, "User-Agent": {"agent"}}},
		"impersonate": {
			impersonate(transport.ImpersonationConfig{
				UserName: "user", UID: "1", Groups: []string{"a", "b"},
				Extra: map[string][]string{"scopes": {"x", "y"}},
			}), nil,
			http.Header{
				"Impersonate-User": {"user"}, "Impersonate-Uid": {"1"}, "Impersonate-Group": {"a", "b"},
				"Impersonate-Extra-Scopes": {"x", "y"},
			},
		},
		"impersonate escapes keys": {
			impersonate(transport.ImpersonationConfig{UserName: "u", Extra: map[string][]string{
				"example.com/a b%c": {"1"}, "ü": {"2"}, "none": nil,
			}}), nil,
			http.Header{
				"Impersonate-User": {"u"}, "Impersonate-Extra-Example.com%2fa%20b%25c": {"1"},
				"Impersonate-Extra-%c3%bc": {"2"},
			},
		},
		"impersonate, keys in two cases": {
			impersonate(transport.ImpersonationConfig{UserName: "u", Extra: map[string][]string{"b": {"2"}, "B": {"1"}}}), nil,
			http.Header{"Impersonate-User": {"u"}, "Impersonate-Extra-B": {"1", "2"}},
		},
		"impersonate, has a user": {
			impersonate(transport.ImpersonationConfig{UserName: "user", Groups: []string{"a"}}),
			http.Header{"Impersonate-User": {"own"}}, http.Header{"Impersonate-User": {"own"}},
		},
		"impersonate, has a group": {
			impersonate(transport.ImpersonationConfig{UserName: "user", Groups: []string{"a"}}),
			http.Header{"Impersonate-Group": {"own"}},
			http.Header{"Impersonate-User": {"user"}, "Impersonate-Group": {"own", "a"}},
		},
		"proxy": {
			authProxy("user", "1", []string{"a", "b"}, map[string][]string{"k/v": {"x"}}),
			http.Header{
				"X-Remote-User": {"evil"}, "X-Remote-Uid": {"evil"}, "X-Remote-Group": {"evil"},
				"X-Remote-Extra-Evil": {"evil"}, "X-Remote": {"kept"},
			},
			http.Header{
				"X-Remote-User": {"user"}, "X-Remote-Uid": {"1"}, "X-Remote-Group": {"a", "b"},
				"X-Remote-Extra-K%2fv": {"x"}, "X-Remote": {"kept"},
			},
		},
		"proxy for no one": {
			authProxy("", "", nil, nil),
			http.Header{"X-Remote-User": {"evil"}, "X-Remote-Uid": {"evil"}, "x-remote-group": {"evil"}},
			http.Header{"X-Remote-User": {""}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inner, got := recorder(http.StatusOK)
			if test.has == nil {
				test.has = http.Header{}
			}
			before := test.has.Clone()
			req, _ := http.NewRequest(http.MethodGet, "http://server.test", nil)
			req.Header = test.has
			if _, err := test.wrap(inner).RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, req.Header); diff != "" {
				t.Errorf("the request was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// The values of headers are shared between a request and its copies, so a
// wrapper that adds to one must not write into what another one sees.
func TestCopiesOfARequestCanBeAddedTo(t *testing.T) {
	values := make([]string, 1, 8)
	values[0] = "own"
	adder := func(s string) http.RoundTripper {
		inner := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			req.Header.Add("X", s)
			return &http.Response{Request: req, Body: http.NoBody}, nil
		})
		return transport.NewUserAgentRoundTripper("agent", inner)
	}
	req, _ := http.NewRequest(http.MethodGet, "http://server.test", nil)
	req.Header["X"] = values
	first, _ := adder("first").RoundTrip(req)
	second, _ := adder("second").RoundTrip(req)
	if got := first.Request.Header["X"]; !slices.Equal(got, []string{"own", "first"}) {
		t.Errorf("the first one got %q", got)
	}
	if got := second.Request.Header["X"]; !slices.Equal(got, []string{"own", "second"}) {
		t.Errorf("the second one got %q", got)
	}
}

func TestLayersAreInOrder(t *testing.T) {
	inner, got := recorder(http.StatusOK)
	config := &transport.Config{
		Transport:   inner,
		UserAgent:   "agent",
		BearerToken: "token",
		Impersonate: transport.ImpersonationConfig{Groups: []string{"g"}},
	}
	var order []string
	mark := func(name string) transport.WrapperFunc {
		return func(rt http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(req *http.Request) (*http.Response, error) {
				order = append(order, name)
				if want := "Bearer token"; req.Header.Get("Authorization") != want {
					t.Errorf("%s comes before the authorization", name)
				}
				return rt.RoundTrip(req)
			})
		}
	}
	config.Wrap(mark("first"))
	config.Wrap(mark("second"))
	rt := newTransport(t, config)
	req, _ := http.NewRequest(http.MethodGet, "http://server.test", nil)
	if _, err := rt.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if want := []string{"second", "first"}; !slices.Equal(order, want) {
		t.Errorf("order is %q, want %q", order, want)
	}
	want := []string{"Authorization", "Impersonate-Group", "Impersonate-User", "User-Agent"}
	if names := slices.Sorted(maps.Keys(*got)); !slices.Equal(names, want) {
		t.Errorf("headers are %q, want %q", names, want)
	}
}

func TestWrappersOfNothingAreNothing(t *testing.T) {
	if transport.Wrappers() != nil || transport.Wrappers(nil, nil) != nil {
		t.Error("there is a wrapper")
	}
	if wrap := transport.Wrappers(nil); wrap == nil || wrap(http.DefaultTransport) != http.DefaultTransport {
		t.Error("one nil is no wrapper that does nothing")
	}
}

func TestRequestThatIsLeftAloneIsNotCopied(t *testing.T) {
	var got *http.Request
	below := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		got = req
		return &http.Response{Body: http.NoBody}, nil
	})
	req, _ := http.NewRequest(http.MethodGet, "http://server.test/", nil)
	req.Header.Set("User-Agent", "mine")
	req.Header.Set("Authorization", "mine")
	req.Header.Set(transport.ImpersonateUserHeader, "mine")
	for what, rt := range map[string]http.RoundTripper{
		"user agent":  transport.NewUserAgentRoundTripper("a", below),
		"basic":       transport.NewBasicAuthRoundTripper("a", "b", below),
		"bearer":      transport.NewBearerAuthRoundTripper("a", below),
		"impersonate": transport.NewImpersonatingRoundTripper(transport.ImpersonationConfig{UserName: "a", Groups: []string{"g"}}, below),
		"all":         transport.NewUserAgentRoundTripper("a", transport.NewBearerAuthRoundTripper("a", below)),
	} {
		if _, err := rt.RoundTrip(req); err != nil || got != req {
			t.Errorf("%s: copied, %v", what, err)
		}
	}
}

func TestNoRequestIsMadeOnceTheContextIsDone(t *testing.T) {
	inner, _ := recorder(http.StatusOK)
	closing := errors.New("closing")
	ctx, cancel := context.WithCancel(context.Background())
	rt := transport.ContextCanceller(ctx, closing)(inner)
	body := &closeRecorder{Reader: strings.NewReader("body")}
	req, _ := http.NewRequest(http.MethodPost, "http://server.test", body)
	if _, err := rt.RoundTrip(req); err != nil {
		t.Error(err)
	}
	cancel()
	if _, err := rt.RoundTrip(req); err != closing {
		t.Errorf("the error is %v", err)
	}
	if !body.closed {
		t.Error("the body is not closed")
	}
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

func TestBadConfigIsRefused(t *testing.T) {
	ca := newAuthority(t, "ca")
	cert, key := ca.pair("client")
	_, otherKey := ca.pair("other")
	missing := filepath.Join(t.TempDir(), "missing")
	empty := write(t, t.TempDir(), "empty", []byte(" \n"))
	tests := map[string]struct {
		config   transport.Config
		want     string
		notExist bool
	}{
		"custom transport, authority":   {transport.Config{Transport: http.DefaultTransport, TLS: transport.TLSConfig{CAData: ca.pem}}, "using a custom transport with TLS certificate options or the insecure flag is not allowed", false},
		"custom transport, certificate": {transport.Config{Transport: http.DefaultTransport, TLS: transport.TLSConfig{CertData: cert, KeyData: key}}, "using a custom transport", false},
		"custom transport, insecure":    {transport.Config{Transport: http.DefaultTransport, TLS: transport.TLSConfig{Insecure: true}}, "using a custom transport", false},
		"insecure, authority":           {transport.Config{TLS: transport.TLSConfig{Insecure: true, CAData: ca.pem}}, "specifying a root certificates file with the insecure flag is not allowed", false},
		"basic and bearer":              {transport.Config{Username: "u", BearerToken: "t"}, "username/password or bearer token may be set, but not both", false},
		"holder without dialer":         {transport.Config{DialHolder: &transport.DialHolder{}}, "misconfigured holder for dialer or cert callback", false},
		"holder without callback":       {transport.Config{TLS: transport.TLSConfig{GetCertHolder: &transport.GetCertHolder{}}}, "misconfigured holder", false},
		"no authority in data":          {transport.Config{TLS: transport.TLSConfig{CAData: []byte("x")}}, "unable to load root certificates", false},
		"no authority file":             {transport.Config{TLS: transport.TLSConfig{CAFile: missing}}, "missing", true},
		"no certificate file":           {transport.Config{TLS: transport.TLSConfig{CertFile: missing, KeyData: key}}, "missing", true},
		"no key file":                   {transport.Config{TLS: transport.TLSConfig{CertData: cert, KeyFile: missing}}, "missing", true},
		"another one's key":             {transport.Config{TLS: transport.TLSConfig{CertData: cert, KeyData: otherKey}}, "unable to load the client certificate", false},
		"no token file":                 {transport.Config{BearerTokenFile: missing}, "failed to read token file", true},
		"no token in file":              {transport.Config{BearerTokenFile: empty}, "read empty token from file", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := transport.New(&test.config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("the error is %v, want %q", err, test.want)
			}
			if got := errors.Is(err, fs.ErrNotExist); got != test.notExist {
				t.Errorf("is it that a file is missing: %v, want %v", got, test.notExist)
			}
			if strings.Contains(test.want, "missing") && !os.IsNotExist(err) {
				t.Errorf("os.IsNotExist does not know %T", err)
			}
		})
	}
}

func TestNoTLSConfigForWhatNeedsNone(t *testing.T) {
	config, err := transport.TLSConfigFor(&transport.Config{UserAgent: "agent"})
	if config != nil || err != nil {
		t.Errorf("got %v, %v", config, err)
	}
}

func TestHasTellsWhatIsThere(t *testing.T) {
	config := transport.Config{
		BearerTokenFile: "file",
		Username:        "user",
		TLS: transport.TLSConfig{
			CAFile: "file", CertFile: "file", KeyData: []byte("key"),
			GetCertHolder: &transport.GetCertHolder{},
		},
	}
	if !config.HasBasicAuth() || !config.HasCA() || !config.HasCertAuth() || !config.HasCertCallback() || !config.HasTokenAuth() {
		t.Error("something is missed")
	}
	config = transport.Config{Password: "p", TLS: transport.TLSConfig{CertFile: "file"}}
	if config.HasBasicAuth() || config.HasCA() || config.HasCertAuth() || config.HasCertCallback() || config.HasTokenAuth() {
		t.Error("something is made up")
	}
}
