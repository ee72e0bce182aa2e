package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const added = `{"type":"ADDED","object":` + podJSON + "}\n"

// noLeaks fails the test if it leaves goroutines behind. It must be called first, so that it looks last.
func noLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func next(t *testing.T, w watch.Interface) (watch.Event, bool) {
	t.Helper()
	select {
	case event, ok := <-w.ResultChan():
		return event, ok
	case <-time.After(30 * time.Second):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}

// nextEvent is next without a channel.
func nextEvent(_ *testing.T, w watch.Interface) (watch.Event, bool) {
	return w.(interface{ NextEvent() (watch.Event, bool) }).NextEvent()
}

func TestEventsAreTheSameWithoutAChannel(t *testing.T) {
	for name, body := range map[string]string{
		"none":            "",
		"two":             added + added,
		"cut":             added + added[:20],
		"no event":        added + "[]" + added,
		"of no type":      `{"type":"NEW","object":` + podJSON + "}",
		"no object":       `{"type":"ADDED","object":{"kind":1}}` + added,
		"an error inside": added + `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":410}}`,
	} {
		all := func(next func(*testing.T, watch.Interface) (watch.Event, bool)) (events []watch.Event) {
			w, err := clientOf(t, sending(body)).Get().Watch(background)
			if err != nil {
				t.Fatal(err)
			}
			for event, ok := next(t, w); ok; event, ok = next(t, w) {
				events = append(events, event)
			}
			return events
		}
		if got, want := all(nextEvent), all(next); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// sending sends text, and that was it.
func sending(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

// keptOpen sends first, and then nothing until the client is gone.
func keptOpen(first string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, first)
		w.(http.Flusher).Flush()
		<-req.Context().Done()
	}
}

func TestWatchEndsWithoutLeaks(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		end     func(w watch.Interface, cancel func())
	}{
		"by the context":      {keptOpen(added), func(_ watch.Interface, cancel func()) { cancel() }},
		"by Stop":             {keptOpen(added), func(w watch.Interface, _ func()) { w.Stop() }},
		"by Stop twice":       {keptOpen(added), func(w watch.Interface, _ func()) { w.Stop(); w.Stop() }},
		"by the server":       {sending(added), nil},
		"in the middle":       {sending(added + added[:20]), nil},
		"with unread events":  {keptOpen(strings.Repeat(added, 100)), func(w watch.Interface, _ func()) { w.Stop() }},
		"cancel, unread ones": {keptOpen(strings.Repeat(added, 100)), func(_ watch.Interface, cancel func()) { cancel() }},
	} {
		for how, next := range map[string]func(*testing.T, watch.Interface) (watch.Event, bool){"channel": next, "NextEvent": nextEvent} {
			t.Run(name+", "+how, func(t *testing.T) {
				noLeaks(t)
				client := clientOf(t, tc.handler)
				ctx, cancel := context.WithCancel(background)
				defer cancel()
				w, err := client.Get().Watch(ctx)
				if err != nil {
					t.Fatal(err)
				}
				event, ok := next(t, w)
				if pod, is := event.Object.(*corev1.Pod); !ok || event.Type != watch.Added || !is || pod.Name != "web" {
					t.Errorf("got %v", event)
				}
				if tc.end != nil {
					tc.end(w, cancel)
				}
				for ok {
					if event, ok = next(t, w); ok && event.Type == watch.Error {
						t.Errorf("got %v", event)
					}
				}
			})
		}
	}
}

func TestWatchNobodyReadsEndsWithTheContext(t *testing.T) {
	noLeaks(t)
	client := clientOf(t, keptOpen(strings.Repeat(added, 100)))
	ctx, cancel := context.WithCancel(background)
	w, err := client.Get().Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	next(t, w)
	cancel() // and neither Stop, nor anybody who reads
}

func TestWhatCannotBeDecodedIsAnErrorEvent(t *testing.T) {
	for name, tc := range map[string]struct{ stream, want string }{
		"no JSON":        {"garbage", "must be a JSON object"},
		"no event":       {`{"a":1}`, "invalid watch event type"},
		"unknown type":   {`{"type":"FOO","object":` + podJSON + `}`, "got invalid watch event type: FOO"},
		"no kind":        {`{"type":"ADDED","object":{"a":1}}`, "Object 'Kind' is missing"},
		"unknown kind":   {`{"type":"ADDED","object":{"kind":"Nope","apiVersion":"v1"}}`, "is registered for version"},
		"no object":      {`{"type":"ADDED"}`, "unable to decode watch event"},
		"broken JSON":    {`{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{x}}}`, "unable to decode watch event"},
		"broken framing": {`{"type":"ADDED" "object":{}}`, "not a watch event"},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			client := clientOf(t, sending(added+tc.stream+added))
			w, err := client.Get().Watch(background)
			if err != nil {
				t.Fatal(err)
			}
			if event, _ := next(t, w); event.Type != watch.Added {
				t.Errorf("got %v", event)
			}
			event, _ := next(t, w)
			if event.Type != watch.Error {
				t.Fatalf("got %v", event)
			}
			err = apierrors.FromObject(event.Object)
			if status, is := event.Object.(*metav1.Status); !is || status.Code != 500 || !apierrors.HasStatusCause(err, "ClientWatchDecoding") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", event.Object, tc.want)
			}
			if event, ok := next(t, w); ok {
				t.Errorf("the watch goes on with %v", event)
			}
		})
	}
}

func TestWatchOfAServerThatIsAwayEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		client := clientTo(t, func(*http.Request) (*http.Response, error) { calls++; return nil, io.EOF })
		w, err := client.Get().MaxRetries(2).Watch(background)
		if err != nil || calls != 3 {
			t.Fatal(calls, err)
		}
		if event, ok := <-w.ResultChan(); ok {
			t.Errorf("got %v", event)
		}
	})
}

func TestWatchNeedsAStreamOfEvents(t *testing.T) {
	for name, tc := range map[string]struct {
		code              int
		contentType, want string
	}{
		"created":        {201, "application/json", "got status: 201"},
		"nothing":        {204, "application/json", "got status: 204"},
		"unknown format": {200, "application/x-foo", "no stream serializers registered"},
	} {
		var last *closable
		client := clientTo(t, func(*http.Request) (*http.Response, error) {
			resp := answer(tc.code, tc.contentType, "")
			last = &closable{Reader: resp.Body}
			resp.Body = last
			return resp, nil
		})
		if _, err := client.Get().Watch(background); err == nil || !strings.Contains(err.Error(), tc.want) || !last.closed {
			t.Errorf("%s: %v, body closed: %v", name, err, last.closed)
		}
	}
}

func TestWatchErrorShowsNoPassword(t *testing.T) {
	config := testConfig("https://user:" + secret + "@server.example")
	config.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return answer(201, "", ""), nil })
	if _, err := testClient(t, config).Get().Watch(background); err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
}

func TestStreamIsOpenUntilItIsClosed(t *testing.T) {
	noLeaks(t)
	client := clientOf(t, keptOpen("line\n"))
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	stream, err := client.Get().Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 5)
	if _, err := io.ReadFull(stream, line); err != nil || string(line) != "line\n" {
		t.Errorf("%q, %v", line, err)
	}
	cancel()
	if _, err := stream.Read(line); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context: %v", err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}
