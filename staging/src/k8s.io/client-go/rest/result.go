package rest

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/net"
)

// Result is what Do returns: the answer, or why there is none.
type Result struct {
	body        []byte
	contentType string
	statusCode  int
	warnings    []net.WarningHeader
	decoder     runtime.Decoder // nil where the format is unknown
	err         error
}

// Raw returns the body. Of errors it does not say more than the status does; Error does.
func (r Result) Raw() ([]byte, error) { return r.body, r.err }

// Get returns the object that the server answered with. If it is a Status that is no
// success, that is the error.
func (r Result) Get() (runtime.Object, error) {
	if err := r.decodable(); err != nil {
		return nil, err
	}
	object, _, err := r.decoder.Decode(r.body, nil, nil)
	if err != nil {
		return nil, err
	}
	if err := statusFailure(object); err != nil {
		return nil, err
	}
	return object, nil
}

// Into decodes the object that the server answered with to obj. If it is a Status that is
// no success, and obj is not one, that is the error.
func (r Result) Into(obj runtime.Object) error {
	if err := r.decodable(); err != nil {
		return err
	}
	if len(r.body) == 0 {
		return fmt.Errorf("0-length response with status code: %d and content type: %s", r.statusCode, r.contentType)
	}
	decoded, _, err := r.decoder.Decode(r.body, nil, obj)
	if err != nil || decoded == obj {
		return err
	}
	// Something else came back.
	return statusFailure(decoded)
}

// decodable returns why there is nothing to decode.
func (r Result) decodable() error {
	if r.err != nil {
		return r.Error()
	}
	if r.decoder == nil {
		return fmt.Errorf("serializer for %s doesn't exist", r.contentType)
	}
	return nil
}

func statusFailure(object runtime.Object) error {
	if status, ok := object.(*metav1.Status); ok && status.Status != metav1.StatusSuccess {
		return &apierrors.StatusError{ErrStatus: *status}
	}
	return nil
}

// statusKind is what bodies of errors are taken for if they do not say what they are.
var statusKind = schema.GroupVersionKind{Version: "v1", Kind: "Status"}

// Error returns why the request failed, or nil. If the body says more than the status, it
// is in the error.
func (r Result) Error() error {
	if r.decoder == nil || len(r.body) == 0 || !apierrors.IsUnexpectedServerError(r.err) {
		return r.err
	}
	object, _, err := r.decoder.Decode(r.body, &statusKind, nil)
	if err != nil {
		return r.err // the body is no object, which the status is better than
	}
	// An object of another kind, taken for a Status, would be one that says nothing.
	if status, ok := object.(*metav1.Status); ok && status.Status == metav1.StatusFailure {
		return &apierrors.StatusError{ErrStatus: *status}
	}
	return r.err
}

// StatusCode stores the HTTP status to statusCode; zero if there was no answer.
func (r Result) StatusCode(statusCode *int) Result {
	*statusCode = r.statusCode
	return r
}

// ContentType stores the Content-Type of the answer to contentType.
func (r Result) ContentType(contentType *string) Result {
	*contentType = r.contentType
	return r
}

// WasCreated stores to wasCreated whether the server created something.
func (r Result) WasCreated(wasCreated *bool) Result {
	*wasCreated = r.statusCode == http.StatusCreated
	return r
}

// Warnings returns the warnings that came with the answer.
func (r Result) Warnings() []net.WarningHeader { return r.warnings }
