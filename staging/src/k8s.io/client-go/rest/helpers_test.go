package rest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

var (
	testScheme = runtime.NewScheme()
	testCodecs = func() serializer.CodecFactory {
		if err := corev1.AddToScheme(testScheme); err != nil {
			panic(err)
		}
		metav1.AddToGroupVersion(testScheme, corev1.SchemeGroupVersion)
		return serializer.NewCodecFactory(testScheme)
	}()
	testParams = runtime.NewParameterCodec(testScheme)
)

const (
	podJSON    = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"}}`
	statusJSON = `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no such pod","reason":"NotFound","code":404,"details":{"name":"web","kind":"pods"}}`
)

// roundTripper answers requests without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer makes a response; headers come in pairs.
func answer(code int, contentType, body string, headers ...string) *http.Response {
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: code, Header: h, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

func testConfig(host string) *Config {
	gv := corev1.SchemeGroupVersion
	return &Config{
		Host:    host,
		APIPath: "/api",
		QPS:     -1,
		ContentConfig: ContentConfig{
			GroupVersion:         &gv,
			NegotiatedSerializer: testCodecs.WithoutConversion(),
		},
	}
}

func testClient(t testing.TB, config *Config) *RESTClient {
	t.Helper()
	client, err := RESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// clientTo returns a client whose requests go to f.
func clientTo(t testing.TB, f roundTripper) *RESTClient {
	t.Helper()
	config := testConfig("https://server.example/base")
	config.Transport = f
	return testClient(t, config)
}

// clientOf returns a client of a server that is closed at the end of the test.
func clientOf(t testing.TB, handler http.HandlerFunc) *RESTClient {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	config := testConfig(server.URL)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	config.Transport = transport
	return testClient(t, config)
}

func getPod(c *RESTClient) *Request {
	return c.Get().Namespace("default").Resource("pods").Name("web")
}

// closable notes whether a body was closed.
type closable struct {
	io.Reader
	closed bool
}

func (c *closable) Close() error { c.closed = true; return nil }

var background = context.Background()
