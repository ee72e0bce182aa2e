package rest

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/client-go/tools/metrics"
	"k8s.io/klog/v2"
)

// What is reported of requests: to package metrics, and to the log. Where a metric discards
// what it gets, nothing is computed for it.

// noAnswer is the code of attempts without an answer.
const noAnswer = "<error>"

func observeResult(ctx context.Context, verb, host string, code, attempt int) {
	result, retry := metrics.RequestResult, metrics.RequestRetry
	if attempt == 1 && metrics.Discards(result) {
		return
	}
	text := noAnswer
	if code != 0 {
		text = strconv.Itoa(code)
	}
	result.Increment(ctx, text, verb, host)
	if attempt > 1 {
		retry.IncrementRetry(ctx, text, verb, host)
	}
}

func (r *Request) observeLatency(ctx context.Context, start time.Time) {
	if m := metrics.RequestLatency; !metrics.Discards(m) {
		m.Observe(ctx, r.verb, r.urlPattern(), time.Since(start))
	}
}

func (r *Request) observeThrottling(ctx context.Context, waited time.Duration) {
	if m := metrics.RateLimiterLatency; !metrics.Discards(m) {
		m.Observe(ctx, r.verb, r.urlPattern(), waited)
	}
}

func observeRequestSize(ctx context.Context, verb, host string, size int64) {
	if size >= 0 { // it is not known for readers
		metrics.RequestSize.Observe(ctx, verb, host, float64(size))
	}
}

func observeResponseSize(ctx context.Context, verb, host string, size int) {
	metrics.ResponseSize.Observe(ctx, verb, host, float64(size))
}

// traceResolver returns a context that makes look-ups of addresses be reported.
func traceResolver(ctx context.Context) context.Context {
	m := metrics.ResolverLatency
	if metrics.Discards(m) {
		return ctx
	}
	var host string
	var start time.Time
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(info httptrace.DNSStartInfo) { host, start = info.Host, time.Now() },
		DNSDone:  func(httptrace.DNSDoneInfo) { m.Observe(ctx, host, time.Since(start)) },
	})
}

// urlPattern returns the URL with placeholders for what makes each request different:
// names, namespaces and the values of parameters. Paths that are no resources are cut short.
func (r *Request) urlPattern() url.URL {
	u := *r.URL()
	below := strings.TrimPrefix(u.Path, r.c.base.Path)
	pattern, known := pathPattern(strings.Split(strings.Trim(below, "/"), "/"))
	if known {
		u.Path = r.c.base.Path + pattern
	} else {
		u.Path = "/{prefix}"
	}
	if len(r.params) == 0 && r.timeout == 0 {
		return u
	}
	pairs := strings.Split(u.RawQuery, "&")
	kept := pairs[:0]
	last := ""
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case name == "timeout":
			kept = append(kept, name+"="+value) // there are few of them
		case name != last:
			kept = append(kept, name+"="+"%7Bvalue%7D")
		}
		last = name
	}
	u.RawQuery = strings.Join(kept, "&")
	return u
}

// pathPattern returns the pattern of a path below the server's own, and whether it is of
// a known form: /api/VERSION/… or /apis/GROUP/VERSION/…, or a single segment.
func pathPattern(segments []string) (string, bool) {
	root := 0 // how many segments name the API
	switch {
	case segments[0] == "api":
		root = 2
	case segments[0] == "apis":
		root = 3
	default:
		return segments[0], len(segments) == 1
	}
	if len(segments) <= root {
		return strings.Join(segments, "/"), true
	}
	out := append(make([]string, 0, len(segments)), segments[:root]...)
	rest := segments[root:]
	if rest[0] == "namespaces" && len(rest) > 2 && !namespaceSubresource(rest[2]) {
		out = append(out, "namespaces", "{namespace}")
		rest = rest[2:]
	}
	out = append(out, rest[0])
	if len(rest) > 1 {
		out = append(out, "{name}")
	}
	if len(rest) > 2 {
		out = append(out, rest[2])
	}
	if len(rest) > 3 {
		out = append(out, "{suffix}")
	}
	return strings.Join(out, "/"), true
}

// namespaceSubresource tells /namespaces/NAME/status from /namespaces/NAME/pods.
func namespaceSubresource(segment string) bool {
	return segment == "status" || segment == "finalize"
}

// logBody logs a body, more of it the higher the verbosity is. The line names whoever sent
// the request, to whom a line of this package says nothing.
func logBody(ctx context.Context, what string, data []byte) {
	logger := klog.FromContext(ctx).V(8)
	if !logger.Enabled() {
		return
	}
	limit := 1024
	switch {
	case logger.V(2).Enabled():
		limit = len(data)
	case logger.V(1).Enabled():
		limit = 10240
	}
	more := ""
	if len(data) > limit {
		more = fmt.Sprintf(" [truncated %d chars]", len(data)-limit)
		data = data[:limit]
	}
	text := string(data)
	if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) && more == "" {
		text = "\n" + hex.Dump(data)
	}
	logger.WithCallDepth(depth()).Info(what, "body", text+more)
}

// depth returns how far above its caller the one is that called a method of Request.
func depth() int {
	var counters [16]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters[:])])
	self, more := frames.Next()
	methods := strings.TrimSuffix(self.Function, "logBody") + "(*Request)."
	n := 0
	for more {
		var frame runtime.Frame
		frame, more = frames.Next()
		if n++; !strings.HasPrefix(frame.Function, methods) {
			break
		}
	}
	return n
}
