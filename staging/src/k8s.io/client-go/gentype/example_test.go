package gentype_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/gentype"
	"k8s.io/client-go/rest"
)

// A typed client for one resource, without a clientset.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"kind":"Node","apiVersion":"v1","metadata":{"name":"node-1"},"spec":{"podCIDR":"10.0.0.0/24"}}`)
	}))
	defer server.Close()

	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	client, err := rest.RESTClientFor(&rest.Config{
		Host:    server.URL,
		APIPath: "/api",
		ContentConfig: rest.ContentConfig{
			GroupVersion:         &corev1.SchemeGroupVersion,
			NegotiatedSerializer: serializer.NewCodecFactory(scheme).WithoutConversion(),
		},
	})
	if err != nil {
		panic(err)
	}

	nodes := gentype.NewClient("nodes", client, runtime.NewParameterCodec(scheme), "", func() *corev1.Node { return new(corev1.Node) })
	node, err := nodes.Get(context.Background(), "node-1", metav1.GetOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(node.Name, node.Spec.PodCIDR)
	// Output: node-1 10.0.0.0/24
}
