package dynamic_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Listing a custom resource that the program has no Go type for.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"kind":"CronTabList","apiVersion":"example.com/v1","metadata":{},`+
			`"items":[{"metadata":{"name":"nightly"},"spec":{"cron":"0 3 * * *"}}]}`)
	}))
	defer server.Close()

	client, err := dynamic.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		panic(err)
	}
	cronTabs := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "crontabs"}
	list, err := client.Resource(cronTabs).Namespace("default").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		panic(err)
	}
	for _, tab := range list.Items {
		cron, _, err := unstructured.NestedString(tab.Object, "spec", "cron")
		fmt.Println(tab.GetKind(), tab.GetName(), cron, err)
	}
	// Output: CronTab nightly 0 3 * * * <nil>
}
