// Command core lists pods through the client of the core group alone.
package main

import (
	"context"
	"os"
	"runtime"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

func main() {
	client, err := corev1.NewForConfig(&rest.Config{Host: os.Getenv("SERVER")})
	if err != nil {
		panic(err)
	}
	pods, err := client.Pods("").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		panic(err)
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	println(len(pods.Items), stats.Mallocs, stats.TotalAlloc)
}
