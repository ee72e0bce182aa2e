package kubernetes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// server stands in for an API server that has one pod.
func server() *httptest.Server {
	answer := func(w http.ResponseWriter, status int, obj any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(obj); err != nil {
			log.Print(err)
		}
	}
	pod := corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/namespaces/default/pods", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, corev1.PodList{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"},
			Items:    []corev1.Pod{pod},
		})
	})
	mux.HandleFunc("GET /api/v1/namespaces/default/pods/{name}", func(w http.ResponseWriter, r *http.Request) {
		if name := r.PathValue("name"); name != pod.Name {
			status := apierrors.NewNotFound(corev1.Resource("pods"), name).Status()
			status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
			answer(w, http.StatusNotFound, status)
			return
		}
		answer(w, http.StatusOK, pod)
	})
	return httptest.NewServer(mux)
}

// A clientset is made once and used by all goroutines of a program. Each call
// has a context, whose deadline holds for its retries, too.
func ExampleNewForConfig() {
	s := server()
	defer s.Close()

	// Programs get the config from rest.InClusterConfig or tools/clientcmd.
	config := &rest.Config{Host: s.URL}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	pods, err := clientset.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, pod := range pods.Items {
		fmt.Println(pod.Name, pod.Status.Phase)
	}
	// Output:
	// web Running
}

// What a server refuses is an error that says why, for people and for programs.
func ExampleClientset_errors() {
	s := server()
	defer s.Close()
	clientset := kubernetes.NewForConfigOrDie(&rest.Config{Host: s.URL})

	_, err := clientset.CoreV1().Pods("default").Get(context.Background(), "db", metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		fmt.Println("there is no such pod:", err)
	case err != nil:
		log.Fatal(err)
	}
	// Output:
	// there is no such pod: pods "db" not found
}

// A function that asks for kubernetes.Interface, or for the interface of just
// the resource that it works on, can be tested with the clientset of package
// kubernetes/fake.
func ExampleInterface() {
	running := func(ctx context.Context, client kubernetes.Interface, namespace string) (int, error) {
		pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return 0, fmt.Errorf("list pods of %s: %w", namespace, err)
		}
		n := 0
		for _, pod := range pods.Items {
			if pod.Status.Phase == corev1.PodRunning {
				n++
			}
		}
		return n, nil
	}

	s := server()
	defer s.Close()
	n, err := running(context.Background(), kubernetes.NewForConfigOrDie(&rest.Config{Host: s.URL}), "default")
	fmt.Println(n, err)
	// Output:
	// 1 <nil>
}
