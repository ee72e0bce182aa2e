package oidc

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// newIDToken returns a signed JWT that expires at a time.
func newIDToken(t testing.TB, name string, expiry time.Time) string {
	t.Helper()
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(map[string]any{"sub": name, "exp": expiry.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"RS256"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(signature)
}

// An issuer answers each refresh token once, with an ID token and with the
// refresh token that comes next.
type issuer struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	refresh  string // the token that is accepted
	rotate   bool
	answer   func(w http.ResponseWriter) bool // answers in the issuer's place, if it is not nil and returns true
	hold     chan struct{}                    // answers wait until it is closed
	renewals int
	document string // of the discovery
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{t: t, refresh: "refresh-0", rotate: true}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, i.document)
	})
	mux.HandleFunc("POST /token", i.serveToken)
	i.Server = httptest.NewTLSServer(mux)
	t.Cleanup(i.Close)
	i.document = `{"issuer":"` + i.URL + `","token_endpoint":"` + i.URL + `/token"}`
	return i
}

func (i *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	hold, answer := i.hold, i.answer
	i.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if answer != nil && answer(w) {
		return
	}

	i.mu.Lock()
	defer i.mu.Unlock()
	user, password, _ := r.BasicAuth()
	if user != "kubernetes" || password != "s3cret" || r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != i.refresh {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_grant","error_description":"used already"}`)
		return
	}
	i.renewals++
	tokens := map[string]any{
		"token_type": "Bearer", "access_token": "unused",
		"id_token": newIDToken(i.t, fmt.Sprint("jane-", i.renewals), time.Now().Add(time.Hour)),
	}
	if i.rotate {
		i.refresh = fmt.Sprint("refresh-", i.renewals)
		tokens["refresh_token"] = i.refresh
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(tokens)
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.renewals
}

// config returns the configuration of a user of the issuer, with changes.
func (i *issuer) config(changes map[string]string) map[string]string {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate().Raw})
	config := map[string]string{
		"idp-issuer-url":                 i.URL,
		"client-id":                      "kubernetes",
		"client-secret":                  "s3cret",
		"refresh-token":                  "refresh-0",
		"idp-certificate-authority-data": base64.StdEncoding.EncodeToString(ca),
	}
	maps.Copy(config, changes)
	return config
}

// saved keeps what is persisted.
type saved struct {
	mu      sync.Mutex
	configs []map[string]string
	err     error
}

func (s *saved) Persist(config map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs = append(s.configs, config)
	return s.err
}

// call makes a request and returns the subject of the token that it carries.
func call(t testing.TB, ctx context.Context, p rest.AuthProvider) (string, error) {
	t.Helper()
	var header string
	rt := p.WrapTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		header = req.Header.Get("Authorization")
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://cluster.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(req); err != nil {
		return "", err
	}
	if len(req.Header) != 0 {
		t.Errorf("the caller's request was changed: %v", req.Header)
	}
	return subject(t, strings.TrimPrefix(header, "Bearer ")), nil
}

func subject(t testing.TB, token string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Sub string }
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.Sub
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func newTestProvider(t testing.TB, config map[string]string, persister rest.AuthProviderConfigPersister) *provider {
	t.Helper()
	p, err := new(cache).get(config, persister)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantCall(t testing.TB, p rest.AuthProvider, want string) {
	t.Helper()
	if got, err := call(t, t.Context(), p); err != nil || got != want {
		t.Errorf("got the token of %q and error %v, want that of %s", got, err, want)
	}
}
