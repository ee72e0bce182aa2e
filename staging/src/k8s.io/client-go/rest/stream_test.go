package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/internal/codec"
)

// streamingClient returns a client whose serializers can decode what comes in.
func streamingClient(t *testing.T, f roundTripper) *RESTClient {
	t.Helper()
	config := testConfig("https://server.example")
	config.NegotiatedSerializer = codec.New(testScheme)
	config.Transport = f
	return testClient(t, config)
}

// manyPods is a list that is large enough to be decoded while it comes in.
func manyPods() string {
	items := make([]string, 2000)
	for i := range items {
		items[i] = fmt.Sprintf(`{"metadata":{"name":"pod-%d","namespace":"default"}}`, i)
	}
	return `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[` + strings.Join(items, ",") + "]}\n"
}

// pastHeaders fails after a part of the body.
func pastHeaders(body string, err error) io.ReadCloser {
	return io.NopCloser(io.MultiReader(strings.NewReader(body), iotest.ErrReader(err)))
}

func TestDecodingWhatComesInIsDo(t *testing.T) {
	const js = "application/json"
	list := manyPods()
	broken := errors.New("broken pipe")
	for name, respond := range map[string]func() *http.Response{
		"list":           func() *http.Response { return answer(200, js, list) },
		"of no type":     func() *http.Response { return answer(200, "", list) },
		"with warnings":  func() *http.Response { return answer(200, js, list, "Warning", `299 - "old"`) },
		"small":          func() *http.Response { return answer(200, js, podJSON) },
		"pod":            func() *http.Response { return unsized(answer(200, js, podJSON)) },
		"status":         func() *http.Response { return unsized(answer(200, js, statusJSON)) },
		"nothing":        func() *http.Response { return unsized(answer(200, js, "")) },
		"cut off":        func() *http.Response { return unsized(answer(200, js, list[:70_000])) },
		"no JSON":        func() *http.Response { return unsized(answer(200, js, "<html>")) },
		"unknown format": func() *http.Response { return unsized(answer(200, "text/csv", list)) },
		"no format":      func() *http.Response { return unsized(answer(200, "a/b/c; =", list)) },
		"forbidden":      func() *http.Response { return unsized(answer(403, js, statusJSON)) },
		"lost connection": func() *http.Response {
			resp := answer(200, js, "")
			resp.ContentLength, resp.Body = -1, pastHeaders(list[:70_000], broken)
			return resp
		},
	} {
		t.Run(name, func(t *testing.T) {
			warned := 0
			client := streamingClient(t, func(*http.Request) (*http.Response, error) { return respond(), nil })
			get := func() *Request {
				return client.Get().Resource("pods").WarningHandler(warningFunc(func() { warned++ }))
			}
			var want, got corev1.PodList
			wantErr, err := get().Do(background).Into(&want), get().DoInto(background, &got)
			checkSame(t, &got, &want, err, wantErr)
			if wantWarned := len(respond().Header.Values("Warning")) * 2; warned != wantWarned {
				t.Errorf("%d warnings, want %d", warned, wantWarned)
			}
			wantAny, wantErr := get().Do(background).Get()
			gotAny, err := get().DoGet(background)
			checkSame(t, gotAny, wantAny, err, wantErr)
		})
	}
}

func checkSame(t *testing.T, got, want runtime.Object, err, wantErr error) {
	t.Helper()
	if (err == nil) != (wantErr == nil) || apierrors.ReasonForError(err) != apierrors.ReasonForError(wantErr) {
		t.Errorf("%v, want %v", err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("got %.200v, want %.200v", got, want)
	}
}

func TestALostConnectionIsNoFaultOfTheList(t *testing.T) {
	broken := errors.New("broken pipe")
	client := streamingClient(t, func(*http.Request) (*http.Response, error) {
		resp := answer(200, "application/json", "")
		resp.ContentLength, resp.Body = -1, pastHeaders(manyPods()[:70_000], broken)
		return resp, nil
	})
	err := client.Get().Resource("pods").DoInto(background, &corev1.PodList{})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "Please retry") {
		t.Errorf("the error is %v", err)
	}
}

// unsized is an answer as servers send large ones: they do not say how large.
func unsized(resp *http.Response) *http.Response {
	resp.ContentLength = -1
	return resp
}

type warningFunc func()

func (f warningFunc) HandleWarningHeader(int, string, string) { f() }
