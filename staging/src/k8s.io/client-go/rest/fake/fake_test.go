package fake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
)

func client(t *testing.T) *RESTClient {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return &RESTClient{
		NegotiatedSerializer: serializer.NewCodecFactory(scheme).WithoutConversion(),
		GroupVersion:         schema.GroupVersion{Version: "v1"},
		VersionedAPIPath:     "/api/v1",
	}
}

func response(name string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"` + name + `"}}`)),
	}
}

func TestRequestsAreAnsweredAndKept(t *testing.T) {
	ctx := context.Background()
	failure := errors.New("no network")
	answering := CreateHTTPClient(func(req *http.Request) (*http.Response, error) { return response("client"), nil })
	for name, tc := range map[string]struct {
		set  func(*RESTClient)
		want string
		err  error
	}{
		"response":           {func(c *RESTClient) { c.Resp = response("resp") }, "resp", nil},
		"client comes first": {func(c *RESTClient) { c.Client, c.Resp = answering, response("resp") }, "client", nil},
		"error comes first":  {func(c *RESTClient) { c.Client, c.Err = answering, failure }, "", failure},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t)
			tc.set(c)
			var pod corev1.Pod
			err := c.Get().Namespace("ns").Resource("pods").Name("p").Do(ctx).Into(&pod)
			if !errors.Is(err, tc.err) || pod.Name != tc.want {
				t.Errorf("got %q, %v", pod.Name, err)
			}
			if (c.Req == nil) != (tc.err != nil) {
				t.Errorf("the request that was kept is %v", c.Req)
			}
			if c.Req != nil && c.Req.URL.Path != "/api/v1/namespaces/ns/pods/p" {
				t.Errorf("path %s", c.Req.URL.Path)
			}
		})
	}
}

func TestVerbsAreThoseOfTheRealClient(t *testing.T) {
	for want, send := range map[string]func(*RESTClient) error{
		"GET":    func(c *RESTClient) error { return c.Get().Do(context.Background()).Error() },
		"PUT":    func(c *RESTClient) error { return c.Put().Do(context.Background()).Error() },
		"POST":   func(c *RESTClient) error { return c.Post().Do(context.Background()).Error() },
		"DELETE": func(c *RESTClient) error { return c.Delete().Do(context.Background()).Error() },
		"PATCH":  func(c *RESTClient) error { return c.Patch(types.JSONPatchType).Do(context.Background()).Error() },
		"HEAD":   func(c *RESTClient) error { return c.Verb("HEAD").Do(context.Background()).Error() },
	} {
		c := client(t)
		c.Resp = response("x")
		if err := send(c); err != nil || c.Req.Method != want {
			t.Errorf("%s: %v, %v", want, c.Req, err)
		}
	}
	if c := client(t); c.GetRateLimiter() != nil || c.APIVersion().Version != "v1" {
		t.Error(c.GetRateLimiter(), c.APIVersion())
	}
}
