package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/flowcontrol"
)

// failing answers with fail until it was called n times, and then with a pod.
func failing(n int, fail func() (*http.Response, error), calls *int) roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return nil, err
			}
			req.Body.Close()
		}
		if *calls++; *calls <= n {
			return fail()
		}
		return answer(200, "application/json", podJSON), nil
	}
}

func status(code int, retryAfter string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		return answer(code, "text/plain", "later", "Retry-After", retryAfter), nil
	}
}

func TestRequestIsSentAgainWhereThatMakesSense(t *testing.T) {
	lost := func() (*http.Response, error) { return nil, io.EOF }
	reset := func() (*http.Response, error) { return nil, syscall.ECONNRESET }
	refused := func() (*http.Response, error) { return nil, syscall.ECONNREFUSED }
	data, reader, memory := []byte("b"), io.MultiReader(strings.NewReader("r")), strings.NewReader("s")
	seeker := closableSeeker{strings.NewReader("s")}
	for name, tc := range map[string]struct {
		verb  string
		body  any
		fail  func() (*http.Response, error)
		times int
		calls int
		took  time.Duration
		ok    bool
	}{
		"429":                      {"GET", nil, status(429, "2"), 1, 2, 2 * time.Second, true},
		"503":                      {"GET", nil, status(503, "3"), 2, 3, 6 * time.Second, true},
		"at once":                  {"GET", nil, status(500, "0"), 1, 2, 0, true},
		"negative":                 {"GET", nil, status(429, "-5"), 1, 2, 0, true},
		"a date":                   {"GET", nil, status(429, "Wed, 21 Oct 2015 07:28:00 GMT"), 1, 1, 0, false},
		"no header":                {"GET", nil, status(503, ""), 1, 1, 0, false},
		"not overloaded":           {"GET", nil, status(404, "1"), 1, 1, 0, false},
		"bytes":                    {"POST", data, status(429, "1"), 2, 3, 2 * time.Second, true},
		"what is in memory":        {"POST", memory, status(429, "1"), 2, 3, 2 * time.Second, true},
		"what can seek":            {"POST", seeker, status(429, "1"), 2, 3, 2 * time.Second, true},
		"what cannot":              {"POST", reader, status(429, "1"), 1, 1, 0, false},
		"too often":                {"GET", nil, status(429, "1"), 100, 11, 10 * time.Second, false},
		"GET, connection lost":     {"GET", nil, lost, 2, 3, 300 * time.Millisecond, true},
		"GET, connection reset":    {"GET", nil, reset, 1, 2, 100 * time.Millisecond, true},
		"GET, nobody there":        {"GET", nil, refused, 1, 1, 0, false},
		"POST, connection lost":    {"POST", data, lost, 1, 1, 0, false},
		"DELETE, connection lost":  {"DELETE", nil, lost, 1, 1, 0, false},
		"GET, server that is gone": {"GET", nil, lost, 100, 11, 11100 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				r := clientTo(t, failing(tc.times, tc.fail, &calls)).Verb(tc.verb)
				if tc.body != nil {
					r.Body(tc.body)
				}
				start := time.Now()
				_, err := r.DoRaw(background)
				if (err == nil) != tc.ok || calls != tc.calls || time.Since(start) != tc.took {
					t.Errorf("sent %d times within %v, error %v; want %d times within %v", calls, time.Since(start), err, tc.calls, tc.took)
				}
			})
		})
	}
}

func TestMaxRetriesIsTheLimit(t *testing.T) {
	for limit, want := range map[int]int{0: 1, -1: 1, 2: 3} {
		calls := 0
		client := clientTo(t, failing(100, status(429, "0"), &calls))
		for name, send := range map[string]func(*Request) error{
			"Do":     func(r *Request) error { return r.Do(background).Error() },
			"DoRaw":  func(r *Request) error { _, err := r.DoRaw(background); return err },
			"Stream": func(r *Request) error { _, err := r.Stream(background); return err },
			"Watch":  func(r *Request) error { _, err := r.Watch(background); return err },
		} {
			calls = 0
			if err := send(client.Get().MaxRetries(limit)); err == nil || calls != want {
				t.Errorf("%s with at most %d retries: sent %d times, error %v", name, limit, calls, err)
			}
		}
	}
}

func TestBodyIsWholeInEachAttempt(t *testing.T) {
	for name, body := range map[string]any{"bytes": []byte("hello"), "seeker": strings.NewReader("hello"), "buffer": bytes.NewBufferString("hello"), "file": closableSeeker{strings.NewReader("hello")}} {
		var got []string
		client := clientOf(t, func(w http.ResponseWriter, req *http.Request) {
			data, err := io.ReadAll(req.Body)
			if got = append(got, string(data)); err != nil {
				t.Error(err)
			}
			if len(got) < 3 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		})
		if _, err := client.Post().Body(body).DoRaw(background); err != nil || fmt.Sprint(got) != "[hello hello hello]" {
			t.Errorf("%s: sent %q, error %v", name, got, err)
		}
	}
}

// closableSeeker cannot be read any more once it is closed.
type closableSeeker struct{ *strings.Reader }

func (c closableSeeker) Close() error {
	c.Reader.Reset("")
	return nil
}

func TestBodyThatIsStillReadIsNotSentAgain(t *testing.T) {
	calls := 0
	client := clientTo(t, func(req *http.Request) (*http.Response, error) {
		calls++ // and the body is neither read nor closed
		return status(429, "0")()
	})
	err := client.Post().Body(closableSeeker{strings.NewReader("hello")}).Do(background).Error()
	if err == nil || calls != 1 {
		t.Errorf("sent %d times, error %v", calls, err)
	}
}

func TestReaderIsClosedOnceItIsSent(t *testing.T) {
	body := &closable{Reader: strings.NewReader("hello")}
	client := clientOf(t, func(w http.ResponseWriter, req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) })
	if _, err := client.Post().Body(body).DoRaw(background); err != nil || !body.closed {
		t.Errorf("closed: %v, error %v", body.closed, err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		client := clientTo(t, failing(100, status(429, "100"), &calls))
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		start := time.Now()
		_, err := client.Get().DoRaw(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second || calls != 1 {
			t.Errorf("%d calls, %v, %v", calls, time.Since(start), err)
		}
		if !strings.Contains(err.Error(), "429") {
			t.Errorf("the error does not tell what was waited for: %v", err)
		}
	})
}

func TestNothingIsSentAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	cancel()
	client := clientTo(t, func(*http.Request) (*http.Response, error) {
		t.Error("sent")
		return nil, io.EOF
	})
	_, raw := client.Get().DoRaw(ctx)
	_, stream := client.Get().Stream(ctx)
	_, watch := client.Get().Watch(ctx)
	for _, err := range []error{raw, stream, watch, client.Get().Do(ctx).Error()} {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestAnswersBeforeTheLastOneAreClosed(t *testing.T) {
	var bodies []*closable
	client := clientTo(t, func(req *http.Request) (*http.Response, error) {
		resp := answer(429, "", "", "Retry-After", "0")
		bodies = append(bodies, &closable{Reader: strings.NewReader("later")})
		resp.Body = bodies[len(bodies)-1]
		return resp, nil
	})
	if err := client.Get().MaxRetries(3).Do(background).Error(); err == nil {
		t.Error("no error")
	}
	if len(bodies) != 4 {
		t.Errorf("%d answers", len(bodies))
	}
	for i, b := range bodies {
		if !b.closed {
			t.Errorf("the body of answer %d is still open", i)
		}
	}
}

func TestErrorTellsOfTheOneBefore(t *testing.T) {
	final := &url.Error{Op: "Get", URL: "u", Err: context.DeadlineExceeded}
	a := attempts{}
	if err := a.WrapPreviousError(final); err != error(final) {
		t.Errorf("without an attempt before: %v", err)
	}
	a.last = &url.Error{Op: "Get", URL: "u", Err: io.EOF}
	err := a.WrapPreviousError(final)
	if want := `Get "u": context deadline exceeded - error from a previous attempt: EOF`; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var u *url.Error
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || !errors.As(err, &u) || errors.Unwrap(err) != context.DeadlineExceeded {
		t.Errorf("%#v is not what the final error is", err)
	}
	a.last = errors.New("x")
	if err := a.WrapPreviousError(io.EOF); errors.Unwrap(err) != io.EOF {
		t.Errorf("%v does not wrap the final error", err)
	}
	if a.WrapPreviousError(nil) != nil {
		t.Error("there was no final error")
	}
}

func TestBackoffIsAskedBeforeAndToldAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		client := clientTo(t, failing(3, status(503, ""), &calls))
		backoff := &URLBackoff{Backoff: flowcontrol.NewBackOff(time.Second, 10*time.Second)}
		var waits []time.Duration
		for range 5 {
			start := time.Now()
			_, err := client.Get().BackOffWithContext(backoff).DoRaw(background)
			if (err == nil) != (calls > 3) {
				t.Error(err)
			}
			waits = append(waits, time.Since(start))
		}
		if want := "[0s 1s 2s 4s 0s]"; fmt.Sprint(waits) != want {
			t.Errorf("waited %v, want %s", waits, want)
		}
	})
}

func TestBackoffIsBoundToTheServer(t *testing.T) {
	backoff := &URLBackoff{Backoff: flowcontrol.NewBackOff(time.Second, time.Minute)}
	a, b := &url.URL{Host: "a", Path: "/x"}, &url.URL{Host: "b"}
	backoff.UpdateBackoff(a, nil, 500)
	backoff.UpdateBackoff(&url.URL{Host: "a", Path: "/y"}, nil, 429)
	if got := backoff.CalculateBackoff(a); got != 2*time.Second {
		t.Errorf("got %v", got)
	}
	if got := backoff.CalculateBackoff(b); got != 0 {
		t.Errorf("another server: %v", got)
	}
	backoff.UpdateBackoff(a, nil, 404)
	if got := backoff.CalculateBackoff(a); got != 0 {
		t.Errorf("after an answer: %v", got)
	}
	backoff.Disable()
	backoff.UpdateBackoff(a, nil, 500)
	if got := backoff.CalculateBackoff(a); got != 0 {
		t.Errorf("disabled: %v", got)
	}
}

func TestBackoffOfClientsComesFromTheEnvironment(t *testing.T) {
	if clientTo(t, nil).backoff != nil {
		t.Error("there is one although nobody asked for it")
	}
	t.Setenv("KUBE_CLIENT_BACKOFF_BASE", "2")
	t.Setenv("KUBE_CLIENT_BACKOFF_DURATION", "60")
	manager := clientTo(t, nil).backoff
	if manager == nil {
		t.Fatal("there is none")
	}
	u := &url.URL{Host: "a"}
	manager.UpdateBackoffWithContext(background, u, nil, 500)
	if got := manager.CalculateBackoffWithContext(background, u); got != 2*time.Second {
		t.Errorf("got %v", got)
	}
}

func TestRequestsWaitForTheRateLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := testConfig("https://server.example")
		config.QPS, config.Burst = 2, 1
		config.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return answer(200, "", "{}"), nil })
		client := testClient(t, config)
		start := time.Now()
		for range 5 {
			if _, err := client.Get().DoRaw(background); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want 2s", took)
		}
		ctx, cancel := context.WithTimeout(background, time.Millisecond)
		defer cancel()
		if _, err := client.Get().DoRaw(ctx); err == nil || !strings.Contains(err.Error(), "client rate limiter") {
			t.Errorf("error %v", err)
		}
		if _, err := client.Get().Throttle(nil).DoRaw(ctx); err != nil {
			t.Errorf("without a limiter: %v", err)
		}
	})
}

func TestRateLimitIsFromTheConfig(t *testing.T) {
	limiter := flowcontrol.NewFakeAlwaysRateLimiter()
	for _, tc := range []struct {
		config Config
		want   float32
	}{
		{Config{}, DefaultQPS},
		{Config{QPS: 7, Burst: 1}, 7},
		{Config{QPS: -1}, 0},
		{Config{QPS: 7, RateLimiter: limiter}, 1},
	} {
		got := float32(0)
		if l := rateLimiterFor(&tc.config); l != nil {
			got = l.QPS()
		}
		if got != tc.want {
			t.Errorf("%v: %v requests a second, want %v", tc.config, got, tc.want)
		}
	}
	var none *RESTClient
	if none.GetRateLimiter() != nil {
		t.Error("no client has a rate limiter")
	}
}

func TestTimeoutEndsTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := clientTo(t, func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		start := time.Now()
		err := client.Get().Timeout(3 * time.Second).Do(background).Error()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "1", "-1", "99999999999999999999", "Wed, 21 Oct 2015 07:28:00 GMT", "1.5", " 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		seconds, told := retryAfterSeconds(&http.Response{Header: http.Header{"Retry-After": {header}}})
		if wait := time.Duration(seconds) * time.Second; wait < 0 || wait.Seconds() != float64(seconds) {
			t.Errorf("%q means %d seconds, which is %v", header, seconds, wait)
		}
		if !told && seconds != 0 {
			t.Errorf("%q means nothing and %d", header, seconds)
		}
	})
}
