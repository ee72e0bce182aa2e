package oidc

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTokenIsRenewedWhenItIsAboutToExpire(t *testing.T) {
	for name, c := range map[string]struct {
		token string
		want  string
	}{
		"valid":     {newIDToken(t, "jane", time.Now().Add(time.Minute)), "jane"},
		"expiring":  {newIDToken(t, "jane", time.Now().Add(expiryMargin-time.Second)), "jane-1"},
		"expired":   {newIDToken(t, "jane", time.Now().Add(-time.Hour)), "jane-1"},
		"malformed": {"not-a-token", "jane-1"},
		"none":      {"", "jane-1"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := newIssuer(t)
			p := newTestProvider(t, issuer.config(map[string]string{"id-token": c.token}), nil)
			wantCall(t, p, c.want)
			wantCall(t, p, c.want)
			if want := strings.Count(c.want, "-"); issuer.count() != want {
				t.Errorf("%d renewals, want %d", issuer.count(), want)
			}
		})
	}
}

func TestNewTokensAreSavedWithTheRestOfTheConfiguration(t *testing.T) {
	for _, rotate := range []bool{true, false} {
		issuer := newIssuer(t)
		issuer.rotate = rotate
		config := issuer.config(map[string]string{"extra-scopes": "groups"})
		var kubeconfig saved
		p := newTestProvider(t, config, &kubeconfig)
		wantCall(t, p, "jane-1")

		want := maps.Clone(config)
		want["id-token"] = p.settings()["id-token"]
		if rotate {
			want["refresh-token"] = "refresh-1"
		}
		if diff := cmp.Diff([]map[string]string{want}, kubeconfig.configs); diff != "" {
			t.Errorf("rotate %t: saved (-want +got):\n%s", rotate, diff)
		}
		if config["id-token"] != "" {
			t.Error("the caller's configuration was changed")
		}
	}
}

// expire makes a provider's token expire.
func expire(t testing.TB, p *provider) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config = maps.Clone(p.config)
	p.config["id-token"] = newIDToken(t, "expired", time.Now().Add(-time.Hour))
}

func TestRotatedRefreshTokenIsUsedThoughItCouldNotBeSaved(t *testing.T) {
	issuer := newIssuer(t)
	p := newTestProvider(t, issuer.config(nil), &saved{err: errors.New("read-only")})
	wantCall(t, p, "jane-1")
	expire(t, p)
	wantCall(t, p, "jane-2")
}

func TestConcurrentRequestsRenewOnce(t *testing.T) {
	issuer := newIssuer(t)
	issuer.hold = make(chan struct{})
	p := newTestProvider(t, issuer.config(nil), nil)

	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { wantCall(t, p, "jane-1") })
	}
	for deadline := time.Now().Add(30 * time.Second); len(p.refreshing) == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := call(t, ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that cannot wait got error %v", err)
	}
	close(issuer.hold)
	all.Wait()
	if issuer.count() != 1 {
		t.Errorf("%d renewals", issuer.count())
	}
}

func TestRenewalOutlivesTheRequestThatStartedIt(t *testing.T) {
	issuer := newIssuer(t)
	ctx, cancel := context.WithCancel(t.Context())
	issuer.answer = func(http.ResponseWriter) bool { cancel(); return false }
	p := newTestProvider(t, issuer.config(nil), nil)
	if got, err := call(t, ctx, p); err != nil || got != "jane-1" {
		t.Errorf("got the token of %q and error %v", got, err)
	}
}

func TestFailuresOfTheIssuerAreErrorsWithoutSecrets(t *testing.T) {
	reply := func(code int, contentType, body string) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(code)
			io.WriteString(w, body)
			return true
		}
	}
	for name, c := range map[string]struct {
		change   map[string]string
		document string
		answer   func(http.ResponseWriter) bool
		want     string
	}{
		"no refresh token":   {change: map[string]string{"refresh-token": ""}, want: "no valid id-token, and cannot refresh without refresh-token"},
		"used refresh token": {change: map[string]string{"refresh-token": "hunter2"}, want: `"invalid_grant"`},
		"wrong secret":       {change: map[string]string{"client-secret": "hunter2"}, want: `"invalid_grant"`},
		"no ID token":        {answer: reply(200, "application/json", `{"access_token":"hunter2"}`), want: "has no id_token"},
		"an error page":      {answer: reply(500, "text/html", "hunter2"), want: "the token endpoint answered 500"},
		"no JSON":            {answer: reply(200, "application/json", "hunter2"), want: "failed to refresh token"},
		"no discovery":       {change: map[string]string{"idp-issuer-url": "/elsewhere"}, want: "answered 404"},
		"no endpoint":        {document: "{}", want: "has no token_endpoint"},
		"bad discovery":      {document: "hunter2", want: "decoding the discovery document"},
		"bad URL":            {change: map[string]string{"idp-issuer-url": "://"}, want: "the issuer's URL"},
		"untrusted issuer":   {change: map[string]string{"idp-certificate-authority-data": ""}, want: "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := newIssuer(t)
			issuer.answer = c.answer
			if c.document != "" {
				issuer.document = c.document
			}
			if url := c.change["idp-issuer-url"]; strings.HasPrefix(url, "/") {
				c.change["idp-issuer-url"] = issuer.URL + url
			}
			p := newTestProvider(t, issuer.config(c.change), nil)
			_, err := call(t, t.Context(), p)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got error %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "refresh-0") {
				t.Errorf("%q tells a secret", err)
			}
		})
	}
}

func TestCertificateAuthorityMayBeAFile(t *testing.T) {
	issuer := newIssuer(t)
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newTestProvider(t, issuer.config(map[string]string{
		"idp-certificate-authority-data": "",
		"idp-certificate-authority":      path,
		"idp-issuer-url":                 issuer.URL + "/", // with a slash that is one too many
	}), nil)
	wantCall(t, p, "jane-1")
}

func TestIncompleteConfigurationsAreRefused(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"idp-issuer-url":                 {"idp-issuer-url": ""},
		"client-id":                      {"client-id": ""},
		"idp-certificate-authority-data": {"idp-certificate-authority-data": "%"},
	} {
		config := map[string]string{"idp-issuer-url": "https://issuer.example", "client-id": "kubernetes"}
		maps.Copy(config, change)
		if _, err := newProvider("", config, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestClientsOfOneConfigurationShareTokens(t *testing.T) {
	issuer := newIssuer(t)
	var cache cache
	get := func(config map[string]string) *provider {
		t.Helper()
		p, err := cache.get(config, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := get(issuer.config(nil))
	if get(issuer.config(nil)) != first {
		t.Error("the same configuration has another provider")
	}
	if get(issuer.config(map[string]string{"refresh-token": "of somebody else"})) == first {
		t.Error("two users share a provider")
	}

	wantCall(t, first, "jane-1")
	for range 3 {
		if get(first.settings()) != first || get(issuer.config(nil)) != first {
			t.Error("a configuration that was saved has another provider")
		}
		config := maps.Clone(first.settings())
		first.save(t.Context(), first.settings(), func() map[string]string {
			config["id-token"] += "x"
			return config
		}())
	}
	if got := len(cache.byKey); got != 3 {
		t.Errorf("%d configurations are remembered, want the first, the last, and somebody else's", got)
	}
}

func TestRequestsWithAnAuthorizationKeepIt(t *testing.T) {
	p := newTestProvider(t, newIssuer(t).config(nil), nil)
	req, err := http.NewRequest(http.MethodGet, "https://cluster.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Basic abc")
	seen := ""
	rt := p.WrapTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		seen = req.Header.Get("Authorization")
		return nil, errors.New("enough")
	}))
	if _, err := rt.RoundTrip(req); err == nil || seen != "Basic abc" {
		t.Errorf("error %v, header %q", err, seen)
	}
	if _, ok := rt.(interface{ WrappedRoundTripper() http.RoundTripper }).WrappedRoundTripper().(roundTrip); !ok {
		t.Error("the transport at the bottom cannot be found")
	}
}

func TestNobodyCanLogIn(t *testing.T) {
	if err := newTestProvider(t, newIssuer(t).config(nil), nil).Login(); err == nil {
		t.Error("no error")
	}
}

func TestExpiryOfTokens(t *testing.T) {
	encode := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
	}
	for token, want := range map[string]int64{
		encode(`{"exp":1700000000}`):       1700000000,
		encode(`{"exp":1.7e9}`):            1700000000,
		encode(`{"exp":1700000000.75}`):    1700000000,
		encode(`{"exp":1700000000,"x":1}`): 1700000000,
		encode(`{"exp":1e300}`):            9e12,
	} {
		if got, err := expiryOf(token); err != nil || got.Unix() != want {
			t.Errorf("%s: got %v and error %v", token, got, err)
		}
	}
	for _, token := range []string{"", "a.b", "a.b.c.d", "a.!.c", encode("{}"), encode(`{"exp":"soon"}`), encode(`[]`), encode(`{"exp":null}`)} {
		if got, err := expiryOf(token); err == nil {
			t.Errorf("%s: got %v", token, got)
		}
	}
}

func FuzzExpiryOf(f *testing.F) {
	f.Add(newIDToken(f, "jane", time.Unix(1700000000, 0)))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if at, err := expiryOf(token); err != nil && !at.IsZero() {
			t.Errorf("%s and error %v", at, err)
		}
	})
}
