package watch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
)

// serve starts a server that sends one event for every watch: the one after the
// version that is asked for.
func serve(t *testing.T, address string) *http.Server {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Addr: listener.Addr().String(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var version int
		fmt.Sscan(r.URL.Query().Get("resourceVersion"), &version)
		next := pod("a", fmt.Sprint(version+1))
		next.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "MODIFIED", "object": next})
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(listener) }()
	return server
}

func TestUntilSurvivesServerRestarts(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	server := serve(t, "127.0.0.1:0")
	transport := &http.Transport{DisableKeepAlives: true}
	client, err := rest.RESTClientFor(&rest.Config{
		Host: "http://" + server.Addr, APIPath: "/api", Transport: transport,
		ContentConfig: rest.ContentConfig{
			GroupVersion:         &corev1.SchemeGroupVersion,
			NegotiatedSerializer: serializer.NewCodecFactory(scheme).WithoutConversion(),
			ContentType:          runtime.ContentTypeJSON,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w, err := toolswatch.NewRetryWatcherWithContext(ctx, "1", cache.NewListWatchFromClient(client, "pods", "ns", fields.Everything()))
	if err != nil {
		t.Fatal(err)
	}
	for version := 2; version < 5; version++ {
		event, open := <-w.ResultChan()
		if !open {
			t.Fatal("the watch has ended")
		}
		if got := event.Object.(*corev1.Pod).ResourceVersion; got != fmt.Sprint(version) {
			t.Fatalf("got version %s, want %d", got, version)
		}
		server.Close()
		server = serve(t, server.Addr)
	}
	w.Stop()
	<-w.Done()
	server.Close()
	transport.CloseIdleConnections()
}
