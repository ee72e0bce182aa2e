package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"k8s.io/client-go/transport"
)

func ExampleNew() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Fprintln(w, req.UserAgent(), "with", req.Header.Get("Authorization"))
	}))
	defer server.Close()

	rt, err := transport.New(&transport.Config{
		UserAgent:   "example/1.0",
		BearerToken: "abc",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: rt}
	resp, err := client.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Print(string(body))
	// Output: example/1.0 with Bearer abc
}

func ExampleConfig_Wrap() {
	config := &transport.Config{}
	config.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			fmt.Println(req.Method, req.URL.Path)
			return inner.RoundTrip(req)
		})
	})
	rt, err := transport.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client := &http.Client{Transport: rt}
	resp, err := client.Get(server.URL + "/version")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// GET /version
	// 404 Not Found
}
