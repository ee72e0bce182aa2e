package servertest

import (
	"context"
	"net/http"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// Call is a call of a typed client.
type Call struct {
	// Do makes a client of the config, and the call. It returns the result, which
	// is an object or a string, if the call has one.
	Do func(ctx context.Context, config *rest.Config) (result any, err error)
	// Want is what the server is to get.
	Want Request
	// Answer is what the server sends back, and so is to be the result. It is an
	// object or a string, or nil for a call that has no result.
	Answer any
}

// Run makes each call as a subtest of its name.
func Run(t *testing.T, calls map[string]Call) {
	for name, call := range calls {
		for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
			t.Run(name+"/"+mediaType, func(t *testing.T) {
				call.succeed(t, mediaType)
			})
		}
		t.Run(name+"/refused", call.fail)
	}
}

func (c Call) succeed(t *testing.T, mediaType string) {
	server := Start(t)
	switch answer := c.Answer.(type) {
	case string:
		server.AnswerText(answer)
	case runtime.Object:
		server.Answer(answer)
	}
	result, err := c.Do(t.Context(), server.Config(mediaType))
	if err != nil {
		t.Fatal(err)
	}
	c.wantRequest(t, server)
	if object, isObject := result.(runtime.Object); isObject {
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	if !equality.Semantic.DeepEqual(result, c.Answer) {
		t.Errorf("the result is\n%+v, want\n%+v", result, c.Answer)
	}
}

// fail checks that the caller can tell what kind of error the server answered with.
func (c Call) fail(t *testing.T) {
	server := Start(t)
	server.Answer(&metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
		Message: "not today",
	})
	_, err := c.Do(t.Context(), server.Config(runtime.ContentTypeJSON))
	if !apierrors.IsForbidden(err) {
		t.Errorf("got error %v, want one that IsForbidden tells", err)
	}
	c.wantRequest(t, server)
}

func (c Call) wantRequest(t *testing.T, server *Server) {
	t.Helper()
	requests := server.Take()
	if len(requests) != 1 {
		t.Fatalf("the server got %d requests, want 1", len(requests))
	}
	got, want := requests[0], c.Want
	if !equality.Semantic.DeepEqual(got.Object, want.Object) {
		t.Errorf("the server got the object\n%+v, want\n%+v", got.Object, want.Object)
	}
	got.Object, want.Object = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the server got\n%+v, want\n%+v", got, want)
	}
}
