// Package webhook takes requests for a run: those of people and programs with a
// token, and those of GitHub and GitLab when something was pushed to the source.
//
//	POST /sync             Authorization: Bearer TOKEN
//	POST /webhook/github   X-Hub-Signature-256: HMAC of the body
//	POST /webhook/gitlab   X-Gitlab-Token: the secret
//
// A request can only cause a run, which brings everything up to date, and runs
// coalesce. So a request that is sent again does no harm, and nothing in it is
// believed but which repository it is about.
package webhook

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
)

// MaxBody is the size in bytes up to which bodies are read. GitHub sends no larger
// ones.
const MaxBody = 25 << 20

// most is how many bodies are read at the same time, which bounds the memory that
// strangers can have us use.
const most = 4

// Handler takes requests. Secrets are read from their files for each request, so
// that they can change; a request is refused whose secret's file is not given.
type Handler struct {
	// TokenFile, GitHubSecretFile and GitLabTokenFile hold the secrets. White space
	// around them does not count.
	TokenFile, GitHubSecretFile, GitLabTokenFile string
	// Repository is the source's URL, in any form. Pushes to others are ignored.
	Repository string
	// Request asks for a run, and reports whether none was waiting.
	Request func(cause string) (bool, error)
	Log     *slog.Logger
}

// Register adds the handler's paths.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /sync", h.sync)
	reading := make(chan struct{}, most)
	limited := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case reading <- struct{}{}:
				defer func() { <-reading }()
				next(w, r)
			default:
				w.Header().Set("Retry-After", "5")
				h.refuse(w, r, http.StatusServiceUnavailable, "too many requests at once; try again")
			}
		}
	}
	mux.HandleFunc("POST /webhook/github", limited(h.github))
	mux.HandleFunc("POST /webhook/gitlab", limited(h.gitlab))
}

func (h *Handler) sync(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		token = ""
	}
	if !h.allowed(w, r, h.TokenFile, "--token-file", func(secret string) bool { return same(token, secret) }) {
		return
	}
	h.request(w, "request")
}

func (h *Handler) github(w http.ResponseWriter, r *http.Request) {
	body, ok := h.body(w, r)
	if !ok {
		return
	}
	signature, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
	if !h.allowed(w, r, h.GitHubSecretFile, "--github-secret-file", func(secret string) bool {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		return err == nil && hmac.Equal(mac.Sum(nil), signature)
	}) {
		return
	}
	switch event := r.Header.Get("X-GitHub-Event"); event {
	case "ping":
		answer(w, http.StatusOK, "ready")
		return
	case "push":
	default:
		answer(w, http.StatusOK, fmt.Sprintf("ignored: the event is %q, only pushes count", event))
		return
	}
	// A webhook's content type is chosen where it is set up.
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			h.refuse(w, r, http.StatusBadRequest, "the body is no form")
			return
		}
		body = []byte(form.Get("payload"))
	}
	var push struct {
		Ref        string `json:"ref"`
		Repository struct {
			CloneURL string `json:"clone_url"`
			SSHURL   string `json:"ssh_url"`
			HTMLURL  string `json:"html_url"`
		} `json:"repository"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		h.refuse(w, r, http.StatusBadRequest, "the body is no push in JSON")
		return
	}
	h.pushed(w, "GitHub", push.Ref, push.Repository.CloneURL, push.Repository.SSHURL, push.Repository.HTMLURL)
}

func (h *Handler) gitlab(w http.ResponseWriter, r *http.Request) {
	if !h.allowed(w, r, h.GitLabTokenFile, "--gitlab-token-file", func(secret string) bool {
		return same(r.Header.Get("X-Gitlab-Token"), secret)
	}) {
		return
	}
	body, ok := h.body(w, r)
	if !ok {
		return
	}
	if event := r.Header.Get("X-Gitlab-Event"); event != "Push Hook" && event != "Tag Push Hook" {
		answer(w, http.StatusOK, fmt.Sprintf("ignored: the event is %q, only pushes count", event))
		return
	}
	var push struct {
		Ref     string `json:"ref"`
		Project struct {
			HTTPURL string `json:"git_http_url"`
			SSHURL  string `json:"git_ssh_url"`
			WebURL  string `json:"web_url"`
		} `json:"project"`
	}
	if err := json.Unmarshal(body, &push); err != nil {
		h.refuse(w, r, http.StatusBadRequest, "the body is no push in JSON")
		return
	}
	h.pushed(w, "GitLab", push.Ref, push.Project.HTTPURL, push.Project.SSHURL, push.Project.WebURL)
}

// pushed asks for a run where the repository pushed to is the source.
func (h *Handler) pushed(w http.ResponseWriter, from, ref string, urls ...string) {
	for _, u := range urls {
		if SameRepository(u, h.Repository) {
			h.request(w, fmt.Sprintf("push to %s at %s", cmp.Or(printable(ref), "the source"), from))
			return
		}
	}
	answer(w, http.StatusOK, "ignored: the repository is not the source")
}

func (h *Handler) request(w http.ResponseWriter, cause string) {
	first, err := h.Request(cause)
	switch {
	case err != nil:
		h.Log.Error("a request for a run is lost", "cause", cause, "error", err)
		answer(w, http.StatusServiceUnavailable, "the request could not be passed on; try again")
	case first:
		h.Log.Info("a run is asked for", "cause", cause)
		answer(w, http.StatusAccepted, "a run will start")
	default:
		answer(w, http.StatusAccepted, "a run that waits already will do it")
	}
}

// allowed checks a secret, or refuses. What is wrong with the file is nobody's
// business but the log's.
func (h *Handler) allowed(w http.ResponseWriter, r *http.Request, file, flag string, check func(secret string) bool) bool {
	if file == "" {
		h.refuse(w, r, http.StatusForbidden, "nobody is allowed to do this: the publisher runs without "+flag)
		return false
	}
	data, err := os.ReadFile(file)
	secret := strings.TrimSpace(string(data))
	if err == nil && secret == "" {
		err = fmt.Errorf("%s is empty", file)
	}
	if err != nil {
		h.Log.Error("a request cannot be checked", "path", r.URL.Path, "error", err)
		answer(w, http.StatusInternalServerError, "the request cannot be checked; the log says why")
		return false
	}
	if !check(secret) {
		h.refuse(w, r, http.StatusUnauthorized, "the token or signature is missing or wrong")
		return false
	}
	return true
}

// body reads a body, or refuses.
func (h *Handler) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		h.refuse(w, r, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", large.Limit))
		return nil, false
	}
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, "the body cannot be read")
		return nil, false
	}
	return data, true
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, code int, why string) {
	h.Log.Warn("a request is refused", "path", r.URL.Path, "from", r.RemoteAddr, "code", code, "why", why)
	answer(w, code, why)
}

// answer writes what is said as JSON.
func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	// Who does not read the answer does not get it.
	_ = json.NewEncoder(w).Encode(map[string]string{"message": text})
}

// same compares without telling by its time where the texts differ, or how long the
// secret is.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// scpLike is git's short form of an ssh URL, user@host:path.
var scpLike = regexp.MustCompile(`^(?:[\w.-]+@)?([\w.-]+):([^/].*)$`)

// SameRepository reports whether two URLs, of whatever protocols, are of the same
// repository: host and path count, without regard to case and .git at the end.
func SameRepository(a, b string) bool {
	x, y := identity(a), identity(b)
	return x != "" && x == y
}

func identity(text string) string {
	host, place := "", ""
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && strings.Contains(text, "://") {
		host, place = u.Hostname(), u.Path
	} else if m := scpLike.FindStringSubmatch(text); m != nil {
		host, place = m[1], m[2]
	}
	place = strings.TrimSuffix(path.Clean("/"+place), ".git")
	if place == "/" || host == "" {
		return ""
	}
	return strings.ToLower(host + place)
}

// printable is a ref as it may be logged; what is no ref is left out.
func printable(ref string) string {
	if len(ref) > 200 || !refName.MatchString(ref) {
		return ""
	}
	return ref
}

var refName = regexp.MustCompile(`^refs/[!-~]+$`)
