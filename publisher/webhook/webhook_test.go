package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/webhook"
)

const secret = "It's a Secret to Everybody"

// world has a server that takes requests, and notes those that it lets through.
type world struct {
	*testing.T
	*httptest.Server
	file   string // of the secret
	log    strings.Builder
	causes []string
	err    error
}

func serve(t *testing.T, change func(h *webhook.Handler)) *world {
	t.Helper()
	w := &world{T: t, file: filepath.Join(t.TempDir(), "secret")}
	w.secret(secret + "\n")
	h := &webhook.Handler{
		TokenFile: w.file, GitHubSecretFile: w.file, GitLabTokenFile: w.file,
		Repository: "https://user@git.example.com/org/monorepo.git",
		Request: func(cause string) (bool, error) {
			w.causes = append(w.causes, cause)
			return len(w.causes) == 1, w.err
		},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	if change != nil {
		change(h)
	}
	mux := http.NewServeMux()
	h.Register(mux)
	w.Server = httptest.NewServer(mux)
	t.Cleanup(w.Close)
	return w
}

func (w *world) secret(text string) {
	w.Helper()
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// post sends a request and returns the answer's code and text.
func (w *world) post(path, body string, headers ...string) (int, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := w.Client().Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func sign(body, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// TestGitHubsExampleIsSignedAsWeDo has the values of GitHub's documentation.
func TestGitHubsExampleIsSignedAsWeDo(t *testing.T) {
	if got := sign("Hello, World!", secret); got != "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" {
		t.Error(got)
	}
}

const (
	githubPush = `{"ref":"refs/heads/main","repository":{"full_name":"org/monorepo","clone_url":"https://git.example.com/org/monorepo.git","ssh_url":"git@git.example.com:org/monorepo.git"}}`
	gitlabPush = `{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"org/monorepo","git_http_url":"https://git.example.com/org/monorepo.git","git_ssh_url":"git@git.example.com:org/monorepo.git"}}`
)

func TestRequests(t *testing.T) {
	other := func(push string) string { return strings.ReplaceAll(push, "org/monorepo", "org/other") }
	github := func(body string, more ...string) []string {
		return append([]string{body, "X-Hub-Signature-256", sign(body, secret), "X-GitHub-Event", "push", "Content-Type", "application/json"}, more...)
	}
	gitlab := func(body string, more ...string) []string {
		return append([]string{body, "X-Gitlab-Token", secret, "X-Gitlab-Event", "Push Hook"}, more...)
	}
	form := "payload=" + url.QueryEscape(githubPush)
	for name, test := range map[string]struct {
		path    string
		request []string // body, headers
		code    int
		cause   string
	}{
		"a token":                     {"/sync", []string{"", "Authorization", "Bearer " + secret}, 202, "request"},
		"a token, in small letters":   {"/sync", []string{"", "Authorization", "bearer " + secret}, 202, "request"},
		"no token":                    {"/sync", []string{""}, 401, ""},
		"an empty token":              {"/sync", []string{"", "Authorization", "Bearer "}, 401, ""},
		"another token":               {"/sync", []string{"", "Authorization", "Bearer sesame"}, 401, ""},
		"a token and more":            {"/sync", []string{"", "Authorization", "Bearer " + secret + "x"}, 401, ""},
		"the start of a token":        {"/sync", []string{"", "Authorization", "Bearer " + secret[:8]}, 401, ""},
		"a password":                  {"/sync", []string{"", "Authorization", "Basic " + secret}, 401, ""},
		"a push at GitHub":            {"/webhook/github", github(githubPush), 202, "push to refs/heads/main at GitHub"},
		"a form of GitHub":            {"/webhook/github", github(form, "Content-Type", "application/x-www-form-urlencoded"), 202, "push to refs/heads/main at GitHub"},
		"another repository there":    {"/webhook/github", github(other(githubPush)), 200, ""},
		"a ping":                      {"/webhook/github", github(`{"zen":"Speak like a human."}`, "X-GitHub-Event", "ping"), 200, ""},
		"a star":                      {"/webhook/github", github(githubPush, "X-GitHub-Event", "star"), 200, ""},
		"another secret there":        {"/webhook/github", github(githubPush, "X-Hub-Signature-256", sign(githubPush, "sesame")), 401, ""},
		"a signature of another body": {"/webhook/github", github(githubPush, "X-Hub-Signature-256", sign(form, secret)), 401, ""},
		"no signature":                {"/webhook/github", github(githubPush, "X-Hub-Signature-256", ""), 401, ""},
		"a signature that is none":    {"/webhook/github", github(githubPush, "X-Hub-Signature-256", "sha256=zz"), 401, ""},
		"the old signature":           {"/webhook/github", github(githubPush, "X-Hub-Signature-256", "", "X-Hub-Signature", "sha1=0123"), 401, ""},
		"no JSON":                     {"/webhook/github", github("{"), 400, ""},
		"no push":                     {"/webhook/github", github("{}"), 200, ""},
		"a hostile ref":               {"/webhook/github", github(strings.Replace(githubPush, "heads/main", `heads/\u001b[2J`, 1)), 202, "push to the source at GitHub"},
		"a push at GitLab":            {"/webhook/gitlab", gitlab(gitlabPush), 202, "push to refs/heads/main at GitLab"},
		"a tag at GitLab":             {"/webhook/gitlab", gitlab(gitlabPush, "X-Gitlab-Event", "Tag Push Hook"), 202, "push to refs/heads/main at GitLab"},
		"an issue at GitLab":          {"/webhook/gitlab", gitlab(gitlabPush, "X-Gitlab-Event", "Issue Hook"), 200, ""},
		"another repository at it":    {"/webhook/gitlab", gitlab(other(gitlabPush)), 200, ""},
		"another token at GitLab":     {"/webhook/gitlab", gitlab(gitlabPush, "X-Gitlab-Token", "sesame"), 401, ""},
		"no token at GitLab":          {"/webhook/gitlab", gitlab(gitlabPush, "X-Gitlab-Token", ""), 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := serve(t, nil)
			code, text := w.post(test.path, test.request[0], test.request[1:]...)
			if code != test.code {
				t.Errorf("%d %s, want %d", code, text, test.code)
			}
			var causes []string
			if test.cause != "" {
				causes = []string{test.cause}
			}
			if !slices.Equal(w.causes, causes) {
				t.Errorf("runs are asked for by %q, want %q", w.causes, causes)
			}
			if strings.Contains(w.log.String()+text, secret) || strings.Contains(w.log.String(), "sesame") || strings.Contains(w.log.String(), "\x1b") {
				t.Errorf("the log tells secrets:\n%s", w.log.String())
			}
		})
	}
}

func TestOnlyPostsAreTaken(t *testing.T) {
	w := serve(t, nil)
	for _, path := range []string{"/sync", "/webhook/github", "/webhook/gitlab"} {
		answer, err := w.Client().Get(w.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %s", path, answer.Status)
		}
	}
}

func TestSecondRequestIsToldThatARunWaits(t *testing.T) {
	w := serve(t, nil)
	w.post("/sync", "", "Authorization", "Bearer "+secret)
	if code, text := w.post("/sync", "", "Authorization", "Bearer "+secret); code != 202 || !strings.Contains(text, "waits already") {
		t.Errorf("%d %s", code, text)
	}
}

func TestRequestThatCannotBePassedOnIsToBeSentAgain(t *testing.T) {
	w := serve(t, nil)
	w.err = errors.New("nobody is there")
	if code, text := w.post("/sync", "", "Authorization", "Bearer "+secret); code != 503 {
		t.Errorf("%d %s", code, text)
	}
}

func TestWhatHasNoSecretIsRefused(t *testing.T) {
	w := serve(t, func(h *webhook.Handler) { h.TokenFile, h.GitHubSecretFile, h.GitLabTokenFile = "", "", "" })
	for path, flag := range map[string]string{"/sync": "--token-file", "/webhook/github": "--github-secret-file", "/webhook/gitlab": "--gitlab-token-file"} {
		code, text := w.post(path, githubPush, "Authorization", "Bearer ", "X-Hub-Signature-256", sign(githubPush, ""), "X-GitHub-Event", "push", "X-Gitlab-Event", "Push Hook")
		if code != 403 || !strings.Contains(text, flag) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if w.causes != nil {
		t.Errorf("runs are asked for by %q", w.causes)
	}
}

func TestEmptyOrMissingSecretLetsNobodyIn(t *testing.T) {
	w := serve(t, nil)
	w.secret(" \n")
	for _, path := range []string{"/sync", "/webhook/github", "/webhook/gitlab"} {
		if code, text := w.post(path, githubPush, "X-Hub-Signature-256", sign(githubPush, ""), "X-GitHub-Event", "push"); code != 500 || strings.Contains(text, w.file) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if err := os.Remove(w.file); err != nil {
		t.Fatal(err)
	}
	if code, text := w.post("/sync", "", "Authorization", "Bearer "); code != 500 {
		t.Errorf("%d %s", code, text)
	}
	if !strings.Contains(w.log.String(), "is empty") || !strings.Contains(w.log.String(), "no such file") {
		t.Errorf("the log does not say why:\n%s", w.log.String())
	}
}

func TestSecretIsReadAgainWhenItChanges(t *testing.T) {
	w := serve(t, nil)
	w.secret("new")
	if code, _ := w.post("/sync", "", "Authorization", "Bearer "+secret); code != 401 {
		t.Errorf("the old token: %d", code)
	}
	if code, _ := w.post("/sync", "", "Authorization", "Bearer new"); code != 202 {
		t.Errorf("the new token: %d", code)
	}
}

func TestLargeBodyIsRefused(t *testing.T) {
	w := serve(t, nil)
	body := strings.Repeat(" ", webhook.MaxBody) + githubPush
	if code, text := w.post("/webhook/github", body, "X-Hub-Signature-256", sign(body, secret), "X-GitHub-Event", "push"); code != 413 {
		t.Errorf("%d %s", code, text)
	}
	if code, text := w.post("/webhook/gitlab", body, "X-Gitlab-Token", secret, "X-Gitlab-Event", "Push Hook"); code != 413 {
		t.Errorf("%d %s", code, text)
	}
}

func TestSameRepository(t *testing.T) {
	all := []string{
		"https://git.example.com/org/Repo.git", "https://git.example.com/org/repo", "http://user:secret@git.example.com:8080/org/repo.git/",
		"ssh://git@git.example.com:2222/org/repo.git", "git@git.example.com:org/repo.git", "git://GIT.example.com/org/repo", "git.example.com:org/repo",
	}
	for _, a := range all {
		for _, b := range all {
			if !webhook.SameRepository(a, b) {
				t.Errorf("%s is not %s", a, b)
			}
		}
		for _, b := range []string{
			"", ".", "/srv/org/repo.git", "file:///org/repo.git", "https://git.example.com/", "https://git.example.com/org/repo2",
			"https://git.example.com/org", "https://git.example.org/org/repo", "https://git.example.com.evil.org/org/repo", "https://evil.org/git.example.com/org/repo",
		} {
			if webhook.SameRepository(a, b) {
				t.Errorf("%s is %s", a, b)
			}
		}
	}
	if webhook.SameRepository("/srv/repo.git", "/srv/repo.git") || webhook.SameRepository("", "") {
		t.Error("what is not at a URL is the same")
	}
}
