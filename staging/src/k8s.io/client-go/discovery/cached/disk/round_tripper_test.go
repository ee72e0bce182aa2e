package disk

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A site answers each request with the next of its answers, and the last one
// from then on.
type site struct {
	*httptest.Server
	answers  []http.HandlerFunc
	requests []string
}

func newSite(t *testing.T, answers ...http.HandlerFunc) *site {
	s := &site{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.Header.Get("If-None-Match")))
		answer := s.answers[0]
		if len(s.answers) > 1 {
			s.answers = s.answers[1:]
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func say(body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code := http.StatusOK
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
			if headers[i] == "ETag" && r.Header.Get("If-None-Match") == headers[i+1] {
				code = http.StatusNotModified
			}
		}
		w.WriteHeader(code)
		if code == http.StatusOK {
			io.WriteString(w, body)
		}
	}
}

func get(t *testing.T, client *http.Client, url string, headers ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.ContentLength >= 0 && response.ContentLength != int64(len(body)) {
		t.Errorf("got %s, length %d of %d", response.Status, response.ContentLength, len(body))
	}
	return string(body)
}

func wantRequests(t *testing.T, s *site, want ...string) {
	t.Helper()
	if !slices.Equal(s.requests, want) {
		t.Errorf("requests %q, want %q", s.requests, want)
	}
	s.requests = nil
}

func client(dir string) *http.Client {
	return &http.Client{Transport: newCacheRoundTripper(dir, http.DefaultTransport)}
}

func TestResponseIsRevalidatedByItsETag(t *testing.T) {
	s := newSite(t,
		say("one", "ETag", `"1"`, "Cache-Control", "public", "Content-Type", "text/x"),
		say("one", "ETag", `"1"`),
		say("two", "ETag", `"2"`),
	)
	dir := t.TempDir()
	for i, want := range []string{"one", "one", "two", "two"} {
		if got := get(t, client(dir), s.URL+"/x"); got != want {
			t.Errorf("request %d: got %q, want %q", i, got, want)
		}
	}
	wantRequests(t, s, "GET", `GET "1"`, `GET "1"`, `GET "2"`)
}

func TestRevalidatedResponseHasTheHeadersOfTheFirst(t *testing.T) {
	s := newSite(t, say("one", "ETag", `"1"`, "Content-Type", "text/x"))
	c := client(t.TempDir())
	get(t, c, s.URL)
	response, err := c.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.Header.Get("Content-Type"); got != "text/x" {
		t.Errorf("got content type %q", got)
	}
}

func TestResponseThatIsGoodForAWhileIsNotAskedFor(t *testing.T) {
	for name, headers := range map[string][]string{
		"max-age": {"Cache-Control", "private, max-age=3600"},
		"expires": {"Cache-Control", "public, immutable", "Expires", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newSite(t, say("one", headers...)), t.TempDir()
			for range 3 {
				get(t, client(dir), s.URL+"/openapi/v3/api/v1?hash=1")
			}
			wantRequests(t, s, "GET")
			get(t, client(dir), s.URL+"/openapi/v3/api/v1?hash=2")
			wantRequests(t, s, "GET")
			count := 0
			files(t, dir, func(string, fs.FileInfo) { count++ })
			if count != 1 {
				t.Errorf("%d files, want the newer document in place of the older", count)
			}
		})
	}
}

func TestWhatIsNotKept(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no-store":                 say("x", "ETag", `"1"`, "Cache-Control", "no-store"),
		"neither ETag nor expiry":  say("x", "Cache-Control", "public"),
		"expired":                  say("x", "Cache-Control", "max-age=0"),
		"bad max-age":              say("x", "Cache-Control", "max-age=forever"),
		"varies with other things": say("x", "ETag", `"1"`, "Vary", "Accept, Cookie"),
		"varies with everything":   say("x", "ETag", `"1"`, "Vary", "*"),
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newSite(t, answer), t.TempDir()
			get(t, client(dir), s.URL)
			get(t, client(dir), s.URL)
			wantRequests(t, s, "GET", "GET")
			files(t, dir, func(path string, _ fs.FileInfo) { t.Errorf("%s is there", path) })
		})
	}
}

func TestRequestsWithTermsOfTheirOwnPassThrough(t *testing.T) {
	s, dir := newSite(t, say("one", "Cache-Control", "max-age=3600")), t.TempDir()
	get(t, client(dir), s.URL)
	for _, header := range [][]string{
		{"Range", "bytes=0-"},
		{"If-None-Match", `"other"`},
		{"Cache-Control", "no-cache"},
		{"Cache-Control", "no-store"},
	} {
		get(t, client(dir), s.URL, header...)
	}
	wantRequests(t, s, "GET", "GET", `GET "other"`, "GET", "GET")
	response, err := client(dir).Post(s.URL, "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	wantRequests(t, s, "POST")
}

func TestFormsAreKeptApart(t *testing.T) {
	s, dir := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		say(r.Header.Get("Accept"), "Cache-Control", "max-age=3600", "Vary", "Accept")(w, r)
	}), t.TempDir()
	for range 2 {
		for _, accept := range []string{"application/json", "application/yaml"} {
			if got := get(t, client(dir), s.URL, "Accept", accept); got != accept {
				t.Errorf("got %q, want %q", got, accept)
			}
		}
	}
	wantRequests(t, s, "GET", "GET")
}

func TestDamagedFileIsFetchedAnew(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)-1] },
		"changed": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"empty":   func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newSite(t, say("one", "Cache-Control", "max-age=3600")), t.TempDir()
			get(t, client(dir), s.URL)
			files(t, dir, func(path string, _ fs.FileInfo) {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, damage(data), 0o600); err != nil {
					t.Fatal(err)
				}
			})
			for range 2 {
				if got := get(t, client(dir), s.URL); got != "one" {
					t.Errorf("got %q", got)
				}
			}
			wantRequests(t, s, "GET", "GET")
		})
	}
}

func TestBodyThatIsNotReadToItsEndIsNotKept(t *testing.T) {
	s, dir := newSite(t, say(strings.Repeat("x", 1<<16), "Cache-Control", "max-age=3600")), t.TempDir()
	response, err := client(dir).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := response.Body.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	files(t, dir, func(path string, _ fs.FileInfo) { t.Errorf("%s is there", path) })
}

func TestBodyThatBreaksOffIsNotKept(t *testing.T) {
	s, dir := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		say("half", "Cache-Control", "max-age=3600")(w, r)
	}), t.TempDir()
	response, err := client(dir).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("no error")
	}
	response.Body.Close()
	files(t, dir, func(path string, _ fs.FileInfo) { t.Errorf("%s is there", path) })
}

func TestCookiesAreNotWritten(t *testing.T) {
	s, dir := newSite(t, say("one", "ETag", `"1"`, "Set-Cookie", "session=secret")), t.TempDir()
	get(t, client(dir), s.URL, "Authorization", "Bearer secret")
	files(t, dir, func(path string, _ fs.FileInfo) {
		if data, err := os.ReadFile(path); err != nil || strings.Contains(string(data), "secret") {
			t.Errorf("%s has the secret, or %v", path, err)
		}
	})
}

func TestUnreachableServerIsAnError(t *testing.T) {
	s, dir := newSite(t, say("one", "ETag", `"1"`)), t.TempDir()
	get(t, client(dir), s.URL)
	s.Close()
	if response, err := client(dir).Get(s.URL); err == nil {
		response.Body.Close()
		t.Error("an old response is passed off as a new one")
	}
}

func TestTransportBelowCanBeFound(t *testing.T) {
	rt := newCacheRoundTripper("", http.DefaultTransport).(interface{ WrappedRoundTripper() http.RoundTripper })
	if rt.WrappedRoundTripper() != http.DefaultTransport {
		t.Error("got another one")
	}
}
