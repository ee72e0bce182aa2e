package discovery_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"k8s.io/client-go/discovery"
	restclient "k8s.io/client-go/rest"
)

// A server is asked for its resources. One of its groups is served by another
// program, which is down.
func ExampleDiscoveryClient_ServerGroupsAndResources() {
	documents := map[string]string{"/api": coreAggregated, "/apis": namedAggregated}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", discovery.AcceptV2)
		io.WriteString(w, documents[r.URL.Path])
	}))
	defer server.Close()

	client := discovery.NewDiscoveryClientForConfigOrDie(&restclient.Config{Host: server.URL})
	_, lists, err := client.ServerGroupsAndResources()
	failed, partial := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partial {
		fmt.Println(err)
		return
	}
	for _, list := range lists {
		fmt.Println(list.GroupVersion, len(list.APIResources))
	}
	for gv := range failed {
		fmt.Println(gv, "cannot be reached")
	}
	// Output:
	// v1 4
	// apps/v1 1
	// apps/v1beta1 2
	// metrics.k8s.io/v1beta1 cannot be reached
}
