package credential

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// GitHubApp gets tokens for an installation of a GitHub App, which last an hour; see
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app.
type GitHubApp struct {
	// ID is the app's, or its client ID.
	ID string `yaml:"id"`
	// Installation is the number of the installation.
	Installation string `yaml:"installation"`
	// KeyFile has one of the app's private keys, in PEM.
	KeyFile string `yaml:"key-file"`
	// API is where GitHub's API is; https://api.github.com where it is empty.
	API string `yaml:"api"`
	// HTTP is what it is reached with; nil is a client of its own.
	HTTP *http.Client `yaml:"-"`

	mu      sync.Mutex
	current string
	expires time.Time
}

// UnavailableError reports that no token could be got just now.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string { return "get a token of the GitHub App: " + e.Err.Error() }
func (e *UnavailableError) Unwrap() error { return e.Err }

const (
	gitHubAPI = "https://api.github.com"
	// early is how long before its end a token is no longer used: a push with it takes
	// its time.
	early = 10 * time.Minute
	// apiTimeout is for one request.
	apiTimeout = 30 * time.Second
)

func (g *GitHubApp) check() error {
	if g.ID == "" || g.KeyFile == "" || g.Installation == "" {
		return errors.New("github-app needs id, installation and key-file")
	}
	if strings.Trim(g.Installation, "0123456789") != "" {
		return errors.New("github-app: installation must be a number")
	}
	if g.API == "" {
		g.API = gitHubAPI
	}
	u, err := url.Parse(g.API)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("github-app: api must be a URL with the scheme https, without user name and password")
	}
	return nil
}

func (g *GitHubApp) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.current = ""
}

// token returns one that lasts for a while.
func (g *GitHubApp) token(ctx context.Context) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current != "" && time.Until(g.expires) > early {
		return g.current, nil
	}
	signed, err := g.sign(time.Now())
	if err != nil {
		return "", err
	}
	g.current, g.expires, err = g.request(ctx, signed)
	return g.current, err
}

// sign makes the app's own token, by which it asks for one of an installation. It
// begins a little earlier than now, for clocks that differ.
func (g *GitHubApp) sign(now time.Time) (string, error) {
	pem, err := readFile(g.KeyFile)
	if err != nil {
		return "", err
	}
	var key *rsa.PrivateKey
	if key, err = jwt.ParseRSAPrivateKeyFromPEM(pem); err != nil {
		return "", fmt.Errorf("%s has no RSA private key in PEM", g.KeyFile)
	}
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer:    g.ID,
		IssuedAt:  jwt.NewNumericDate(now.Add(-time.Minute)),
		ExpiresAt: jwt.NewNumericDate(now.Add(8 * time.Minute)),
	}).SignedString(key)
}

// request asks GitHub for a token of the installation.
func (g *GitHubApp) request(ctx context.Context, signed string) (token string, expires time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	at := strings.TrimSuffix(g.API, "/") + "/app/installations/" + g.Installation + "/access_tokens"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, nil)
	if err != nil {
		return "", expires, err
	}
	r.Header.Set("Authorization", "Bearer "+signed)
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	client := g.HTTP
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", expires, &UnavailableError{err}
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, mostFile))
	if err != nil {
		return "", expires, &UnavailableError{err}
	}
	var body struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
		Message string    `json:"message"`
	}
	err = json.Unmarshal(data, &body)
	switch {
	case answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests:
		return "", expires, &UnavailableError{fmt.Errorf("%s answers %s", at, answer.Status)}
	case answer.StatusCode != http.StatusCreated:
		return "", expires, fmt.Errorf("get a token of the GitHub App: %s answers %s: %s; look at its id, installation and key", at, answer.Status, body.Message)
	case err != nil || body.Token == "" || body.Expires.IsZero():
		return "", expires, fmt.Errorf("get a token of the GitHub App: %s answers without one", at)
	}
	return body.Token, body.Expires, nil
}
