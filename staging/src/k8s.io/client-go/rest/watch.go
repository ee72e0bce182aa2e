package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/internal/share/offer"
	restclientwatch "k8s.io/client-go/rest/watch"
	"k8s.io/klog/v2"
)

// newWatch returns a watch of the events in an answer, which it closes.
func (r *Request) newWatch(ctx context.Context, resp *http.Response) (watch.Interface, error) {
	contentType := resp.Header.Get("Content-Type")
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		klog.FromContext(ctx).V(4).Info("Taking a watch for one in the format that was asked for, as its Content-Type means nothing", "contentType", contentType, "err", err)
		mediaType = r.formats.contentType
	}
	// A stream of CBOR items has a media type of its own (RFC 8742); what decodes
	// them goes by that of one item.
	if mediaType == runtime.ContentTypeCBORSequence {
		mediaType = runtime.ContentTypeCBOR
	}
	offer.Decoded(ctx)
	objects, events, framer, err := r.c.content.negotiator.StreamDecoder(mediaType, params)
	if err != nil {
		return nil, err
	}
	decoder := &endingDecoder{Decoder: eventDecoder(resp.Body, sharing(ctx, objects), events, framer), ctx: ctx}
	w := &eventStream{
		decoder:  decoder,
		logger:   klog.FromContext(ctx),
		reporter: apierrors.NewClientErrorReporter(http.StatusInternalServerError, r.verb, "ClientWatchDecoding"),
	}
	// Whoever cancels the context may not read the events any more, nor stop the watch.
	decoder.onClose(context.AfterFunc(ctx, w.Stop))
	return w, nil
}

// An eventStream is a watch. Its events are decoded by the goroutine that takes them with
// NextEvent, or else, for ResultChan, by one of its own: a goroutine for each watch, and
// handing over each event, cost more than to decode it.
type eventStream struct {
	decoder  *endingDecoder
	logger   klog.Logger
	reporter watch.Reporter
	over     bool // for NextEvent

	mu      sync.Mutex
	watcher *watch.StreamWatcher // once there is a channel
}

// ResultChan returns the channel that events come from.
func (s *eventStream) ResultChan() <-chan watch.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watcher == nil {
		s.watcher = watch.NewStreamWatcherWithLogger(s.logger, s.decoder, s.reporter)
	}
	return s.watcher.ResultChan()
}

// Stop ends the watch. It may be called several times, and by anybody.
func (s *eventStream) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watcher != nil {
		s.watcher.Stop()
		return
	}
	s.decoder.Close()
}

// NextEvent waits for the next event. It returns false where the channel would be
// closed. One goroutine calls it, and nobody uses the channel.
func (s *eventStream) NextEvent() (watch.Event, bool) {
	if s.over {
		return watch.Event{}, false
	}
	eventType, object, err := s.decoder.Decode()
	if err == nil {
		return watch.Event{Type: eventType, Object: object}, true
	}
	s.over = true
	if errors.Is(err, io.EOF) {
		return watch.Event{}, false
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err) {
		s.logger.V(4).Info("A watch was cut off", "err", err)
		return watch.Event{}, false
	}
	return watch.Event{Type: watch.Error, Object: s.reporter.AsObject(fmt.Errorf("unable to decode an event from the watch stream: %w", err))}, true
}

// sharing returns a decoder of objects that share what is the same in them, if the
// context offers one, and the decoder is a typed client's.
func sharing(ctx context.Context, objects runtime.Decoder) runtime.Decoder {
	versioned, ok := objects.(runtime.WithoutVersionDecoder)
	if !ok {
		return objects
	}
	sharer, ok := versioned.Decoder.(interface {
		Sharing(offer.Decoder) runtime.Decoder
	})
	if !ok {
		return objects
	}
	if with := offer.Take(ctx); with != nil {
		return sharer.Sharing(with) // which say no version, either
	}
	return objects
}

// endingDecoder makes the end of the context, and Stop, be the end of the stream, and no
// error.
type endingDecoder struct {
	*restclientwatch.Decoder
	ctx context.Context

	mu     sync.Mutex
	closed bool
	forget func() bool // what ends with the context
}

func (d *endingDecoder) Decode() (watch.EventType, runtime.Object, error) {
	eventType, object, err := d.Decoder.Decode()
	if err != nil && (d.ctx.Err() != nil || d.isClosed()) {
		err = io.EOF
	}
	return eventType, object, err
}

func (d *endingDecoder) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

func (d *endingDecoder) Close() {
	d.mu.Lock()
	d.closed = true
	forget := d.forget
	d.mu.Unlock()
	d.Decoder.Close()
	if forget != nil {
		forget()
	}
}

// onClose makes forget be called at the end of the watch, which may have come already.
func (d *endingDecoder) onClose(forget func() bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.forget = forget; d.closed {
		forget()
	}
}

// jsonEvents is what serializers have that read events as servers write them, in JSON.
type jsonEvents interface {
	ReadsJSONWatchEvents()
}

// eventDecoder returns a decoder of events that are framed by framer and decoded by
// events. The ones that servers use are known here, and are not decoded twice.
func eventDecoder(body io.ReadCloser, objects runtime.Decoder, events runtime.Serializer, framer runtime.Framer) *restclientwatch.Decoder {
	switch events.(type) {
	case *json.Serializer, jsonEvents:
		if framer == runtime.Framer(json.Framer) {
			return restclientwatch.NewJSONDecoder(body, objects)
		}
	case *protobuf.RawSerializer:
		if framer == runtime.Framer(protobuf.LengthDelimitedFramer) {
			return restclientwatch.NewProtobufDecoder(body, objects)
		}
	}
	return restclientwatch.NewDecoder(streaming.NewDecoder(framer.NewFrameReader(body), events), objects)
}
