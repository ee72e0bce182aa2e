package rest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/api/v1/namespaces/default/pods/web" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"},"spec":{"nodeName":"node-1"}}`)
	}))
	defer server.Close()

	config := &rest.Config{Host: server.URL, APIPath: "/api", BearerToken: "secret"}
	config.GroupVersion = &corev1.SchemeGroupVersion
	config.NegotiatedSerializer = benchCodecs.WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	pod := &corev1.Pod{}
	get := func(name string) error {
		return client.Get().Namespace("default").Resource("pods").Name(name).Do(context.Background()).Into(pod)
	}
	fmt.Println(get("web"), pod.Spec.NodeName)
	fmt.Println(errors.IsNotFound(get("db")))
	// Output:
	// <nil> node-1
	// true
}

func ExampleConfig_String() {
	config := &rest.Config{Host: "https://server.example", BearerToken: "secret", QPS: 20, Burst: 40}
	fmt.Println(config)
	// Output:
	// rest.Config{Host:"https://server.example", BearerToken:"--- REDACTED ---", Impersonate:{UserName: UID: Groups:[] Extra:map[]}, TLSClientConfig:rest.TLSClientConfig{Insecure:false}, DisableCompression:false, QPS:20, Burst:40, Timeout:0s}
}
