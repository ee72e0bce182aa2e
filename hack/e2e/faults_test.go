package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/publisher/hack/e2e/faults"
)

// throughHTTP is a proxy that answers in the server's place, and a configuration
// of the administrator that goes through it.
func throughHTTP(t *testing.T) (*faults.HTTP, *rest.Config) {
	t.Helper()
	cp := ownCluster(t)
	certificate, err := cp.ServerCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := adminConfig(t)
	proxy, err := faults.NewHTTP(cp.URL, certificate, config.CAData)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	config.Host = proxy.URL()
	return proxy, config
}

// throughTCP is a proxy that breaks connections, and a configuration of the
// administrator that goes through it.
func throughTCP(t *testing.T, url string, config *rest.Config) (*faults.TCP, *rest.Config) {
	t.Helper()
	proxy, err := faults.NewTCP(strings.TrimPrefix(url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	config.Host = "https://" + proxy.Addr()
	return proxy, config
}

func isGet(r *http.Request) bool { return r.Method == http.MethodGet }

func TestRetryAfterIsHeeded(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		proxy, config := throughHTTP(t)
		proxy.Inject(2, isGet, faults.Fault{Status: status, RetryAfter: time.Second, Body: "later"})
		start := time.Now()
		if _, err := clientset(t, config).CoreV1().ConfigMaps("default").List(deadline(t), metav1.ListOptions{}); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		if n := len(proxy.Requests()); n != 3 {
			t.Errorf("%d: %d requests, want 2 that are told to come later and 1 that is served", status, n)
		}
		if waited := time.Since(start); waited < 2*time.Second {
			t.Errorf("%d: waited %v, told to wait for 2 s", status, waited)
		}
	}
}

// TestRetriesSendTheWholeBodyAgain: what is created after a refusal is what was
// meant.
func TestRetriesSendTheWholeBodyAgain(t *testing.T) {
	t.Parallel()
	proxy, config := throughHTTP(t)
	ns := namespace(t)
	proxy.Inject(1, nil, faults.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second})
	created, err := clientset(t, config).CoreV1().ConfigMaps(ns).Create(deadline(t), configMap("one"), metav1.CreateOptions{})
	if err != nil || created.Data["key"] != "one" {
		t.Errorf("%v, %v", created, err)
	}
}

func TestAnswersOfFailingServersAreTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault faults.Fault
		is    func(error) bool
	}{
		{"429 that does not say when", faults.Fault{Status: 429, Body: "no"}, apierrors.IsTooManyRequests},
		{"500", faults.Fault{Status: 500, Body: "broken"}, apierrors.IsInternalError},
		{"503", faults.Fault{Status: 503, Body: "gone"}, apierrors.IsServiceUnavailable},
		{"504", faults.Fault{Status: 504, Body: "late"}, apierrors.IsTimeout},
		{"502", faults.Fault{Status: 502, Body: "gateway"}, func(err error) bool {
			var status apierrors.APIStatus
			return errors.As(err, &status) && status.Status().Code == 502
		}},
	} {
		proxy, config := throughHTTP(t)
		proxy.Inject(1, isGet, c.fault)
		_, err := clientset(t, config).CoreV1().ConfigMaps("default").Get(deadline(t), "any", metav1.GetOptions{})
		if !c.is(err) {
			t.Errorf("%s: %v (%T)", c.name, err, err)
		}
		if n := len(proxy.Requests()); n != 1 {
			t.Errorf("%s: %d requests", c.name, n)
		}
	}
}

func TestRetriesEndWithTheContext(t *testing.T) {
	t.Parallel()
	proxy, config := throughHTTP(t)
	proxy.Inject(1000, nil, faults.Fault{Status: 429, RetryAfter: 60 * time.Second})
	ctx, cancel := context.WithCancel(deadline(t))
	done := make(chan error, 1)
	go func() {
		_, err := clientset(t, config).CoreV1().ConfigMaps("default").List(ctx, metav1.ListOptions{})
		done <- err
	}()
	if err := proxy.WaitRequests(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if err := proxy.WaitIdle(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("no error")
	} else if !errors.Is(err, context.Canceled) && !apierrors.IsTooManyRequests(err) && !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("%v, want one that tells of the context or of the refusal", err)
	}
}

func TestSlowServerAndDeadlines(t *testing.T) {
	t.Parallel()
	proxy, config := throughHTTP(t)
	proxy.Inject(1000, isGet, faults.Fault{Hang: true})
	maps := clientset(t, config).CoreV1().ConfigMaps("default")

	ctx, cancel := context.WithTimeout(deadline(t), 200*time.Millisecond)
	defer cancel()
	if _, err := maps.List(ctx, metav1.ListOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context's deadline: %v, want context.DeadlineExceeded", err)
	}
	if _, err := maps.Watch(ctx, metav1.ListOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context's deadline, watch: %v, want context.DeadlineExceeded", err)
	}
	config.Timeout = 200 * time.Millisecond
	_, err := clientset(t, config).CoreV1().ConfigMaps("default").List(deadline(t), metav1.ListOptions{})
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("the client's time-out: %v, want an error that is a time-out", err)
	}
	// Nothing goes on at the server for clients that have left.
	if err := proxy.WaitIdle(deadline(t)); err != nil {
		t.Error(err)
	}
}

// TestBodiesThatEndTooEarly are errors, never half a list.
func TestBodiesThatEndTooEarly(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	newConfigMaps(t, ns, 30)
	for _, contentType := range []string{"application/json", "application/vnd.kubernetes.protobuf"} {
		proxy, config := throughHTTP(t)
		config.ContentType = contentType
		maps := clientset(t, config).CoreV1().ConfigMaps(ns)
		proxy.Inject(1, isGet, faults.Fault{CutBody: 1000})
		list, err := maps.List(deadline(t), metav1.ListOptions{})
		if err == nil {
			t.Errorf("%s: %d items and no error", contentType, len(list.Items))
		}
		if list, err = maps.List(deadline(t), metav1.ListOptions{}); err != nil || len(list.Items) < 30 {
			t.Errorf("%s: after that: %v", contentType, err)
		}
	}
}

// TestConnectionResetInMidBody: as above, by a connection that breaks.
func TestConnectionResetInMidBody(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	newConfigMaps(t, ns, 100)
	cp := ownCluster(t)
	proxy, config := throughTCP(t, cp.URL, adminConfig(t))
	proxy.CutAfter(12_000) // within the list's some 30 kB
	maps := clientset(t, config).CoreV1().ConfigMaps(ns)
	ctx, cancel := context.WithTimeout(deadline(t), 20*time.Second)
	defer cancel()
	if list, err := maps.List(ctx, metav1.ListOptions{}); err == nil {
		t.Errorf("%d items and no error", len(list.Items))
	}
	proxy.CutAfter(-1)
	list, err := maps.List(deadline(t), metav1.ListOptions{})
	if err != nil || len(list.Items) < 100 {
		t.Errorf("once connections hold: %v", err)
	}
}

// TestWatchEndsWhenItsConnectionIsReset: its channel is closed, and a watch from
// where it was goes on.
func TestWatchEndsWhenItsConnectionIsReset(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	cp := ownCluster(t)
	proxy, config := throughTCP(t, cp.URL, adminConfig(t))
	maps := clientset(t, config).CoreV1().ConfigMaps(ns)
	first, err := maps.Create(deadline(t), configMap("first"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	from := metav1.ListOptions{ResourceVersion: first.ResourceVersion}
	w, err := maps.Watch(deadline(t), from)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	proxy.ResetAll()
	for event := range w.ResultChan() {
		if event.Type != watch.Error {
			t.Errorf("%s from a watch whose connection was reset", event.Type)
		}
	}
	if _, err := maps.Create(deadline(t), configMap("second"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	again, err := maps.Watch(deadline(t), from)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	if event := next(t, again); event.Type != watch.Added {
		t.Errorf("the next watch begins with %s", event.Type)
	}
}

// TestNothingIsLeftOpen after clients that were used, cut off and dropped: no
// goroutine and no connection.
func TestNothingIsLeftOpen(t *testing.T) {
	cp := ownCluster(t)
	ns := namespace(t)
	newConfigMaps(t, ns, 20)
	before := goleak.IgnoreCurrent()
	proxy, err := faults.NewTCP(strings.TrimPrefix(cp.URL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	config := adminConfig(t)
	config.Host = "https://" + proxy.Addr()
	// A connection pool of the test's own, as clients share theirs.
	config.Dial = (&net.Dialer{}).DialContext
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	cs, err := kubernetes.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	maps := cs.CoreV1().ConfigMaps(ns)

	for range 5 {
		if _, err := maps.List(deadline(t), metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
		// Stopped, with its end not waited for.
		w, err := maps.Watch(deadline(t), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.Stop()
		// Ended by its context, with events that nobody reads.
		ctx, cancel := context.WithCancel(deadline(t))
		w, err = maps.Watch(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		next(t, w)
		cancel()
		for range w.ResultChan() {
		}
		// Streams are closed by who opened them.
		stream, err := cs.CoreV1().RESTClient().Get().Namespace(ns).Resource("configmaps").Stream(deadline(t))
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
	}
	proxy.ResetAll()
	if _, err := maps.List(deadline(t), metav1.ListOptions{}); err != nil {
		t.Logf("the list after a reset: %v", err)
	}
	if n := proxy.Accepted(); n > 3 {
		t.Errorf("%d connections: they are not shared", n)
	}
	eventually(t, "the end of all connections", func(context.Context) error {
		utilnet.CloseIdleConnectionsFor(client.Transport)
		if n := proxy.Open(); n > 0 {
			return fmt.Errorf("%d connections are open", n)
		}
		return nil
	})
	proxy.Close()
	mustLeaveNothing(t, before, client)
}
