package transport

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/klog/v2"
)

// A DebugLevel is something that can be logged about requests.
type DebugLevel int

const (
	// DebugJustURL is the method and the URL, before the request is sent.
	DebugJustURL DebugLevel = iota
	// DebugURLTiming is the method, the URL, the status and how long it took
	// to get it, in milliseconds.
	DebugURLTiming
	// DebugCurlCommand is a command line that makes the same request, but for
	// secrets and the body.
	DebugCurlCommand
	// DebugRequestHeaders are the headers of the request, with secrets masked.
	DebugRequestHeaders
	// DebugResponseStatus is the status and how long it took to get it.
	DebugResponseStatus
	// DebugResponseHeaders are the headers of the response, with secrets masked.
	DebugResponseHeaders
	// DebugDetailedTiming is how long each step took, in milliseconds: the
	// look-up of the name, the connection, the TLS handshake, and the server.
	DebugDetailedTiming
	// DebugByContext is what the logger in the context of a request asks for:
	// from verbosity 6 on the timing, from 7 on also the request's headers,
	// from 8 on also the response's, and from 9 on everything.
	DebugByContext

	numDebugLevels
)

// A debugSet has one bit for each DebugLevel.
type debugSet uint

func (s debugSet) has(level DebugLevel) bool { return s&(1<<level) != 0 }

func debugSetOf(levels ...DebugLevel) (s debugSet) {
	for _, level := range levels {
		if level >= 0 && level < numDebugLevels {
			s |= 1 << level
		}
	}
	return s
}

// byVerbosity are the sets for klog's verbosities from 6 on.
var byVerbosity = [...]debugSet{
	debugSetOf(DebugURLTiming),
	debugSetOf(DebugJustURL, DebugRequestHeaders, DebugResponseStatus),
	debugSetOf(DebugJustURL, DebugRequestHeaders, DebugResponseStatus, DebugResponseHeaders),
	debugSetOf(DebugCurlCommand, DebugURLTiming, DebugDetailedTiming, DebugResponseHeaders),
}

const leastVerbosity = 6

// DebugWrappers returns a round tripper that logs requests as the logger in
// their context asks for, see DebugByContext. If klog's verbosity is less than
// 6, when it is called, the result is rt itself.
func DebugWrappers(rt http.RoundTripper) http.RoundTripper {
	if !klog.V(leastVerbosity).Enabled() {
		return rt
	}
	return NewDebuggingRoundTripper(rt, DebugByContext)
}

// NewDebuggingRoundTripper returns a round tripper that sends requests through
// rt and logs what levels say. Whatever the levels, credentials in headers and
// passwords in URLs are masked.
func NewDebuggingRoundTripper(rt http.RoundTripper, levels ...DebugLevel) http.RoundTripper {
	return &debugging{inner: rt, levels: debugSetOf(levels...)}
}

type debugging struct {
	inner  http.RoundTripper
	levels debugSet
}

var _ utilnet.RoundTripperWrapper = &debugging{}

func (rt *debugging) WrappedRoundTripper() http.RoundTripper { return rt.inner }

func (rt *debugging) RoundTrip(req *http.Request) (*http.Response, error) {
	logger := klog.FromContext(req.Context())
	levels := rt.levels
	if levels.has(DebugByContext) {
		levels &^= debugSetOf(DebugByContext)
		for i := len(byVerbosity) - 1; i >= 0; i-- {
			if logger.V(leastVerbosity + i).Enabled() {
				levels |= byVerbosity[i]
				break
			}
		}
	}
	if levels == 0 {
		return rt.inner.RoundTrip(req)
	}
	if before := requestFields(req, levels); len(before) > 0 {
		logger.Info("Request", before...)
	}
	var steps *stepTimes
	start := time.Now()
	if levels.has(DebugDetailedTiming) {
		steps = &stepTimes{start: start, logger: logger}
		req = steps.watch(req)
	}
	resp, err := rt.inner.RoundTrip(req)
	if after := responseFields(req, resp, levels, time.Since(start), steps); len(after) > 0 {
		logger.Info("Response", after...)
	}
	return resp, err
}

func requestFields(req *http.Request, levels debugSet) (fields []any) {
	if levels.has(DebugJustURL) {
		fields = append(fields, "verb", req.Method, "url", req.URL.Redacted())
	}
	if levels.has(DebugCurlCommand) {
		fields = append(fields, "curlCommand", curlCommand(req))
	}
	if levels.has(DebugRequestHeaders) {
		fields = append(fields, "headers", loggedHeaders(req.Header))
	}
	return fields
}

func responseFields(req *http.Request, resp *http.Response, levels debugSet, took time.Duration, steps *stepTimes) (fields []any) {
	var status string
	var headers http.Header
	if resp != nil { // there is none if the request failed
		status, headers = resp.Status, resp.Header
	}
	timing := levels.has(DebugURLTiming)
	if timing {
		fields = append(fields, "verb", req.Method, "url", req.URL.Redacted())
	}
	if timing || levels.has(DebugResponseStatus) {
		fields = append(fields, "status", status)
	}
	if levels.has(DebugResponseHeaders) {
		fields = append(fields, "headers", loggedHeaders(headers))
	}
	if timing || levels.has(DebugResponseStatus) || steps != nil {
		fields = append(fields, "milliseconds", took.Milliseconds())
	}
	if steps != nil {
		fields = append(fields, steps.fields()...)
	}
	return fields
}

// loggedHeaders are headers as they are logged, without secrets: as lines in a text,
// and with their structure where the log has one.
type loggedHeaders http.Header

// String returns one value a line.
func (h loggedHeaders) String() string {
	var lines strings.Builder
	eachHeader(http.Header(h), func(name, value string) {
		fmt.Fprintf(&lines, "%s: %s\n", name, value)
	})
	return lines.String()
}

// MarshalLog returns the values by name.
func (h loggedHeaders) MarshalLog() any {
	values := make(map[string][]string, len(h))
	eachHeader(http.Header(h), func(name, value string) { values[name] = append(values[name], value) })
	return values
}

// eachHeader calls f for each value, in the order of the names, with secrets
// masked.
func eachHeader(headers http.Header, f func(name, value string)) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[name] {
			f(name, maskHeader(name, value))
		}
	}
}

const mask = "<masked>"

// maskHeader hides what gives access. The scheme of credentials is no secret,
// and it often is what one is looking for; but only where it surely is one.
func maskHeader(name, value string) string {
	switch strings.ToLower(name) {
	case "cookie", "set-cookie":
		return mask
	case "authorization", "proxy-authorization":
	default:
		return value
	}
	if value == "" {
		return value
	}
	scheme, _, more := strings.Cut(value, " ")
	switch strings.ToLower(scheme) {
	case "basic", "bearer", "negotiate":
		if more {
			return scheme + " " + mask
		}
		return scheme
	}
	return mask
}

// curlCommand returns a command line for a POSIX shell. It ends the line, so that a
// log that is text has it on one of its own, without quotes around it.
func curlCommand(req *http.Request) string {
	var command strings.Builder
	command.WriteString("curl -v -X" + req.Method)
	eachHeader(req.Header, func(name, value string) {
		command.WriteString(" -H " + shellQuote(name+": "+value))
	})
	command.WriteString(" " + shellQuote(req.URL.Redacted()) + "\n")
	return command.String()
}

func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
