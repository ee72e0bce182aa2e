package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"k8s.io/publisher/status"
)

const token = "ghp-sesame"

func failedRun(text string) *status.Status {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &status.Status{
		Run: status.Run{ID: "20260102T030405Z-0a1b2c", Cause: "interval", Started: at, Finished: at, Error: text},
		Destinations: []status.Destination{
			{Name: "api", LastSuccess: &at},
			{Name: "client-go", Error: text, FailingSince: &at, Waiting: 3},
		},
	}
}

func goodRun() *status.Status {
	s := failedRun("")
	s.Destinations[1].FailingSince = nil
	return s
}

func compile(t *testing.T, name string, schema any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// operation is a request that the API describes.
type operation struct {
	name        string
	path        *regexp.Regexp
	query, body *jsonschema.Schema
	code        int
}

func operations(t *testing.T) (all []operation) {
	t.Helper()
	data, err := os.ReadFile("testdata/github.json")
	if err != nil {
		t.Fatal(err)
	}
	var description struct {
		Paths map[string]struct {
			Query, Body any
			Answer      int
		}
	}
	if err := json.Unmarshal(data, &description); err != nil {
		t.Fatal(err)
	}
	for name, o := range description.Paths {
		pattern := regexp.MustCompile(`\{\w+_(?:id|number)\}`).ReplaceAllString(name, `\d+`)
		pattern = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(pattern, `[\w.-]+`)
		op := operation{name: name, path: regexp.MustCompile("^" + pattern + "$"), code: max(o.Answer, 200)}
		if o.Query != nil {
			op.query = compile(t, "query.json", o.Query)
		}
		if o.Body != nil {
			op.body = compile(t, "body.json", o.Body)
		}
		all = append(all, op)
	}
	return all
}

// github is a server that takes what the API's description allows, and has one
// repository with issues.
type github struct {
	*testing.T
	*httptest.Server
	operations []operation
	calls      []string
	issues     []map[string]any // by number, less one
	comments   []string         // by id, less one
	fail       func(call string) int
}

func newGithub(t *testing.T) (*github, *Issue) {
	t.Helper()
	g := &github{T: t, operations: operations(t)}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return g, &Issue{API: g.URL, Owner: "kubernetes", Repo: "kubernetes", TokenFile: file}
}

func (g *github) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(code int, value any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(value)
	}
	call := r.Method + " " + r.URL.Path
	i := slices.IndexFunc(g.operations, func(o operation) bool { return o.path.MatchString(call) })
	if i < 0 {
		g.Errorf("%s is no request that the API has", call)
		answer(404, nil)
		return
	}
	op := g.operations[i]
	if r.Header.Get("Authorization") != "Bearer "+token || r.Header.Get("Accept") != "application/vnd.github+json" ||
		r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" || r.Header.Get("User-Agent") == "" {
		g.Errorf("%s: the headers are %v", call, r.Header)
	}
	query := make(map[string]any)
	for key, values := range r.URL.Query() {
		query[key] = values[0]
	}
	if op.query == nil && len(query) > 0 {
		g.Errorf("%s: it takes no query", call)
	} else if op.query != nil {
		if err := op.query.Validate(query); err != nil {
			g.Errorf("%s: %v", call, err)
		}
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		g.Error(err)
	}
	var body map[string]any
	if op.body == nil && len(text) > 0 {
		g.Errorf("%s: it takes no body", call)
	} else if op.body != nil {
		var value any
		err := json.Unmarshal(text, &value)
		if err == nil {
			err = op.body.Validate(value)
		}
		if err != nil {
			g.Errorf("%s: %v", call, err)
		}
		body, _ = value.(map[string]any)
	}
	said := call
	if state, ok := body["state"]; ok {
		said += fmt.Sprintf(" %v %v", state, body["state_reason"])
	}
	g.calls = append(g.calls, strings.ReplaceAll(said, "/repos/kubernetes/kubernetes/issues", ""))
	if g.fail != nil {
		if code := g.fail(call); code != 0 {
			answer(code, map[string]string{"message": "no luck"})
			return
		}
	}
	number := 0
	_, _ = fmt.Sscanf(strings.TrimPrefix(r.URL.Path, "/repos/kubernetes/kubernetes/issues/"), "%d", &number)
	switch op.name {
	case "GET /repos/{owner}/{repo}/issues":
		answer(op.code, g.issues)
	case "POST /repos/{owner}/{repo}/issues":
		body["number"], body["state"] = len(g.issues)+1, "open"
		g.issues = append(g.issues, body)
		answer(op.code, body)
	case "POST /repos/{owner}/{repo}/issues/{issue_number}/comments":
		g.comments = append(g.comments, body["body"].(string))
		answer(op.code, map[string]int{"id": len(g.comments)})
	case "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}":
		g.comments[len(g.comments)-1] = body["body"].(string)
		answer(op.code, map[string]int{"id": len(g.comments)})
	default:
		if number < 1 || number > len(g.issues) {
			answer(404, map[string]string{"message": "Not Found"})
			return
		}
		at := g.issues[number-1]
		if state, ok := body["state"]; ok {
			at["state"] = state
		}
		answer(op.code, at)
	}
}

func (g *github) report(i *Issue, s *status.Status, log string) {
	g.Helper()
	if err := i.Report(g.Context(), s, log); err != nil {
		g.Error(err)
	}
}

func (g *github) mustHaveCalled(calls ...string) {
	g.Helper()
	if !slices.Equal(g.calls, calls) {
		g.Errorf("the calls were\n%s\nwant\n%s", strings.Join(g.calls, "\n"), strings.Join(calls, "\n"))
	}
	g.calls = nil
}

func TestIssueIsOpenedOnceAndClosedAfterASuccess(t *testing.T) {
	g, i := newGithub(t)
	g.report(i, goodRun(), "")
	g.mustHaveCalled("GET ")
	g.report(i, failedRun("no luck"), "the log")
	g.mustHaveCalled("GET ", "POST ")
	g.report(i, failedRun("still none"), "the log")
	g.mustHaveCalled("GET ", "POST /1/comments")
	g.report(i, failedRun("and still"), "the log")
	g.mustHaveCalled("GET ", "PATCH /comments/1")
	if last := g.comments[0]; len(g.comments) != 1 || !strings.Contains(last, "and still") {
		t.Errorf("the comments are %q", g.comments)
	}
	g.report(i, goodRun(), "")
	g.mustHaveCalled("GET ", "PATCH /1 closed completed")
	g.report(i, goodRun(), "")
	g.mustHaveCalled("GET ")
}

func TestClosedIssueIsOpenedAgain(t *testing.T) {
	g, i := newGithub(t)
	g.issues = []map[string]any{
		{"number": 1, "state": "open", "body": "somebody's"},
		{"number": 2, "state": "closed", "body": marker + "\nold"},
	}
	g.report(i, failedRun("no luck"), "")
	g.mustHaveCalled("GET ", "PATCH /2 open reopened", "POST /2/comments")
	g.report(i, goodRun(), "")
	g.mustHaveCalled("GET ", "PATCH /2 closed completed")
}

func TestIssueOfANumberIsTheOne(t *testing.T) {
	g, i := newGithub(t)
	g.issues = []map[string]any{{"number": 1, "state": "closed", "body": "somebody's"}}
	i.Number = 1
	g.report(i, failedRun("no luck"), "")
	g.mustHaveCalled("GET /1", "PATCH /1 open reopened", "POST /1/comments")
	g.report(i, goodRun(), "")
	g.mustHaveCalled("GET /1", "PATCH /1 closed completed")
}

func TestCommentThatSomebodyRemovedIsMadeAnew(t *testing.T) {
	g, i := newGithub(t)
	i.Number = 1
	g.issues = []map[string]any{{"number": 1, "state": "open", "body": ""}}
	g.report(i, failedRun("no luck"), "")
	g.fail = func(call string) int {
		if strings.Contains(call, "issues/comments/") {
			return 404
		}
		return 0
	}
	g.calls = nil
	g.report(i, failedRun("no luck"), "")
	g.mustHaveCalled("GET /1", "PATCH /comments/1", "POST /1/comments")
}

// TestIssueSaysWhatFailedWithinGitHubsLimits also for a long log with characters that
// take more than a byte, and with fences; the server checks the length.
func TestIssueSaysWhatFailedWithinGitHubsLimits(t *testing.T) {
	g, i := newGithub(t)
	i.Number = 1
	g.issues = []map[string]any{{"number": 1, "state": "open", "body": ""}}
	log := strings.Repeat("a line of the log with ümlauts and ```` @everybody #1 <b>\n", 5000) + "token " + token + "\nthe last line\n"
	g.report(i, failedRun(strings.Repeat("no luck with ``` today\n", 5000)+"at all"), log)
	got := g.comments[0]
	for _, want := range []string{"Publishing fails at client-go.", "`20260102T030405Z-0a1b2c`", "no luck with ``` today\nat all\n````\n", "the last line\n`````\n", "token xxxxx"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%.500s…%s", want, got, got[len(got)-500:])
		}
	}
	if strings.Contains(got, token) {
		t.Error("the token is in the issue")
	}
}

func TestErrorsOfGitHubSayWhatToDo(t *testing.T) {
	for code, want := range map[int]string{401: "no longer, good", 403: "may read and write issues", 404: "may read and write issues", 410: "deleted", 422: "no luck", 500: "GitHub answers 500"} {
		g, i := newGithub(t)
		g.fail = func(string) int { return code }
		err := i.Report(t.Context(), failedRun("x"), "")
		var failed *APIError
		if !errors.As(err, &failed) || failed.Code != code || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%d: %v", code, err)
		}
	}
	_, i := newGithub(t)
	i.TokenFile = "nowhere"
	if err := i.Report(t.Context(), goodRun(), ""); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("without a token: %v", err)
	}
}

func TestTokenGoesNowhereElse(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s is called with %v", r.Method, r.URL, r.Header)
	}))
	defer elsewhere.Close()
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusMovedPermanently))
	defer here.Close()
	_, i := newGithub(t)
	i.API = here.URL
	if err := i.Report(t.Context(), failedRun("x"), ""); err == nil || !strings.Contains(err.Error(), "301") {
		t.Errorf("%v", err)
	}
}

func TestParseIssue(t *testing.T) {
	for text, want := range map[string]Issue{
		"kubernetes/kubernetes":                {API: "https://api.github.com", Owner: "kubernetes", Repo: "kubernetes"},
		"kubernetes/kubernetes#56876":          {API: "https://api.github.com", Owner: "kubernetes", Repo: "kubernetes", Number: 56876},
		"github.com/a/b.c#1":                   {API: "https://api.github.com", Owner: "a", Repo: "b.c", Number: 1},
		"git.example.com:8443/org/mono-repo#7": {API: "https://git.example.com:8443/api/v3", Owner: "org", Repo: "mono-repo", Number: 7},
	} {
		got, err := ParseIssue(text)
		if err != nil || *got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "a/b#0", "a/b#x", "a/b/c/d", "https://github.com/a/b", "a/b#1234567890"} {
		if i, err := ParseIssue(text); err == nil {
			t.Errorf("%q: %+v", text, i)
		}
	}
}

func TestWebhookTellsOfFailuresAndOfTheirEnd(t *testing.T) {
	data, err := os.ReadFile("../../docs/webhook.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	described := compile(t, "webhook.json", schema)
	var messages []Message
	code := http.StatusNoContent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/hooks/sesame" {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		text, _ := io.ReadAll(r.Body)
		var value any
		var m Message
		if err := errors.Join(json.Unmarshal(text, &value), json.Unmarshal(text, &m), described.Validate(value)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		messages = append(messages, m)
		w.WriteHeader(code)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(server.URL+"/hooks/sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &Webhook{URLFile: file}
	planless := &status.Status{Run: failedRun("the source is gone").Run}
	for _, s := range []*status.Status{goodRun(), failedRun("no luck"), failedRun(strings.Repeat("long\n", 5000)), planless, goodRun(), goodRun()} {
		if err := w.Report(t.Context(), s, ""); err != nil {
			t.Error(err)
		}
	}
	var texts []string
	for _, m := range messages {
		texts = append(texts, m.State+": "+m.Text)
	}
	if want := []string{
		"failing: Publishing fails at client-go", "failing: Publishing fails at client-go", "failing: The run failed before it came to any destination",
		"recovered: Publishing goes on: 2 destinations are up to date",
	}; !slices.Equal(texts, want) {
		t.Errorf("the messages are %q, want %q", texts, want)
	}
	if d := messages[0].Destinations; len(d) != 1 || d[0].Name != "client-go" || d[0].Waiting != 3 {
		t.Errorf("the destinations are %+v", d)
	}
	code = http.StatusTeapot
	if err := w.Report(t.Context(), failedRun("x"), ""); err == nil || !strings.Contains(err.Error(), "418") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("%v", err)
	}
	server.Close()
	if err := w.Report(t.Context(), failedRun("x"), ""); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("%v", err)
	}
}
