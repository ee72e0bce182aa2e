package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
)

// body is what a request sends: nothing, or one of the fields.
type body struct {
	bytes []byte           // not nil if they are what is sent
	fresh func() io.Reader // for readers that can be had again and again

	reader io.Reader // any other one
	seeker io.Seeker // the reader if it can go back
	start  int64     // where it goes back to
	sent   *loan     // the reader, as the last attempt got it
}

// Body sets what to send. It may be the name of a file, as a string; bytes; an io.Reader,
// which is read when the request is sent, and closed if it can be closed but cannot seek; or an API object, which is encoded in the
// client's format and makes the Content-Type header be set. A nil pointer to an object means nothing.
// Anything else is an error.
func (r *Request) Body(obj interface{}) *Request {
	if r.err != nil {
		return r
	}
	switch what := obj.(type) {
	case string:
		data, err := os.ReadFile(what)
		if err != nil {
			return r.fail(err)
		}
		r.send(data)
	case []byte:
		r.send(what)
	// What is in memory is sent from there, without moving the reader: a copy of it
	// stands where it stands.
	case *bytes.Buffer:
		r.send(what.Bytes())
	case *bytes.Reader:
		r.body = body{fresh: func() io.Reader { c := *what; return &c }}
	case *strings.Reader:
		r.body = body{fresh: func() io.Reader { c := *what; return &c }}
	case io.Reader:
		r.body = body{reader: what}
		if seeker, ok := what.(io.Seeker); ok {
			if start, err := seeker.Seek(0, io.SeekCurrent); err == nil {
				r.body.seeker, r.body.start = seeker, start
			}
		}
	case runtime.Object:
		// Callers pass optional objects without a check.
		if v := reflect.ValueOf(what); v.Kind() == reflect.Pointer && v.IsNil() {
			return r
		}
		return r.encode(what)
	default:
		return r.fail(fmt.Errorf("unknown type used for body: %+v", obj))
	}
	return r
}

func (r *Request) encode(obj runtime.Object) *Request {
	contentType := r.formats.contentType
	encoder, err := r.c.content.negotiator.Encoder(contentType, nil)
	if err != nil {
		return r.fail(err)
	}
	data, err := runtime.Encode(encoder, obj)
	if err != nil {
		return r.fail(err)
	}
	r.send(data)
	return r.SetHeader("Content-Type", contentType)
}

func (r *Request) send(data []byte) {
	if data == nil {
		data = []byte{}
	}
	r.body = body{bytes: data}
}

// replayable reports whether the body can be sent again.
func (b *body) replayable() bool {
	return b.reader == nil || b.sent == nil || b.seeker != nil && b.sent.isReturned()
}

// open returns a reader of the body from its start.
func (b *body) open() (io.Reader, error) {
	switch {
	case b.bytes != nil:
		return bytes.NewReader(b.bytes), nil
	case b.fresh != nil:
		return b.fresh(), nil
	case b.reader == nil:
		return nil, nil
	}
	if b.sent != nil {
		if _, err := b.seeker.Seek(b.start, io.SeekStart); err != nil {
			return nil, err
		}
	}
	b.sent = &loan{reader: b.reader, last: b.seeker == nil}
	return b.sent, nil
}

// loan is a reader that is lent to the transport for an attempt. The transport may go on
// reading when it has returned an answer already; it closes the loan when it has done with it.
type loan struct {
	mu       sync.Mutex
	reader   io.Reader
	last     bool // there will be no other attempt
	returned bool
}

var errReturned = errors.New("the body of the request was closed")

func (l *loan) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.returned {
		return 0, errReturned
	}
	return l.reader.Read(p)
}

func (l *loan) Close() error {
	if closer, ok := l.reader.(io.Closer); ok && l.last {
		// What waits in Read is freed by this only.
		return closer.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.returned = true
	return nil
}

func (l *loan) isReturned() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.returned
}
