package rest

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"
)

// result reads an answer. It does not close the body.
func (r *Request) result(ctx context.Context, resp *http.Response) Result {
	data, err := readBody(resp)
	if err != nil {
		return Result{err: fmt.Errorf("unexpected error when reading response body. Please retry. Original error: %w", err)}
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

// isText reports whether a Content-Type header says that people can read it. Servers that
// say nothing send text.
func isText(contentType string) bool {
	return contentType == "" || len(contentType) >= 5 && strings.EqualFold(contentType[:5], "text/")
}

// logBody logs a body, more of it the higher the verbosity is.
func logBody(ctx context.Context, what string, data []byte) {
	logger := klog.FromContext(ctx).V(8)
	if !logger.Enabled() {
		return
	}
	limit := 1024
	switch {
	case logger.V(2).Enabled():
		limit = len(data)
	case logger.V(1).Enabled():
		limit = 10240
	}
	more := ""
	if len(data) > limit {
		more = fmt.Sprintf(" [truncated %d chars]", len(data)-limit)
		data = data[:limit]
	}
	text := string(data)
	if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) && more == "" {
		text = "\n" + hex.Dump(data)
	}
	logger.Info(what, "body", text+more)
}
