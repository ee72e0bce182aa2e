// Package servertest tests what typed clients send to a server, and what they
// make of its answers.
//
// A test is a table of calls. [Run] makes each of them in JSON and in protobuf,
// and once more with a server that refuses it.
package servertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// Request is one that a server got.
type Request struct {
	Method string
	Path   string
	Query  string // by name

	// Kind, such as "v1, Kind=Pod" and "policy/v1, Kind=Eviction", and Object are
	// those of a body that is an object.
	Kind   string
	Object runtime.Object

	// Patch is a body that is none, after its media type.
	Patch string
}

// Server keeps the requests that it gets. It answers all of them with one object,
// or with one text.
type Server struct {
	t    testing.TB
	http *httptest.Server

	mu       sync.Mutex
	object   runtime.Object
	text     string
	requests []Request
}

// Start returns a server that stops at the end of the test.
func Start(t testing.TB) *Server {
	s := &Server{t: t, object: &metav1.Status{Status: metav1.StatusSuccess}}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

// Config returns the config of a client of the server that writes and asks for a
// media type.
func (s *Server) Config(mediaType string) *rest.Config {
	return &rest.Config{
		Host:          s.http.URL,
		QPS:           -1,
		ContentConfig: rest.ContentConfig{ContentType: mediaType},
	}
}

// Answer sets the object that requests are answered with. A Status that tells of
// a failure has its code.
func (s *Server) Answer(object runtime.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.object = object
}

// AnswerText sets the text that requests are answered with.
func (s *Server) AnswerText(text string) {
	s.Answer(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
}

// Take returns the requests since the last call.
func (s *Server) Take() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query().Encode()}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("reading the body of %s %s: %v", r.Method, r.URL, err)
	}
	switch mediaType := r.Header.Get("Content-Type"); {
	case len(body) == 0:
	case r.Method == http.MethodPatch:
		request.Patch = mediaType + " " + string(body)
	default:
		request.Kind, request.Object = s.decode(mediaType, body)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request)
	if s.object == nil {
		io.WriteString(w, s.text)
		return
	}
	mediaType, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
	w.Header().Set("Content-Type", mediaType)
	if status, isStatus := s.object.(*metav1.Status); isStatus && status.Code != 0 {
		w.WriteHeader(int(status.Code))
	}
	if err := encoder(mediaType, s.object).Encode(s.object, w); err != nil {
		s.t.Errorf("answering %s %s: %v", r.Method, r.URL, err)
	}
}

func (s *Server) decode(mediaType string, body []byte) (string, runtime.Object) {
	info, found := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaType)
	if !found {
		s.t.Errorf("the body's media type is %q", mediaType)
		return "", nil
	}
	object, kind, err := info.Serializer.Decode(body, nil, nil)
	if err != nil {
		s.t.Errorf("decoding the body %q: %v", body, err)
		return "", nil
	}
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	return kind.GroupVersion().String() + ", Kind=" + kind.Kind, object
}

// encoder returns what encodes an object as a media type or, if that is unknown,
// as JSON.
func encoder(mediaType string, object runtime.Object) runtime.Encoder {
	known := scheme.Codecs.SupportedMediaTypes()
	info, found := runtime.SerializerInfoForMediaType(known, mediaType)
	if !found {
		info, _ = runtime.SerializerInfoForMediaType(known, runtime.ContentTypeJSON)
	}
	version := schema.GroupVersion{Version: "v1"}
	if kinds, _, err := scheme.Scheme.ObjectKinds(object); err == nil && kinds[0].Kind != "Status" {
		version = kinds[0].GroupVersion()
	}
	return scheme.Codecs.EncoderForVersion(info.Serializer, version)
}
