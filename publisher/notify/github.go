package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/publisher/status"
)

// Issue reports failures to an issue at GitHub: it is opened, or opened again, with
// the end of the log, and closed after a run without a failure. As long as runs go on
// failing, one comment has what the last of them said: nobody is told twice.
//
// The token needs the right to read and write issues of the one repository.
type Issue struct {
	// API is the URL of the REST API, without a slash at the end.
	API         string
	Owner, Repo string
	// Number is the issue's. Zero: the one with [Label] that a publisher opened before,
	// or a new one.
	Number int
	// TokenFile is read for each report.
	TokenFile string
	// Client is what requests are made with. Nil: one of its own.
	Client *http.Client

	comment int64 // the one about the failures that go on; zero where there is none
}

// Label is what issues have that a publisher opens.
const Label = "publisher"

var issueName = regexp.MustCompile(`^(?:([\w.:-]+)/)?([\w.-]+)/([\w.-]+?)(?:#([1-9]\d{0,8}))?$`)

// ParseIssue reads OWNER/REPO, or that with a host in front or #NUMBER at the end.
func ParseIssue(text string) (*Issue, error) {
	m := issueName.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%q names no issue: OWNER/REPO or OWNER/REPO#NUMBER does, with HOST/ in front where it is not github.com", text)
	}
	i := &Issue{API: "https://api.github.com", Owner: m[2], Repo: m[3]}
	if host := m[1]; host != "" && host != "github.com" {
		i.API = "https://" + host + "/api/v3"
	}
	if m[4] != "" {
		i.Number, _ = strconv.Atoi(m[4]) // The expression sees to it.
	}
	return i, nil
}

// Name is who is told.
func (*Issue) Name() string { return "github-issue" }

// APIError reports a request that GitHub did not carry out.
type APIError struct {
	Method, Path string
	Code         int
	// Message is GitHub's.
	Message string
}

func (e *APIError) Error() string {
	hint := ""
	switch e.Code {
	case http.StatusUnauthorized:
		hint = "; the token is not, or no longer, good"
	case http.StatusForbidden, http.StatusNotFound:
		hint = "; see that the token may read and write issues of the repository, and that there is one"
	case http.StatusGone:
		hint = "; the issue was deleted, or the repository has none"
	}
	return fmt.Sprintf("%s %s: GitHub answers %d: %s%s", e.Method, e.Path, e.Code, cmp.Or(e.Message, http.StatusText(e.Code)), hint)
}

// issue is what matters of an issue in an answer.
type issue struct {
	Number      int             `json:"number"`
	State       string          `json:"state"`
	Body        string          `json:"body"`
	PullRequest json.RawMessage `json:"pull_request"`
}

// Report opens or closes the issue.
func (i *Issue) Report(ctx context.Context, s *status.Status, log string) error {
	token, err := os.ReadFile(i.TokenFile)
	if err != nil {
		return fmt.Errorf("read the token for GitHub: %w", err)
	}
	call := caller{Issue: i, token: strings.TrimSpace(string(token))}
	if s.Run.Error == "" {
		return call.close(ctx)
	}
	return call.open(ctx, s, strings.ReplaceAll(log, call.token, "xxxxx"))
}

// caller makes the requests of one report.
type caller struct {
	*Issue
	token string
}

func (c caller) close(ctx context.Context) error {
	c.Issue.comment = 0
	at, err := c.find(ctx)
	if err != nil || at == nil || at.State != "open" {
		return err
	}
	return c.request(ctx, http.MethodPatch, c.path(at.Number), map[string]any{"state": "closed", "state_reason": "completed"}, nil)
}

func (c caller) open(ctx context.Context, s *status.Status, log string) error {
	at, err := c.find(ctx)
	if err != nil {
		return err
	}
	body := describe(s, log)
	if at == nil {
		return c.request(ctx, http.MethodPost, c.path(), map[string]any{"title": "Publishing fails", "body": marker + "\n" + body, "labels": []string{Label}}, nil)
	}
	if at.State != "open" {
		if err := c.request(ctx, http.MethodPatch, c.path(at.Number), map[string]any{"state": "open", "state_reason": "reopened"}, nil); err != nil {
			return err
		}
		c.Issue.comment = 0
	}
	if id := c.Issue.comment; id != 0 {
		err := c.request(ctx, http.MethodPatch, c.path("comments", id), map[string]any{"body": body}, nil)
		var failed *APIError
		if !errors.As(err, &failed) || failed.Code != http.StatusNotFound {
			return err
		}
		// Somebody has removed it.
	}
	var made struct {
		ID int64 `json:"id"`
	}
	err = c.request(ctx, http.MethodPost, c.path(at.Number, "comments"), map[string]any{"body": body}, &made)
	c.Issue.comment = made.ID
	return err
}

// marker is in the text of issues that a publisher opened.
const marker = "<!-- publisher -->"

// find returns the issue, or nil where there is none yet.
func (c caller) find(ctx context.Context) (*issue, error) {
	if c.Number != 0 {
		at := new(issue)
		return at, c.request(ctx, http.MethodGet, c.path(c.Number), nil, at)
	}
	var all []issue
	query := url.Values{"state": {"all"}, "labels": {Label}, "sort": {"updated"}, "per_page": {"100"}}
	if err := c.request(ctx, http.MethodGet, c.path()+"?"+query.Encode(), nil, &all); err != nil {
		return nil, err
	}
	for k := range all {
		if all[k].PullRequest == nil && strings.HasPrefix(all[k].Body, marker) {
			return &all[k], nil
		}
	}
	return nil, nil
}

// path is that of the repository's issues, and of what is below.
func (c caller) path(below ...any) string {
	path := "/repos/" + url.PathEscape(c.Owner) + "/" + url.PathEscape(c.Repo) + "/issues"
	for _, part := range below {
		path += fmt.Sprint("/", part)
	}
	return path
}

// request calls the API. The answer goes to into, which may be nil.
func (c caller) request(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.API+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("User-Agent", "publisher")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.client().Do(r)
	if err != nil {
		return fmt.Errorf("call GitHub: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer*10))
	if err != nil {
		return fmt.Errorf("call GitHub: %s %s: %w", method, path, err)
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		failed := &APIError{Method: method, Path: path, Code: answer.StatusCode}
		var said struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(text, &said) == nil {
			failed.Message = said.Message
		}
		return failed
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("call GitHub: %s %s: the answer is not as described: %w", method, path, err)
	}
	return nil
}

func (c caller) client() *http.Client {
	if c.Client != nil {
		return c.Client
	}
	// A redirection turns a POST into a GET, and leads who knows where.
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// mostBody is how long GitHub lets a text be, in characters.
const mostBody = 65536

// describe is what an issue says. All that comes from elsewhere is in code blocks,
// where it can mention nobody and link to nothing.
func describe(s *status.Status, log string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\nRun `%s` ended at %s. `publisher status` says more.\n\n", headline(s), s.Run.ID, s.Run.Finished.Format(time.RFC3339))
	b.WriteString(fenced(end(s.Run.Error, 8<<10)))
	b.WriteString("\n<details><summary>The end of the log</summary>\n\n")
	const after = "\n</details>\n"
	b.WriteString(fenced(end(log, mostBody-b.Len()-len(after)-100)))
	b.WriteString(after)
	return b.String()
}

// fenced is a code block. Its fence is longer than any in the text.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "text\n" + text + "\n" + fence + "\n"
}
