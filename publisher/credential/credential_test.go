package credential_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"k8s.io/publisher/credential"
)

const canary = "c4n4ry-5ecret"

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// given is the user name and the password that git is given.
func given(a credential.Access) string {
	for _, s := range a.Settings {
		if basic, ok := strings.CutPrefix(s.Value, "Authorization: Basic "); ok {
			text, _ := base64.StdEncoding.DecodeString(basic)
			return string(text)
		}
	}
	return ""
}

// TestEntryThatFitsBestCounts asks for URLs, and looks which token it gets.
func TestEntryThatFitsBestCounts(t *testing.T) {
	t.Parallel()
	var entries []credential.Entry
	for name, url := range map[string]string{
		"host": "https://git.example.org", "port": "https://git.example.org:8443/", "group": "https://git.example.org/group/",
		"repo": "https://git.example.org/group/one.git", "other": "https://example.com/",
	} {
		entries = append(entries, credential.Entry{URL: url, TokenFile: write(t, "token", name+"\n")})
	}
	set, err := credential.New(entries...)
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"https://git.example.org/a.git":             "host",
		"https://GIT.example.org:443/a.git":         "host",
		"https://git.example.org:8443/group/a":      "port",
		"https://git.example.org/group/a.git":       "group",
		"https://git.example.org/group/one.git":     "repo",
		"https://git.example.org/group/one.git2":    "group",
		"https://git.example.org/groups/a.git":      "host",
		"https://example.com/a/b/c":                 "other",
		"https://example.com.evil.example/a":        "",
		"https://git.example.org.evil.example/a":    "",
		"ssh://git.example.org/a.git":               "",
		"file:///git.example.org/a.git":             "",
		"https://git.example.org:1/group/one.git":   "",
		"https://evil.example/https://example.com/": "",
	} {
		access, err := set.For(t.Context(), url)
		if err != nil {
			t.Error(err)
		}
		if got := given(access); got != want && got != "x-access-token:"+want {
			t.Errorf("%s: git is given %q, want %q", url, got, want)
		}
	}
}

// TestFilesAreChecked reads credentials files that are wrong. What is in them is not
// told.
func TestFilesAreChecked(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"- url: https://u:" + canary + "@host/\n  token-file: x":                    "no password",
		"- url: https://" + canary + "@host/\n  token-file: x":                      "no user name",
		"- url: http://host/\n  token-file: x":                                      "scheme https or ssh",
		"- url: https://host/":                                                      "nothing to reach it with",
		"- url: https://host/\n  token-file: x\n  helper: y":                        "more than one",
		"- url: ssh://git@host/\n  key-file: x":                                     "known-hosts-file",
		"- url: https://host/\n  key-file: x\n  known-hosts-file: y":                "not reached by ssh",
		"- url: https://host/\n  token-file: x\n  scheme: digest":                   "neither basic nor bearer",
		"- url: https://host/\n  github-app: {id: a, key-file: b}":                  "installation",
		"- url: https://host/\n  github-app: {id: a, key-file: b, installation: c}": "number",
		"- {url: https://h/, token-file: x}\n- {url: https://h/, token-file: y}":    "has an entry already",
		"token: " + canary:          "not a list",
		"- " + canary:               "not a list",
		canary:                      "not a list",
		"- token: [" + canary + "]": "not a list",
	} {
		_, err := credential.Load(write(t, "credentials.yaml", text))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s\ngave %v, want %q", text, err, says)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("the error tells what is in the file: %v", err)
		}
	}
	for name, text := range map[string]string{"empty": " \n", "two lines": canary + "\n" + canary, "a space": "Bearer " + canary} {
		set, err := credential.New(credential.Entry{URL: "https://host/", TokenFile: write(t, "token", text)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = set.For(t.Context(), "https://host/a"); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPathsAreRelativeToTheFile reads a token beside the credentials file.
func TestPathsAreRelativeToTheFile(t *testing.T) {
	t.Parallel()
	file := write(t, "credentials.yaml", "- url: https://host/\n  token-file: secrets/token\n  username: bot\n")
	if err := os.MkdirAll(filepath.Dir(file)+"/secrets", 0o700); err != nil {
		t.Fatal(err)
	}
	set, err := credential.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"first", "second"} {
		if err := os.WriteFile(filepath.Dir(file)+"/secrets/token", []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		access, err := set.For(t.Context(), "https://host/a.git")
		if err != nil {
			t.Fatal(err)
		}
		if got := given(access); got != "bot:"+token {
			t.Errorf("git is given %q", got)
		}
		if got := access.Redact("the token is " + token); got != "the token is xxxxx" {
			t.Errorf("redacted: %q", got)
		}
	}
}

// gitHub is GitHub's API, as far as apps get tokens: it checks who asks, and gives
// tokens in a series.
type gitHub struct {
	*httptest.Server
	mu       sync.Mutex
	lasts    time.Duration
	status   int
	problems []string
	given    int
}

func newGitHub(t *testing.T, key *rsa.PublicKey) *gitHub {
	g := &gitHub{lasts: time.Hour}
	g.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.status != 0 {
			rw.WriteHeader(g.status)
			fmt.Fprint(rw, `{"message":"Integration not found"}`)
			return
		}
		claims := new(jwt.RegisteredClaims)
		signed, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		_, err := jwt.ParseWithClaims(signed, claims, func(*jwt.Token) (any, error) { return key, nil },
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("Iv1.app"), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
		switch {
		case err != nil:
			g.problems = append(g.problems, err.Error())
		case claims.ExpiresAt.Sub(claims.IssuedAt.Time) > 10*time.Minute:
			g.problems = append(g.problems, "GitHub takes no token that lasts longer than ten minutes")
		case r.Method != http.MethodPost || r.URL.Path != "/app/installations/42/access_tokens" || r.Header.Get("Accept") != "application/vnd.github+json":
			g.problems = append(g.problems, r.Method+" "+r.URL.Path+" "+r.Header.Get("Accept"))
		}
		g.given++
		rw.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(rw).Encode(map[string]any{"token": fmt.Sprintf("ghs_%d", g.given), "expires_at": time.Now().Add(g.lasts).UTC().Format(time.RFC3339), "permissions": map[string]string{"contents": "write"}})
	}))
	t.Cleanup(g.Close)
	return g
}

// TestGitHubApp gets tokens, keeps them as long as they last, and gets new ones where
// they are not taken any more.
func TestGitHubApp(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "app.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	g := newGitHub(t, &key.PublicKey)
	app := &credential.GitHubApp{ID: "Iv1.app", Installation: "42", KeyFile: file, API: g.URL, HTTP: g.Client()}
	set, err := credential.New(credential.Entry{URL: "https://github.com/kubernetes", GitHubApp: app})
	if err != nil {
		t.Fatal(err)
	}
	const url = "https://github.com/kubernetes/client-go.git"
	wants := func(token string) {
		t.Helper()
		access, err := set.For(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if got := given(access); got != "x-access-token:"+token {
			t.Errorf("git is given %q, want %s", got, token)
		}
	}
	wants("ghs_1")
	wants("ghs_1")
	set.Forget(url)
	g.lasts = 5 * time.Minute // which is too short for a push
	wants("ghs_2")
	wants("ghs_3")
	for _, problem := range g.problems {
		t.Error(problem)
	}
	g.status = http.StatusInternalServerError
	_, err = set.For(t.Context(), url)
	if _, ok := errors.AsType[*credential.UnavailableError](err); !ok {
		t.Errorf("got %v", err)
	}
	g.status = http.StatusNotFound
	if _, err = set.For(t.Context(), url); err == nil || !strings.Contains(err.Error(), "Integration not found") {
		t.Errorf("got %v", err)
	}
	g.status = 0
	if err := os.WriteFile(file, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = set.For(t.Context(), url); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("got %v", err)
	}
}
