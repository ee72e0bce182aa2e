package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"k8s.io/client-go/tools/metrics"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
)

// recorder keeps all that is reported.
type recorder struct{ got []string }

func (r *recorder) add(parts ...any) {
	r.got = append(r.got, strings.TrimSpace(fmt.Sprintln(parts...)))
}

type (
	latencies struct {
		*recorder
		name string
	}
	sizes struct {
		*recorder
		name string
	}
)

func (m latencies) Observe(_ context.Context, verb string, u url.URL, _ time.Duration) {
	m.add(m.name, verb, u.Path, u.RawQuery)
}
func (m sizes) Observe(_ context.Context, verb, host string, size float64) {
	m.add(m.name, verb, host, size)
}
func (r *recorder) Increment(_ context.Context, code, verb, host string) {
	r.add("result", code, verb, host)
}
func (r *recorder) IncrementRetry(_ context.Context, code, verb, host string) {
	r.add("retry", code, verb, host)
}

// record makes metrics go to the recorder for the time of the test.
func record(t *testing.T) *recorder {
	r := &recorder{}
	replace(t, &metrics.RequestLatency, metrics.LatencyMetric(latencies{r, "latency"}))
	replace(t, &metrics.RateLimiterLatency, metrics.LatencyMetric(latencies{r, "limiter"}))
	replace(t, &metrics.RequestSize, metrics.SizeMetric(sizes{r, "request"}))
	replace(t, &metrics.ResponseSize, metrics.SizeMetric(sizes{r, "response"}))
	replace(t, &metrics.RequestResult, metrics.ResultMetric(r))
	replace(t, &metrics.RequestRetry, metrics.RetryMetric(r))
	return r
}

func replace[M any](t *testing.T, where *M, with M) {
	before := *where
	*where = with
	t.Cleanup(func() { *where = before })
}

func TestRequestsAreMeasured(t *testing.T) {
	r := record(t)
	calls := 0
	client := clientTo(t, failing(1, status(429, "0"), &calls))
	limiter := flowcontrol.NewFakeAlwaysRateLimiter()
	send := func() *Request {
		return client.Post().Namespace("default").Resource("pods").Param("dryRun", "All").Throttle(limiter).Body([]byte("12345"))
	}
	const path = "/base/api/v1/namespaces/{namespace}/pods"
	for name, tc := range map[string]struct {
		send func() error
		want []string
	}{
		"Do": {func() error { return send().Do(background).Error() }, []string{
			"limiter POST " + path + " dryRun=%7Bvalue%7D",
			"request POST server.example 5", "result 429 POST server.example",
			"limiter POST " + path + " dryRun=%7Bvalue%7D",
			"request POST server.example 5", "result 200 POST server.example", "retry 200 POST server.example",
			fmt.Sprint("response POST server.example ", len(podJSON)),
			"latency POST " + path + " dryRun=%7Bvalue%7D",
		}},
		"Watch": {func() error { _, err := client.Get().Resource("pods").Watch(background); return err }, []string{
			"result 429 GET server.example", "result 200 GET server.example", "retry 200 GET server.example",
		}},
	} {
		calls, r.got = 0, nil
		if err := tc.send(); err != nil {
			t.Error(name, err)
		}
		if got, want := strings.Join(r.got, "\n"), strings.Join(tc.want, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	r.got = nil
	refused := clientTo(t, func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("refused") })
	if _, err := refused.Get().DoRaw(background); err == nil || r.got[1] != "result <error> GET server.example" {
		t.Errorf("got %q, error %v", r.got, err)
	}
}

func TestMeasuredURLsAreFew(t *testing.T) {
	client := clientTo(t, nil)
	for uri, want := range map[string]string{
		"/":                                "/base/",
		"/version":                         "/base/version",
		"/healthz/etcd":                    "/{prefix}",
		"/api/v1":                          "/base/api/v1",
		"/api/v1/nodes":                    "/base/api/v1/nodes",
		"/api/v1/nodes/n1":                 "/base/api/v1/nodes/{name}",
		"/api/v1/nodes/n1/proxy/a/b":       "/base/api/v1/nodes/{name}/proxy/{suffix}",
		"/api/v1/namespaces":               "/base/api/v1/namespaces",
		"/api/v1/namespaces/n":             "/base/api/v1/namespaces/{name}",
		"/api/v1/namespaces/n/finalize":    "/base/api/v1/namespaces/{name}/finalize",
		"/api/v1/namespaces/n/pods":        "/base/api/v1/namespaces/{namespace}/pods",
		"/api/v1/namespaces/n/pods/p/log":  "/base/api/v1/namespaces/{namespace}/pods/{name}/log",
		"/apis/apps/v1/namespaces/n/a/b":   "/base/apis/apps/v1/namespaces/{namespace}/a/{name}",
		"/apis/g/v1/foos/bar/status?x=1":   "/base/apis/g/v1/foos/{name}/status?x={value}",
		"/api/v1/pods?b=1&a=2&a=3&limit=5": "/base/api/v1/pods?a={value}&b={value}&limit={value}",
	} {
		got := client.Get().RequestURI(uri).urlPattern()
		text := got.Path
		if got.RawQuery != "" {
			query, err := url.QueryUnescape(got.RawQuery)
			if err != nil {
				t.Error(err)
			}
			text += "?" + query
		}
		if text != want {
			t.Errorf("%s: got %s, want %s", uri, text, want)
		}
	}
}

func TestLongWaitsAreLoggedOnceInAWhile(t *testing.T) {
	last := lastLongWait.Load()
	t.Cleanup(func() { lastLongWait.Store(last) })
	lastLongWait.Store(0)
	now := time.Unix(1e9, 0)
	for _, tc := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {time.Millisecond, false}, {longWaitsEvery - 1, false}, {longWaitsEvery, true}, {longWaitsEvery + 1, false}} {
		if got := mayLog(now.Add(tc.after)); got != tc.want {
			t.Errorf("after %v: %v", tc.after, got)
		}
	}
}

func TestBodiesAreLoggedAtTheLineThatSendsThem(t *testing.T) {
	code := http.StatusOK
	client := clientTo(t, func(*http.Request) (*http.Response, error) { return answer(code, mediaJSON, "{}"), nil })
	var lines []string
	logger := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{LogCaller: funcr.All, Verbosity: 8})
	ctx := klog.NewContext(context.Background(), logger)
	post := func() *Request { return client.Post().Resource("pods").Body([]byte("ping")) }
	_, _, line, _ := runtime.Caller(0)
	for i, tc := range []struct {
		name string
		send func()
		want []string
		code int
	}{
		{"Do", func() { post().Do(ctx) }, []string{"Request Body", "Response Body"}, http.StatusOK},
		{"DoRaw", func() { post().DoRaw(ctx) }, []string{"Request Body", "Response Body"}, http.StatusOK},
		{"Stream", func() { post().Stream(ctx) }, []string{"Request Body"}, http.StatusOK},
		{"failing Stream", func() { post().Stream(ctx) }, []string{"Request Body", "Response Body"}, http.StatusNotFound},
		{"Watch", func() { post().Watch(ctx) }, []string{"Request Body"}, http.StatusOK},
		{"failing Watch", func() { post().Watch(ctx) }, []string{"Request Body", "Response Body"}, http.StatusNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lines, code = nil, tc.code
			tc.send()
			if len(lines) != len(tc.want) {
				t.Fatalf("there are %d lines, want %d: %q", len(lines), len(tc.want), lines)
			}
			for n, what := range tc.want {
				caller := fmt.Sprintf(`"file"="observe_test.go" "line"=%d}`, line+7+i)
				if !strings.Contains(lines[n], what) || !strings.Contains(lines[n], caller) {
					t.Errorf("got %s, want %s with %s", lines[n], what, caller)
				}
			}
		})
	}
}
