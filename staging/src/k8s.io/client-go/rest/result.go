package rest

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

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
		return emptyError(r.statusCode, r.contentType)
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

// result reads an answer. It does not close the body.
func (r *Request) result(ctx context.Context, resp *http.Response) Result {
	data, err := readBody(resp)
	if err != nil {
		return Result{err: readError(err)}
	}
	observeResponseSize(ctx, r.verb, resp.Request.URL.Host, len(data))
	logBody(ctx, "Response Body", data)

	result := Result{
		body:        data,
		contentType: resp.Header.Get("Content-Type"),
		statusCode:  resp.StatusCode,
		warnings:    handleWarnings(ctx, resp.Header, r.warnings),
	}
	if result.contentType == "" {
		result.contentType = r.formats.contentType
	}
	result.decoder, err = r.decoder(result.contentType)
	result.decoder = sharing(ctx, result.decoder)
	switch {
	case !succeeded(resp.StatusCode):
		if resp.StatusCode == http.StatusUnsupportedMediaType {
			r.c.content.refused(resp.Request.Header.Get("Content-Type"))
		}
		result.err = r.responseError(resp, data)
	case err != nil:
		result.err = err
	}
	return result
}

// decoder returns the decoder for a Content-Type header, or nil where there is none for it. The
// error is of headers that mean nothing.
func (r *Request) decoder(contentType string) (runtime.Decoder, error) {
	var params map[string]string
	mediaType := contentType
	switch contentType {
	case mediaJSON, mediaProtobuf: // the usual ones have nothing to parse
	default:
		var err error
		if mediaType, params, err = mime.ParseMediaType(contentType); err != nil {
			return nil, apierrors.NewInternalError(err)
		}
	}
	decoder, err := r.c.content.negotiator.Decoder(mediaType, params)
	if err != nil {
		return nil, nil // the result says what is missing if somebody wants it decoded
	}
	return decoder, nil
}

// succeeded reports whether a status means that the answer is what was asked for.
func succeeded(code int) bool {
	return code == http.StatusSwitchingProtocols || code >= http.StatusOK && code <= http.StatusPartialContent
}

// readBody reads a body to its end. What was read comes along with an error.
func readBody(resp *http.Response) ([]byte, error) {
	if resp.Body == nil {
		return nil, nil
	}
	// A size that nobody sends is not believed in.
	const believed = 512 << 20
	n := resp.ContentLength
	if n <= 0 || n > believed {
		return io.ReadAll(resp.Body)
	}
	data := make([]byte, n)
	read, err := io.ReadFull(resp.Body, data)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return data[:read], err
}

// responseError returns the error that an answer with a bad status stands for, going by
// the status and, if it is text, what the body says.
func (r *Request) responseError(resp *http.Response, data []byte) error {
	message := "unknown"
	if isText(resp.Header.Get("Content-Type")) {
		const readable = 2048
		message = strings.TrimSpace(string(data[:min(len(data), readable)]))
	}
	var resource schema.GroupResource
	if r.resource != "" { // a group by itself says nothing of a path
		resource = schema.GroupResource{Group: r.c.content.groupVersion.Group, Resource: r.resource}
	}
	seconds, _ := retryAfterSeconds(resp)
	return apierrors.NewGenericServerResponse(resp.StatusCode, resp.Request.Method, resource, r.name, message, seconds, true)
}

// retryAfterSeconds returns the number in the Retry-After header. Dates are not
// understood: servers of APIs do not send them, and clocks differ.
func retryAfterSeconds(resp *http.Response) (seconds int, told bool) {
	h := resp.Header.Get("Retry-After")
	if h == "" {
		return 0, false
	}
	seconds, err := strconv.Atoi(h)
	if err != nil {
		return 0, false
	}
	const day = 24 * 60 * 60 // times a second must not overflow
	return min(max(seconds, 0), 365*day), true
}

// isText reports whether a Content-Type header says that people can read it. Servers that
// say nothing send text.
func isText(contentType string) bool {
	return contentType == "" || len(contentType) >= 5 && strings.EqualFold(contentType[:5], "text/")
}
