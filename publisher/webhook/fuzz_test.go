package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"k8s.io/publisher/webhook"
)

// Whatever strangers send, it asks for no run without the secret; and with it, for
// one only where it is a push that names the repository, and with a cause that can be logged.
func FuzzWebhooks(f *testing.F) {
	const repository = "https://git.example.com/org/monorepo.git"
	file := filepath.Join(f.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		f.Fatal(err)
	}
	push := `{"ref": "refs/heads/main", "repository": {"clone_url": "` + repository + `", "ssh_url": "git@git.example.com:org/monorepo.git"}}`
	f.Add([]byte(push), sign(push, secret), "push", "application/json")
	f.Add([]byte("payload="+url.QueryEscape(push)), "sha256=00", "push", "application/x-www-form-urlencoded; charset=utf-8")
	f.Add([]byte(`{"ref": "refs/tags/v1", "project": {"git_ssh_url": "ssh://GIT@git.example.com/Org/Monorepo"}}`), secret, "Tag Push Hook", "")
	f.Add([]byte(`{"REF": 1, "repository": {"html_url": "file:///org/monorepo"}}`), "", "ping", "text/plain")
	f.Add([]byte("%zz"), secret[:5], "push", "application/x-www-form-urlencoded")
	f.Fuzz(func(t *testing.T, body []byte, proof, event, kind string) {
		var causes []string
		h := &webhook.Handler{
			GitHubSecretFile: file, GitLabTokenFile: file, Repository: repository, Log: slog.New(slog.DiscardHandler),
			Request: func(cause string) (bool, error) { causes = append(causes, cause); return true, nil },
		}
		mux := http.NewServeMux()
		h.Register(mux)
		post := func(path string, headers http.Header) int {
			r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
			r.Header = headers
			r.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			var said struct{ Message string }
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || said.Message == "" {
				t.Errorf("%s: the answer is %q", path, w.Body)
			}
			return w.Code
		}
		github := func(signature string) int {
			return post("/webhook/github", http.Header{"X-Hub-Signature-256": {signature}, "X-Github-Event": {event}})
		}
		gitlab := func(token string) int {
			return post("/webhook/gitlab", http.Header{"X-Gitlab-Token": {token}, "X-Gitlab-Event": {event}})
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		right := hex.EncodeToString(mac.Sum(nil))
		if code := github(proof); (code == http.StatusUnauthorized) != !strings.EqualFold(strings.TrimPrefix(proof, "sha256="), right) {
			t.Errorf("with the signature %q, the answer is %d", proof, code)
		}
		if code := gitlab(proof); (code == http.StatusUnauthorized) != (proof != secret) {
			t.Errorf("with the token %q, the answer is %d", proof, code)
		}
		for name, send := range map[string]func() int{"GitHub": func() int { return github("sha256=" + right) }, "GitLab": func() int { return gitlab(secret) }} {
			causes = nil
			code := send()
			if !slices.Contains([]int{http.StatusOK, http.StatusAccepted, http.StatusBadRequest}, code) || (code == http.StatusAccepted) != (len(causes) > 0) {
				t.Errorf("%s: %d, with %q", name, code, causes)
			}
			if len(causes) == 0 {
				continue
			}
			if !strings.Contains(strings.ToLower(event), "push") || !names(body, repository) {
				t.Errorf("%s: a run is asked for by the event %q with %q", name, event, body)
			}
			if cause := causes[0]; len(cause) > 250 || strings.ContainsFunc(cause, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: the cause is %q", name, cause)
			}
		}
	})
}

// names reports whether any text in JSON, which may be in a form, is a URL of a repository.
func names(body []byte, repository string) bool {
	var within func(value any) bool
	within = func(value any) bool {
		switch v := value.(type) {
		case string:
			return webhook.SameRepository(v, repository)
		case []any:
			return slices.ContainsFunc(v, within)
		case map[string]any:
			for _, inner := range v {
				if within(inner) {
					return true
				}
			}
		}
		return false
	}
	bodies := [][]byte{body}
	if form, err := url.ParseQuery(string(body)); err == nil {
		bodies = append(bodies, []byte(form.Get("payload")))
	}
	return slices.ContainsFunc(bodies, func(data []byte) bool {
		var value any
		return json.Unmarshal(data, &value) == nil && within(value)
	})
}
