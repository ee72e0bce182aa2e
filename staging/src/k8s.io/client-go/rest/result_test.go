package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
)

func TestErrorsForAPathNameNoResource(t *testing.T) {
	config := testConfig("https://server.example")
	config.GroupVersion = &schema.GroupVersion{Group: "apps", Version: "v1"}
	config.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
		return answer(404, "text/plain", "404 page not found\n"), nil
	})
	client := testClient(t, config)
	const want = "the server could not find the requested resource"
	if err := client.Get().AbsPath("/nothing").Do(background).Error(); !apierrors.IsNotFound(err) || err.Error() != want {
		t.Errorf("the error is %q", err)
	}
}

func TestErrorsOfTheServerAreStatusErrors(t *testing.T) {
	const js = "application/json"
	for name, tc := range map[string]struct {
		verb              string
		code              int
		contentType, body string
		is                func(error) bool
		message           string
	}{
		"status":              {"GET", 404, js, statusJSON, apierrors.IsNotFound, "no such pod"},
		"status as protobuf":  {"GET", 404, "application/vnd.kubernetes.protobuf", statusJSON, apierrors.IsNotFound, "could not find the requested resource (get pods web)"},
		"text":                {"GET", 404, "text/plain", "404 page not found\n", apierrors.IsNotFound, "could not find the requested resource (get pods web)"},
		"long text":           {"GET", 500, "text/html", strings.Repeat("x", 5000), apierrors.IsInternalError, strings.Repeat("x", 2048) + `"`},
		"binary":              {"GET", 500, "application/octet-stream", "\x00", apierrors.IsInternalError, `("unknown")`},
		"no type":             {"GET", 502, "", "bad gateway", apierrors.IsInternalError, `("bad gateway")`},
		"broken type":         {"GET", 503, "a/b/c; =", "?", apierrors.IsServiceUnavailable, "unable to handle"},
		"another object":      {"POST", 409, js, podJSON, apierrors.IsAlreadyExists, "conflict (post pods web)"},
		"conflict":            {"PUT", 409, js, "", apierrors.IsConflict, "conflict (put pods web)"},
		"no object":           {"GET", 400, js, `{"a":1}`, apierrors.IsBadRequest, "unknown reason"},
		"cut off status":      {"GET", 500, js, statusJSON[:40], apierrors.IsInternalError, `("unknown")`},
		"nothing":             {"GET", 401, js, "", apierrors.IsUnauthorized, "provide credentials"},
		"forbidden":           {"GET", 403, "text/plain", "not you", apierrors.IsForbidden, "not you"},
		"not a success":       {"GET", 304, "", "", apierrors.IsUnexpectedServerError, "status code 304"},
		"overloaded":          {"GET", 429, "text/plain", "", apierrors.IsTooManyRequests, "try again later"},
		"status of a success": {"GET", 200, js, statusJSON, apierrors.IsNotFound, "no such pod"},
	} {
		t.Run(name, func(t *testing.T) {
			var last *closable
			client := clientTo(t, func(*http.Request) (*http.Response, error) {
				resp := answer(tc.code, tc.contentType, tc.body)
				last = &closable{Reader: resp.Body}
				resp.Body = last
				return resp, nil
			})
			request := func() *Request { return client.Verb(tc.verb).Namespace("default").Resource("pods").Name("web") }
			check := func(how string, err error) {
				t.Helper()
				if !tc.is(err) || !strings.Contains(err.Error(), tc.message) {
					t.Errorf("%s: %v", how, err)
				}
				if !last.closed {
					t.Errorf("%s left the body open", how)
				}
			}
			result := request().Do(background)
			check("Into", result.Into(&corev1.Pod{}))
			_, err := result.Get()
			check("Get", err)
			var code int
			if result.StatusCode(&code); code != tc.code {
				t.Errorf("status %d", code)
			}
			if tc.code == http.StatusOK {
				return // the rest is about the status alone
			}
			check("Error", result.Error())
			_, err = request().Stream(background)
			check("Stream", err)
			_, err = request().Watch(background)
			check("Watch", err)
			raw, err := request().DoRaw(background)
			if err == nil || string(raw) != tc.body || !last.closed {
				t.Errorf("DoRaw: %q, %v", raw, err)
			}
		})
	}
}

func TestResultIsWhatTheServerAnswered(t *testing.T) {
	client := clientTo(t, func(req *http.Request) (*http.Response, error) {
		if req.Method == "POST" {
			return answer(201, "application/json", podJSON), nil
		}
		return answer(200, "", podJSON, "Warning", `299 - "old"`, "Warning", "nonsense"), nil
	})
	var code int
	var created bool
	var contentType string
	var pod corev1.Pod
	result := getPod(client).WarningHandler(NoWarnings{}).Do(background).StatusCode(&code).WasCreated(&created).ContentType(&contentType)
	if err := result.Into(&pod); err != nil || pod.Name != "web" {
		t.Errorf("Into: %v, %v", pod.Name, err)
	}
	if raw, err := result.Raw(); string(raw) != podJSON || err != nil {
		t.Errorf("Raw: %s, %v", raw, err)
	}
	if object, err := result.Get(); err != nil || object.(*corev1.Pod).Name != "web" {
		t.Errorf("Get: %v, %v", object, err)
	}
	if code != 200 || created || contentType != "application/json" || fmt.Sprint(result.Warnings()) != "[{299 - old}]" {
		t.Errorf("%d, %v, %q, %v", code, created, contentType, result.Warnings())
	}
	if client.Post().Do(background).WasCreated(&created); !created {
		t.Error("not created")
	}
}

func TestWhatCannotBeDecodedIsAnError(t *testing.T) {
	for name, tc := range map[string]struct{ contentType, body, into, get string }{
		"unknown type": {"application/x-foo", "abc", "serializer for application/x-foo doesn't exist", "serializer for application/x-foo doesn't exist"},
		"broken type":  {"a/b/c; =", "abc", "mime", "mime"},
		"empty":        {"application/json", "", "0-length response with status code: 200 and content type: application/json", "unexpected end"},
		"cut off":      {"application/json", podJSON[:20], "unexpected end", "unexpected end"},
	} {
		client := clientTo(t, func(*http.Request) (*http.Response, error) { return answer(200, tc.contentType, tc.body), nil })
		result := client.Get().Do(background)
		if err := result.Into(&corev1.Pod{}); err == nil || !strings.Contains(err.Error(), tc.into) {
			t.Errorf("%s: Into: %v", name, err)
		}
		if _, err := result.Get(); err == nil || !strings.Contains(err.Error(), tc.get) {
			t.Errorf("%s: Get: %v", name, err)
		}
	}
}

func TestSuccessfulStatusIsNoError(t *testing.T) {
	client := clientTo(t, func(*http.Request) (*http.Response, error) {
		return answer(200, "application/json", `{"kind":"Status","apiVersion":"v1","status":"Success"}`), nil
	})
	result := client.Delete().Do(background)
	if err := result.Error(); err != nil {
		t.Error(err)
	}
	if object, err := result.Get(); err != nil || object.(*metav1.Status).Status != "Success" {
		t.Errorf("%v, %v", object, err)
	}
}

func TestBodyThatIsCutOffIsAnError(t *testing.T) {
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		_, _ = io.WriteString(w, podJSON)
	})
	raw, err := client.Get().DoRaw(background)
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(raw) != podJSON {
		t.Errorf("%q, %v", raw, err)
	}
	if err := client.Get().Do(background).Error(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestBodyIsReadWhateverItsSize(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 1 << 20} {
		for _, known := range []bool{true, false} {
			text := strings.Repeat("x", size)
			client := clientTo(t, func(*http.Request) (*http.Response, error) {
				resp := answer(200, "text/plain", text)
				if !known {
					resp.ContentLength = -1
				}
				return resp, nil
			})
			if raw, err := client.Get().DoRaw(background); err != nil || string(raw) != text {
				t.Errorf("%d bytes, size known: %v: read %d, %v", size, known, len(raw), err)
			}
		}
	}
}

func TestCBORIsUsedOnlyIfAllowed(t *testing.T) {
	send := func(t *testing.T, config *Config) func() http.Header {
		var got http.Header
		code := http.StatusUnsupportedMediaType
		config.NegotiatedSerializer = CodecFactoryForGeneratedClient(testScheme, testCodecs).WithoutConversion()
		config.Transport = roundTripper(func(req *http.Request) (*http.Response, error) { got = req.Header; return answer(code, "", ""), nil })
		client := testClient(t, config)
		return func() http.Header {
			client.Post().Body(&corev1.Pod{}).Do(background)
			return got
		}
	}
	for _, tc := range []struct {
		name                string
		allow, prefer       bool
		contentType, accept string
		want, wantAccept    string
	}{
		{"default", false, false, "", "", "application/json", "application/json, */*"},
		{"not allowed", false, true, "application/cbor", "application/cbor,application/json;q=0.5", "application/json", "application/json,application/json; q=0.5"},
		{"allowed", true, false, "application/cbor", "", "application/cbor", "application/cbor, */*"},
		{"allowed, not wanted", true, false, "", "", "application/json", "application/json, */*"},
		{"preferred", true, true, "", "", "application/cbor", "application/cbor, */*"},
		{"preferred, not wanted", true, true, "application/json", "", "application/json", "application/json, */*"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.ClientsAllowCBOR, tc.allow)
			featurestesting.SetFeatureDuringTest(t, features.ClientsPreferCBOR, tc.prefer)
			config := testConfig("https://server.example")
			config.ContentType, config.AcceptContentTypes = tc.contentType, tc.accept
			next := send(t, config)
			got := next()
			accept := strings.ReplaceAll(got.Get("Accept"), "; ", ";")
			if got.Get("Content-Type") != tc.want || accept != strings.ReplaceAll(tc.wantAccept, "; ", ";") {
				t.Errorf("first request: %v", got)
			}
			// The server did not take it.
			if got := next(); got.Get("Content-Type") != "application/json" {
				t.Errorf("second request: %v", got)
			}
		})
	}
}

func TestClientsNeedAGroupVersionAndASerializer(t *testing.T) {
	config := testConfig("")
	config.NegotiatedSerializer = nil
	if _, err := RESTClientFor(config); err == nil || !strings.Contains(err.Error(), "NegotiatedSerializer is required") {
		t.Error(err)
	}
	config = testConfig("")
	config.GroupVersion = nil
	if _, err := RESTClientFor(config); err == nil || !strings.Contains(err.Error(), "GroupVersion is required") {
		t.Error(err)
	}
	for _, make := range []func() (*RESTClient, error){
		func() (*RESTClient, error) { return UnversionedRESTClientFor(config) },
		func() (*RESTClient, error) { return UnversionedRESTClientForConfigAndClient(config, nil) },
	} {
		client, err := make()
		if err != nil || client.APIVersion() != metav1.SchemeGroupVersion {
			t.Error(client, err)
		}
	}
}

func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{"", statusJSON, statusJSON[:30], podJSON, "text", "\x00", `{"kind":"Status","apiVersion":"v1","status":5}`} {
		f.Add(404, "application/json", seed)
		f.Add(500, "text/plain", seed)
		f.Add(503, "application/vnd.kubernetes.protobuf", seed)
	}
	f.Fuzz(func(t *testing.T, code int, contentType, body string) {
		if code < 300 || code > 999 {
			return
		}
		client := clientTo(t, func(*http.Request) (*http.Response, error) { return answer(code, contentType, body), nil })
		err := getPod(client).Do(background).Error()
		var status apierrors.APIStatus
		if !errors.As(err, &status) || status.Status().Status == metav1.StatusSuccess {
			t.Errorf("the error is %T: %v", err, err)
		}
	})
}
