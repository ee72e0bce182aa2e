package cache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
	"weak"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/internal/codec"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// A server serves the pods of a source over HTTP, and cuts watches off after some bytes.
type server struct {
	*source
	*httptest.Server

	mu    sync.Mutex
	cuts  int  // how many watches are still to be cut off
	after int  // after how many bytes
	twice bool // events come twice
}

func newServer(t *testing.T, s *source) *server {
	srv := &server{source: s}
	srv.Server = httptest.NewServer(http.HandlerFunc(srv.serve))
	t.Cleanup(srv.Close)
	return srv
}

func (s *server) serve(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	options := metav1.ListOptions{ResourceVersion: query.Get("resourceVersion"), AllowWatchBookmarks: true}
	if query.Get("sendInitialEvents") == "true" {
		yes := true
		options.SendInitialEvents = &yes
	}
	w.Header().Set("Content-Type", "application/json")
	if query.Get("watch") == "" {
		list, err := s.List(options)
		if err != nil {
			refuse(w, err)
			return
		}
		list.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
		_ = json.NewEncoder(w).Encode(list)
		return
	}
	events, err := s.Watch(options)
	if err != nil {
		refuse(w, err)
		return
	}
	defer events.Stop()
	s.follow(w, req, events)
}

func refuse(w http.ResponseWriter, err error) {
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		status = apierrors.NewInternalError(err)
	}
	answer := status.Status()
	answer.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	w.WriteHeader(int(answer.Code))
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *server) follow(w http.ResponseWriter, req *http.Request, events watch.Interface) {
	s.mu.Lock()
	left, twice := -1, s.twice
	if s.cuts > 0 {
		s.cuts--
		left = s.after
	}
	s.mu.Unlock()
	w.(http.Flusher).Flush()
	for {
		select {
		case <-req.Context().Done():
			return
		case event, open := <-events.ResultChan():
			if !open {
				return
			}
			object := event.Object.DeepCopyObject()
			kind := "Pod"
			if event.Type == watch.Error {
				kind = "Status"
			}
			object.GetObjectKind().SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
			raw, _ := json.Marshal(object)
			text, _ := json.Marshal(metav1.WatchEvent{Type: string(event.Type), Object: kruntime.RawExtension{Raw: raw}})
			if twice {
				text = append(text, text...)
			}
			if left >= 0 {
				text = text[:min(left, len(text))]
				left -= len(text)
			}
			_, _ = w.Write(text)
			w.(http.Flusher).Flush()
			if left == 0 {
				return
			}
		}
	}
}

// informer returns one that follows the server.
func (s *server) informer(t *testing.T) cache.SharedIndexInformer {
	return cache.NewSharedIndexInformer(s.listWatch(t), &corev1.Pod{}, 0, nil)
}

func (s *server) listWatch(t *testing.T) *cache.ListWatch {
	return cache.NewListWatchFromClient(s.client(t), "pods", "ns", fields.Everything())
}

func (s *server) client(t *testing.T) *rest.RESTClient {
	scheme := kruntime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	client, err := rest.RESTClientFor(&rest.Config{
		Host: s.URL, APIPath: "/api", QPS: -1,
		ContentConfig: rest.ContentConfig{GroupVersion: &corev1.SchemeGroupVersion, NegotiatedSerializer: codec.New(scheme)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Client.CloseIdleConnections)
	return client
}

// caughtUp waits until the store and the handler have what the server has.
func (s *server) caughtUp(t *testing.T, informer cache.SharedInformer, told *follower) {
	t.Helper()
	has := func() bool {
		s.source.mu.Lock()
		defer s.source.mu.Unlock()
		told.mu.Lock()
		defer told.mu.Unlock()
		if len(told.has) != len(s.pods) || len(informer.GetStore().ListKeys()) != len(s.pods) {
			return false
		}
		for name, pod := range s.pods {
			stored, exists, _ := informer.GetStore().GetByKey("ns/" + name)
			if !exists || at(stored) != at(pod) || told.has[name] != at(pod) {
				return false
			}
		}
		return true
	}
	for deadline := time.Now().Add(20 * time.Second); !has(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the handler has %v, the store %v", told.has, informer.GetStore().ListKeys())
		}
	}
	told.check(t, informer.GetStore())
}

func TestAWatchMayBeCutOffAnywhere(t *testing.T) {
	for _, streams := range []bool{false, true} {
		t.Run(fmt.Sprintf("streams=%t", streams), func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.WatchListClient, streams)
			for after := 1; after < 1000; after += 97 {
				t.Run(fmt.Sprintf("after=%d", after), func(t *testing.T) {
					t.Parallel()
					srv := newServer(t, newSource("a", "b", "c"))
					srv.cuts, srv.after = 1, after
					informer, told := srv.informer(t), &follower{}
					add(t, informer, told)
					stop := run(t, informer)
					defer stop()
					srv.set("a")
					srv.delete("b")
					srv.set("d")
					srv.caughtUp(t, informer, told)
					srv.set("e")
					srv.caughtUp(t, informer, told)
				})
			}
		})
	}
}

func TestEventsThatComeTwiceDoNoHarm(t *testing.T) {
	srv := newServer(t, newSource("a", "b"))
	srv.twice = true
	informer, told := srv.informer(t), &follower{}
	add(t, informer, told)
	stop := run(t, informer)
	defer stop()
	for i := range 50 {
		srv.set(strconv.Itoa(i % 5))
		if i%3 == 0 {
			srv.delete(strconv.Itoa(i % 5))
		}
	}
	srv.set("last")
	srv.caughtUp(t, informer, told)
}

func TestAVersionThatIsTooOldIsListedAnew(t *testing.T) {
	srv := newServer(t, newSource("a", "b"))
	informer, told := srv.informer(t), &follower{}
	add(t, informer, told)
	stop := run(t, informer)
	defer stop()
	srv.caughtUp(t, informer, told)
	expired := apierrors.NewResourceExpired("too old").Status()
	srv.endWatches(&expired)
	srv.delete("a")
	srv.set("b")
	srv.forget()
	srv.set("c")
	srv.caughtUp(t, informer, told)
}

func TestAServerThatRefusesForAWhile(t *testing.T) {
	srv := newServer(t, newSource("a"))
	srv.fail(apierrors.NewInternalError(context.DeadlineExceeded), apierrors.NewTooManyRequests("later", 0))
	informer, told := srv.informer(t), &follower{}
	add(t, informer, told)
	stop := run(t, informer)
	defer stop()
	srv.caughtUp(t, informer, told)
}

func TestADroppedListIsNotKeptByAnItem(t *testing.T) {
	featurestesting.SetFeatureDuringTest(t, features.WatchListClient, false)
	s := newSource("a", "b", "c")
	var mu sync.Mutex
	var lists []weak.Pointer[corev1.Pod] // the arrays of their items
	informer := cache.NewSharedInformer(&cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (kruntime.Object, error) {
			list, err := s.List(options)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				lists = append(lists, weak.Make(&list.(*corev1.PodList).Items[0]))
			}
			return list, err
		},
		WatchFunc: s.Watch,
	}, &corev1.Pod{}, 0)
	stop := run(t, informer)
	defer stop()
	if !cache.WaitFor(t.Context(), "", informer.HasSyncedChecker()) {
		t.Fatal("it never synced")
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC()
		mu.Lock()
		kept := len(lists) == 0 || lists[0].Value() != nil
		mu.Unlock()
		if !kept {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the list is still there")
		}
	}
	if n := len(informer.GetStore().List()); n != 3 {
		t.Errorf("there are %d pods", n)
	}
}
