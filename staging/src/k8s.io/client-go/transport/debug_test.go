package transport_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/transport"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
)

// logged returns a context with a logger of that verbosity, and what it logs,
// line by line.
func logged(verbosity int) (context.Context, func() []string) {
	var (
		mu    sync.Mutex
		lines []string
	)
	logger := funcr.New(func(prefix, args string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, args)
	}, funcr.Options{Verbosity: verbosity})
	return klog.NewContext(context.Background(), logger), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return lines
	}
}

func answer(status string, headers http.Header) http.RoundTripper {
	return roundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{Status: status, Header: headers, Body: http.NoBody}, nil
	})
}

// headersOf finds the headers in a line, which are logged as a map: in any order.
var headersOf = regexp.MustCompile(`"headers"=\{(.*)\}`)

func inOrder(line string) string {
	return headersOf.ReplaceAllStringFunc(line, func(found string) string {
		headers := strings.SplitAfter(headersOf.FindStringSubmatch(found)[1], `"]`)
		for i := range headers {
			headers[i] = strings.TrimSpace(headers[i])
		}
		slices.Sort(headers)
		return `"headers"={` + strings.TrimSpace(strings.Join(headers, " ")) + `}`
	})
}

// withoutTimes makes all that took some milliseconds take 0, and sorts headers.
func withoutTimes(lines []string) (out []string) {
	for _, line := range lines {
		fields := strings.Split(line, " ")
		for i, field := range fields {
			if name, _, ok := strings.Cut(field, "illiseconds\"="); ok {
				fields[i] = name + `illiseconds"=0`
			}
		}
		out = append(out, inOrder(strings.Join(fields, " ")))
	}
	return out
}

func TestWhatIsLoggedDependsOnTheLevel(t *testing.T) {
	tests := map[string]struct {
		levels []transport.DebugLevel
		want   []string
	}{
		"none": {nil, nil},
		"URL": {[]transport.DebugLevel{transport.DebugJustURL}, []string{
			`"level"=0 "msg"="Request" "verb"="POST" "url"="http://user:xxxxx@server.test/path?q=1"`,
		}},
		"timing": {[]transport.DebugLevel{transport.DebugURLTiming}, []string{
			`"level"=0 "msg"="Response" "verb"="POST" "url"="http://user:xxxxx@server.test/path?q=1" "status"="200 OK" "milliseconds"=0`,
		}},
		"curl": {[]transport.DebugLevel{transport.DebugCurlCommand}, []string{
			`"level"=0 "msg"="Request" "curlCommand"="curl -v -XPOST -H 'Accept: it'\\''s $HOME' -H 'Authorization: Bearer <masked>' 'http://user:xxxxx@server.test/path?q=1'\n"`,
		}},
		"request": {[]transport.DebugLevel{transport.DebugRequestHeaders}, []string{
			`"level"=0 "msg"="Request" "headers"={"Accept"=["it's $HOME"] "Authorization"=["Bearer <masked>"]}`,
		}},
		"status": {[]transport.DebugLevel{transport.DebugResponseStatus}, []string{
			`"level"=0 "msg"="Response" "status"="200 OK" "milliseconds"=0`,
		}},
		"response": {[]transport.DebugLevel{transport.DebugResponseHeaders}, []string{
			`"level"=0 "msg"="Response" "headers"={"Set-Cookie"=["<masked>"] "X"=["a" "b"]}`,
		}},
		"detailed": {[]transport.DebugLevel{transport.DebugDetailedTiming}, []string{
			`"level"=0 "msg"="Response" "milliseconds"=0 "dnsLookupMilliseconds"=0 "dialMilliseconds"=0 "tlsHandshakeMilliseconds"=0`,
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rt := transport.NewDebuggingRoundTripper(
				answer("200 OK", http.Header{"X": {"a", "b"}, "Set-Cookie": {"secret"}}), test.levels...)
			ctx, lines := logged(0)
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://user:secret@server.test/path?q=1", nil)
			req.Header = http.Header{"Authorization": {"Bearer secret"}, "Accept": {"it's $HOME"}}
			if _, err := rt.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, withoutTimes(lines())); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerbosityOfTheContextDecides(t *testing.T) {
	for verbosity, want := range map[int][]string{
		5:  nil,
		6:  {"Response verb url status milliseconds"},
		7:  {"Request verb url headers", "Response status milliseconds"},
		8:  {"Request verb url headers", "Response status headers milliseconds"},
		9:  {"Request curlCommand", "Response verb url status headers milliseconds dnsLookupMilliseconds dialMilliseconds tlsHandshakeMilliseconds"},
		10: {"Request curlCommand", "Response verb url status headers milliseconds dnsLookupMilliseconds dialMilliseconds tlsHandshakeMilliseconds"},
	} {
		rt := transport.NewDebuggingRoundTripper(answer("200 OK", nil), transport.DebugByContext)
		ctx, lines := logged(verbosity)
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://server.test/", nil)
		if _, err := rt.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range lines() {
			got = append(got, names(line))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("verbosity %d (-want +got):\n%s", verbosity, diff)
		}
	}
}

var fieldName = regexp.MustCompile(`"(\w+)"=`)

// names returns the message of a line and the names of its fields.
func names(line string) string {
	message, _, _ := strings.Cut(strings.TrimPrefix(line, `"level"=0 "msg"="`), `"`)
	found := []string{message}
	for _, field := range fieldName.FindAllStringSubmatch(line, -1)[2:] {
		found = append(found, field[1])
	}
	return strings.Join(found, " ")
}

func TestFailedRequestIsLogged(t *testing.T) {
	failing := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("boom") })
	ctx, lines := logged(8)
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://server.test/", nil)
	rt := transport.NewDebuggingRoundTripper(failing, transport.DebugURLTiming, transport.DebugResponseHeaders)
	if _, err := rt.RoundTrip(req); err == nil || err.Error() != "boom" {
		t.Errorf("the error is %v", err)
	}
	want := []string{`"level"=0 "msg"="Response" "verb"="GET" "url"="http://server.test/" "status"="" "headers"={} "milliseconds"=0`}
	if diff := cmp.Diff(want, withoutTimes(lines())); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestCredentialsAreMasked(t *testing.T) {
	for value, want := range map[string]string{
		"Bearer secret":        "Bearer <masked>",
		"basic secret":         "basic <masked>",
		"Negotiate a b c":      "Negotiate <masked>",
		"secret":               "<masked>",
		"secret with spaces":   "<masked>",
		"Bearer":               "Bearer",
		"":                     "",
		"AWS4 Credential=1234": "<masked>",
	} {
		for _, name := range []string{"Authorization", "Proxy-Authorization"} {
			ctx, lines := logged(0)
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://server.test/", nil)
			req.Header.Set(name, value)
			rt := transport.NewDebuggingRoundTripper(answer("", nil), transport.DebugRequestHeaders)
			if _, err := rt.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(lines(), ""); !strings.HasSuffix(got, `{"`+name+`"=["`+want+`"]}`) {
				t.Errorf("%s: %s is logged as %s", name, value, got)
			}
		}
	}
}

func TestStepsOfAConnectionAreTimedOnce(t *testing.T) {
	ca := newAuthority(t, "ca")
	s := newServer(t, ca)
	inner := newTransport(t, &transport.Config{
		TLS:        transport.TLSConfig{CAData: ca.pem},
		DialHolder: &transport.DialHolder{Dial: new(net.Dialer).DialContext},
	})
	rt := transport.NewDebuggingRoundTripper(inner, transport.DebugDetailedTiming)
	for i, want := range []string{"tlsHandshakeMilliseconds", "getConnectionMilliseconds"} {
		ctx, lines := logged(0)
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		all := strings.Join(lines(), "\n")
		if !strings.Contains(all, want) {
			t.Errorf("request %d: no %s in\n%s", i, want, all)
		}
		if dialed := strings.Contains(all, "HTTP Trace: Dial succeed"); dialed != (i == 0) {
			t.Errorf("request %d: dialed is %v in\n%s", i, dialed, all)
		}
	}
}

func TestNothingIsWrappedAtLowVerbosity(t *testing.T) {
	var flags flag.FlagSet
	klog.InitFlags(&flags)
	defer flags.Set("v", flags.Lookup("v").Value.String())
	for verbosity, wrapped := range map[string]bool{"5": false, "6": true} {
		if err := flags.Set("v", verbosity); err != nil {
			t.Fatal(err)
		}
		if got := transport.DebugWrappers(http.DefaultTransport) != http.DefaultTransport; got != wrapped {
			t.Errorf("verbosity %s: wrapped is %v, want %v", verbosity, got, wrapped)
		}
	}
}

// Where the log is text, as on the terminal of who runs kubectl -v=9, a command can be
// copied, and each header has a line.
func TestTextsHaveLinesOfTheirOwn(t *testing.T) {
	var out strings.Builder
	logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&out)))
	req, _ := http.NewRequestWithContext(klog.NewContext(t.Context(), logger), http.MethodGet, "http://server.test/", nil)
	req.Header.Set("Accept", "x")
	rt := transport.NewDebuggingRoundTripper(answer("200 OK", http.Header{"A": {"1", "2"}}), transport.DebugCurlCommand, transport.DebugResponseHeaders)
	if _, err := rt.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"curlCommand=<\n\tcurl -v -XGET -H 'Accept: x' 'http://server.test/'\n >", "headers=<\n\tA: 1\n\tA: 2\n >"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}
