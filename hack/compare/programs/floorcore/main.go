// Command floorcore is command dynamic with the types of the core group and of its
// sub-resources linked: what these cost where generic code encodes and decodes them.
package main

import (
	"context"
	"os"
	"runtime"

	_ "k8s.io/api/authentication/v1"
	_ "k8s.io/api/autoscaling/v1"
	_ "k8s.io/api/core/v1"
	_ "k8s.io/api/policy/v1"
	_ "k8s.io/api/policy/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

func main() {
	client, err := dynamic.NewForConfig(&rest.Config{Host: os.Getenv("SERVER")})
	if err != nil {
		panic(err)
	}
	pods, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).
		List(context.Background(), metav1.ListOptions{})
	if err != nil {
		panic(err)
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	println(len(pods.Items), stats.Mallocs, stats.TotalAlloc)
}
