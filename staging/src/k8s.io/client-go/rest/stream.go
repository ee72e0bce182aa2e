package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/share/offer"
	"k8s.io/klog/v2"
)

// DoInto is Do(ctx).Into(obj) for lists that may be large: they are decoded while they
// come in, and are never in memory as they are encoded. It is not known whether an
// object is good before all of it has come: where there is an error, obj may have changed.
func (r *Request) DoInto(ctx context.Context, obj runtime.Object) error {
	_, err := r.decode(ctx, obj)
	return err
}

// DoGet is Do(ctx).Get() for lists that may be large, as DoInto is for those of a known type.
func (r *Request) DoGet(ctx context.Context) (runtime.Object, error) {
	return r.decode(ctx, nil)
}

func (r *Request) decode(ctx context.Context, into runtime.Object) (object runtime.Object, failure error) {
	offer.Decoded(ctx)
	err := r.exchange(ctx, func(resp *http.Response) {
		if reader := r.reader(ctx, resp); reader != nil {
			handleWarnings(ctx, resp.Header, r.warnings)
			object, failure = r.decodeFrom(ctx, resp, reader, into)
		} else if result := r.result(ctx, resp); into == nil {
			object, failure = result.Get()
		} else {
			failure = result.Into(into)
		}
	})
	if err != nil {
		return nil, err
	}
	return object, failure
}

// manyBytes is how large an answer is at least that is decoded while it comes in.
const manyBytes = 64 << 10

// objectReader is what decoders are that can decode while an object comes in.
type objectReader interface {
	DecodeFrom(io.Reader, runtime.Object) (runtime.Object, error)
}

// reader returns the decoder of an answer that is to be decoded while it comes in; nil if
// that is to be as a whole.
func (r *Request) reader(ctx context.Context, resp *http.Response) objectReader {
	small := resp.ContentLength >= 0 && resp.ContentLength < manyBytes
	if resp.Body == nil || small || !succeeded(resp.StatusCode) || klog.FromContext(ctx).V(8).Enabled() {
		return nil
	}
	contentType := resp.Header.Get("Content-Type")
	if contentType == "" {
		contentType = r.formats.contentType
	}
	decoder, err := r.decoder(contentType)
	if err != nil {
		return nil
	}
	decoder = sharing(ctx, decoder)
	if versioned, ok := decoder.(runtime.WithoutVersionDecoder); ok {
		if reader, ok := versioned.Decoder.(objectReader); ok {
			return withoutVersion{reader}
		}
		return nil
	}
	reader, _ := decoder.(objectReader)
	return reader
}

func (r *Request) decodeFrom(ctx context.Context, resp *http.Response, reader objectReader, into runtime.Object) (runtime.Object, error) {
	body := &countedReader{from: resp.Body}
	object, err := reader.DecodeFrom(body, into)
	observeResponseSize(ctx, r.verb, resp.Request.URL.Host, body.count)
	switch {
	case body.failed != nil:
		return nil, readError(body.failed)
	case body.count == 0 && into != nil:
		return nil, emptyError(resp.StatusCode, resp.Header.Get("Content-Type"))
	case err != nil:
		return nil, err
	case into != nil && object == into:
		return object, nil
	}
	// Something else came back, or anything was welcome.
	return object, statusFailure(object)
}

// withoutVersion is what runtime.WithoutVersionDecoder is for other decoders.
type withoutVersion struct{ objectReader }

func (w withoutVersion) DecodeFrom(from io.Reader, into runtime.Object) (runtime.Object, error) {
	object, err := w.objectReader.DecodeFrom(from, into)
	if object != nil {
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return object, err
}

// countedReader knows how much was read, and why there is no more, unless that is the end.
type countedReader struct {
	from   io.Reader
	count  int
	failed error
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.count += n
	if err != nil && err != io.EOF {
		c.failed = err
	}
	return n, err
}

func readError(err error) error {
	return fmt.Errorf("unexpected error when reading response body. Please retry. Original error: %w", err)
}

func emptyError(code int, contentType string) error {
	return fmt.Errorf("0-length response with status code: %d and content type: %s", code, contentType)
}
