package transport

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/klog/v2"
)

const (
	// tokenFilePeriod is how long a token from a file is taken to be current.
	// Whoever writes such files gives the old token some minutes more.
	tokenFilePeriod = time.Minute

	// tokenFileLeeway is how long before that the file is read again.
	tokenFileLeeway = 10 * time.Second
)

// A ResettableTokenSource is a token source that can be told that its token no
// longer holds.
type ResettableTokenSource interface {
	oauth2.TokenSource
	// ResetTokenOlderThan drops the token if it was obtained before t, so
	// that the next call of Token gets another one.
	ResetTokenOlderThan(t time.Time)
}

// NewCachedFileTokenSource returns a token source that reads a bearer token from
// the file at path, and reads it again about once a minute. While the file
// cannot be read the last token serves on.
func NewCachedFileTokenSource(path string) *cachingTokenSource {
	return &cachingTokenSource{source: tokenFile(path), leeway: tokenFileLeeway}
}

// NewCachedTokenSource returns a token source that asks ts for a token, and
// again once that has expired. A token that does not say when it expires is not
// kept. If ts fails when there has been a token, that token serves on.
func NewCachedTokenSource(ts oauth2.TokenSource) *cachingTokenSource {
	return &cachingTokenSource{source: ts}
}

// A cachingTokenSource keeps the token of another source. Finding that it is
// still good takes no lock, and while a new one is being obtained those who can
// do with the old one do not wait.
type cachingTokenSource struct {
	// The lock is held while the source is asked, and when kept changes. That
	// it can be seen from outside is part of the API.
	sync.RWMutex

	source oauth2.TokenSource
	leeway time.Duration // how long before it expires a token is replaced
	kept   atomic.Pointer[keptToken]
}

type keptToken struct {
	token *oauth2.Token
	since time.Time // just before the source was asked
}

var _ ResettableTokenSource = &cachingTokenSource{}

func (k *keptToken) holds(at time.Time) bool {
	return k != nil && k.token.Expiry.After(at)
}

// Token returns a token that has not expired, or the last one if there is no
// newer one to be had. It fails only if there never was one, or if it was reset.
func (ts *cachingTokenSource) Token() (*oauth2.Token, error) {
	now := time.Now()
	kept := ts.kept.Load()
	if kept.holds(now.Add(ts.leeway)) {
		return kept.token, nil
	}
	if !ts.TryLock() {
		if kept.holds(now) {
			return kept.token, nil
		}
		ts.Lock()
	}
	defer ts.Unlock()
	return ts.renew()
}

// renew asks the source for a token, unless someone just did.
func (ts *cachingTokenSource) renew() (*oauth2.Token, error) {
	now, kept := time.Now(), ts.kept.Load()
	if kept.holds(now.Add(ts.leeway)) {
		return kept.token, nil
	}
	token, err := ts.source.Token()
	if err == nil {
		ts.kept.Store(&keptToken{token: token, since: now})
		return token, nil
	}
	if kept == nil {
		return nil, err
	}
	klog.ErrorS(err, "Unable to renew the bearer token, the last one is used")
	return kept.token, nil
}

func (ts *cachingTokenSource) ResetTokenOlderThan(t time.Time) {
	ts.Lock()
	defer ts.Unlock()
	if kept := ts.kept.Load(); kept != nil && kept.since.Before(t) {
		ts.kept.Store(nil)
	}
}

// A tokenFile is a source of the token in the file of that name.
type tokenFile string

func (path tokenFile) Token() (*oauth2.Token, error) {
	content, err := os.ReadFile(string(path))
	if err != nil {
		return nil, fmt.Errorf("failed to read token file %q: %w", string(path), err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return nil, fmt.Errorf("read empty token from file %q", string(path))
	}
	return &oauth2.Token{AccessToken: token, Expiry: time.Now().Add(tokenFilePeriod)}, nil
}

// NewBearerAuthWithRefreshRoundTripper returns a round tripper that sends
// requests through rt with the bearer token in the file tokenFile, which is read
// again about once a minute, or with bearer while the file cannot be read. If
// bearer is empty, the file must be readable now. If tokenFile is empty, there
// is only bearer. Requests with an Authorization header keep it.
func NewBearerAuthWithRefreshRoundTripper(bearer string, tokenFile string, rt http.RoundTripper) (http.RoundTripper, error) {
	if tokenFile == "" {
		return NewBearerAuthRoundTripper(bearer, rt), nil
	}
	file := NewCachedFileTokenSource(tokenFile)
	if bearer == "" {
		first, err := file.Token()
		if err != nil {
			return nil, err
		}
		bearer = first.AccessToken
	}
	var current bearerHeader
	return decorate(rt, decorator{unless: authorization, add: func(h http.Header) {
		token := bearer
		if fresh, err := file.Token(); err == nil {
			token = fresh.AccessToken
		} else {
			klog.ErrorS(err, "Unable to read the bearer token, the configured one is used")
		}
		h[authorization] = current.values("Bearer", token)
	}}), nil
}

// A bearerHeader makes the header for a token, once for each new token.
type bearerHeader struct {
	last atomic.Pointer[credentials]
}

type credentials struct {
	scheme, token string
	values        []string
}

func (b *bearerHeader) values(scheme, token string) []string {
	last := b.last.Load()
	if last == nil || last.token != token || last.scheme != scheme {
		last = &credentials{scheme, token, []string{scheme + " " + token}}
		b.last.Store(last)
	}
	return last.values
}

// TokenSourceWrapTransport returns a wrapper that authenticates requests with
// tokens from ts, unless they have an Authorization header.
func TokenSourceWrapTransport(ts oauth2.TokenSource) func(http.RoundTripper) http.RoundTripper {
	return func(rt http.RoundTripper) http.RoundTripper {
		return &tokenTransport{source: ts, inner: rt}
	}
}

// ResettableTokenSourceWrapTransport returns a wrapper that authenticates
// requests with tokens from ts, unless they have an Authorization header. If the
// server answers with 401 Unauthorized, ts is told that tokens from before the
// request do not hold.
func ResettableTokenSourceWrapTransport(ts ResettableTokenSource) func(http.RoundTripper) http.RoundTripper {
	return func(rt http.RoundTripper) http.RoundTripper {
		return &tokenTransport{source: ts, reset: ts.ResetTokenOlderThan, inner: rt}
	}
}

// A tokenTransport authenticates requests. Unlike a decorator it can fail, and
// it looks at the response.
type tokenTransport struct {
	source oauth2.TokenSource
	reset  func(time.Time) // may be nil
	inner  http.RoundTripper
	header bearerHeader
}

var _ utilnet.RoundTripperWrapper = &tokenTransport{}

func (rt *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get(authorization) != "" {
		return rt.inner.RoundTrip(req)
	}
	start := time.Now()
	token, err := rt.source.Token()
	if err != nil {
		closeBody(req)
		return nil, err
	}
	req = copyWithHeaders(req, 1)
	req.Header[authorization] = rt.header.values(token.Type(), token.AccessToken)
	resp, err := rt.inner.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && rt.reset != nil {
		rt.reset(start)
	}
	return resp, err
}

func (rt *tokenTransport) WrappedRoundTripper() http.RoundTripper { return rt.inner }
