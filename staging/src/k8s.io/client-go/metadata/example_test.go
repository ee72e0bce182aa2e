package metadata_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// Finding what a pod belongs to takes no more than its metadata.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"web-1",`+
			`"ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"web","uid":"u"}]}}`)
	}))
	defer server.Close()

	client, err := metadata.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		panic(err)
	}
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	pod, err := client.Resource(pods).Namespace("default").Get(context.Background(), "web-1", metav1.GetOptions{})
	if err != nil {
		panic(err)
	}
	for _, owner := range pod.OwnerReferences {
		fmt.Println(owner.Kind, owner.Name)
	}
	// Output: StatefulSet web
}
