package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pod(name, version string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, ResourceVersion: version}}
}

// A turn is what becomes of one request for a watch: an error, or events and then
// the end.
type turn struct {
	err    error
	events []watch.Event
	lasts  bool // and no end
}

// A script is a server that answers each request for a watch with the next turn, and
// all after the last with a watch that goes on.
type script struct {
	turns    []turn
	start    time.Time
	requests []string
}

func (s *script) WatchWithContext(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	s.requests = append(s.requests, fmt.Sprintf("%s at %v", options.ResourceVersion, time.Since(s.start)))
	next := turn{lasts: true}
	if len(s.turns) > 0 {
		next, s.turns = s.turns[0], s.turns[1:]
	}
	if next.err != nil {
		return nil, next.err
	}
	fake := watch.NewFakeWithChanSize(len(next.events)+1, false)
	for _, event := range next.events {
		fake.Action(event.Type, event.Object)
	}
	if !next.lasts {
		fake.Stop()
	}
	return fake, nil
}

func status(err *apierrors.StatusError) watch.Event {
	return watch.Event{Type: watch.Error, Object: &err.ErrStatus}
}

func added(name, version string) watch.Event {
	return watch.Event{Type: watch.Added, Object: pod(name, version)}
}

// read returns the events until there are none for an hour, in words, and whether
// the channel was closed then.
func read(w watch.Interface) (events []string, closed bool) {
	for {
		select {
		case event, open := <-w.ResultChan():
			if !open {
				return events, true
			}
			switch obj := event.Object.(type) {
			case *corev1.Pod:
				events = append(events, fmt.Sprintf("%s %s@%s", event.Type, obj.Name, obj.ResourceVersion))
			case *metav1.Status:
				events = append(events, fmt.Sprintf("%s %d %s", event.Type, obj.Code, obj.Reason))
			}
		case <-time.After(time.Hour):
			return events, false
		}
	}
}

func TestRetries(t *testing.T) {
	pods := corev1.Resource("pods")
	for name, c := range map[string]struct {
		turns    []turn
		events   []string
		requests []string
		ends     bool
	}{
		"a watch that ends goes on from the last event": {
			turns:    []turn{{events: []watch.Event{added("a", "5"), added("b", "7")}}, {events: []watch.Event{{Type: watch.Deleted, Object: pod("a", "8")}}}},
			events:   []string{"ADDED a@5", "ADDED b@7", "DELETED a@8"},
			requests: []string{"1 at 0s", "7 at 1s", "8 at 2s"},
		},
		"or from the last bookmark, which is kept back": {
			turns:    []turn{{events: []watch.Event{added("a", "5"), {Type: watch.Bookmark, Object: pod("", "9")}}}},
			events:   []string{"ADDED a@5"},
			requests: []string{"1 at 0s", "9 at 1s"},
		},
		"what does not reach the server is tried again": {
			turns:    []turn{{err: io.EOF}, {err: io.ErrUnexpectedEOF}, {err: errors.New("connection refused")}},
			requests: []string{"1 at 0s", "1 at 1s", "1 at 2s", "1 at 3s"},
		},
		"so is what the server fails at": {
			turns:    []turn{{err: apierrors.NewInternalError(errors.New("x"))}, {err: apierrors.NewServiceUnavailable("x")}, {events: []watch.Event{status(apierrors.NewTimeoutError("x", 0))}}},
			requests: []string{"1 at 0s", "1 at 1s", "1 at 2s", "1 at 3s"},
		},
		"later if the server asks for that": {
			turns:    []turn{{err: apierrors.NewTooManyRequests("x", 20)}, {events: []watch.Event{status(apierrors.NewTooManyRequests("x", 30))}}},
			requests: []string{"1 at 0s", "1 at 20s", "1 at 50s"},
		},
		"an expired version is the end": {
			turns:    []turn{{events: []watch.Event{added("a", "5"), status(apierrors.NewResourceExpired("x")), added("b", "6")}}},
			events:   []string{"ADDED a@5", "ERROR 410 Expired"},
			requests: []string{"1 at 0s"},
			ends:     true,
		},
		"also at the beginning": {
			turns:    []turn{{err: apierrors.NewResourceExpired("x")}},
			events:   []string{"ERROR 410 Expired"},
			requests: []string{"1 at 0s"},
			ends:     true,
		},
		"what is forbidden is the end": {
			turns:    []turn{{err: apierrors.NewForbidden(pods, "", errors.New("x"))}},
			events:   []string{"ERROR 403 Forbidden"},
			requests: []string{"1 at 0s"},
			ends:     true,
		},
		"so is being nobody": {
			turns:    []turn{{err: apierrors.NewUnauthorized("x")}},
			events:   []string{"ERROR 401 Unauthorized"},
			requests: []string{"1 at 0s"},
			ends:     true,
		},
		"and an object without a version": {
			turns:    []turn{{events: []watch.Event{added("a", "")}}},
			events:   []string{"ERROR 500 InternalError"},
			requests: []string{"1 at 0s"},
			ends:     true,
		},
		"and one without metadata": {
			turns:    []turn{{events: []watch.Event{{Type: watch.Added, Object: &metav1.Status{}}}}},
			events:   []string{"ERROR 500 InternalError"},
			requests: []string{"1 at 0s"},
			ends:     true,
		},
		"and an unknown event": {
			turns:    []turn{{events: []watch.Event{{Type: "BENT", Object: pod("a", "5")}}}},
			events:   []string{"ERROR 500 InternalError"},
			requests: []string{"1 at 0s"},
			ends:     true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{turns: c.turns, start: time.Now()}
				w, err := toolswatch.NewRetryWatcherWithContext(t.Context(), "1", s)
				if err != nil {
					t.Fatal(err)
				}
				events, ended := read(w)
				if !slices.Equal(events, c.events) || ended != c.ends {
					t.Errorf("the events are %q, ended %t, want %q", events, ended, c.events)
				}
				w.Stop()
				w.Stop()
				<-w.Done()
				if _, open := <-w.ResultChan(); open {
					t.Error("there is an event after the end")
				}
				if !slices.Equal(s.requests, c.requests) {
					t.Errorf("the requests are %q, want %q", s.requests, c.requests)
				}
			})
		})
	}
}

func TestRetryWatcherEndsWithItsContextThoughNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := toolswatch.NewRetryWatcherWithContext(ctx, "1", &script{turns: []turn{{events: []watch.Event{added("a", "5")}}}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel()
		<-w.Done()
	})
}

func TestRetryWatcherWantsAVersionToBeginWith(t *testing.T) {
	for _, version := range []string{"", "0"} {
		_, err := toolswatch.NewRetryWatcher(version, &cache.ListWatch{})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", version)) {
			t.Errorf("version %q: got error %v", version, err)
		}
	}
}
