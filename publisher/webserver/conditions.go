package webserver

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// conditions are the header fields of a request that say when it is to be answered, and with
// which part of a file. Most requests have none. Who asks for several parts at once gets the
// whole, as RFC 9110 leaves to the server.
func (e *exchange) conditions() (fields http.Header) {
	for name, value := range e.ctx.Request.Header.All() {
		if strings.HasPrefix(string(name), "If-") || string(name) == "Range" && !bytes.ContainsRune(value, ',') {
			if fields == nil {
				fields = http.Header{}
			}
			fields.Add(string(name), string(value))
		}
	}
	return fields
}

// verdict is what package net/http says of a request with conditions.
type verdict struct {
	header       http.Header
	code         int
	text         []byte
	from, length int64 // the part of the content to be sent
}

// judge has package net/http weigh conditions against the header that an answer has so far. It
// does so without seeing any of the content.
func judge(method string, conditions, header http.Header, size int64, modified time.Time) *verdict {
	v := &verdict{header: header, length: size}
	content := io.NewSectionReader(nil, 0, size)
	http.ServeContent(v, &http.Request{Method: method, Header: conditions}, "", modified, content)
	if length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil {
		v.length = length
	}
	header.Del("Content-Length") // It follows from the content.
	v.from, _ = content.Seek(0, io.SeekCurrent)
	return v
}

// Header implements [http.ResponseWriter].
func (v *verdict) Header() http.Header { return v.header }

// WriteHeader implements [http.ResponseWriter].
func (v *verdict) WriteHeader(code int) { v.code = code }

// Write takes an error's text.
func (v *verdict) Write(p []byte) (int, error) {
	v.text = append(v.text, p...)
	return len(p), nil
}

// ReadFrom is where the content would go.
func (v *verdict) ReadFrom(io.Reader) (int64, error) { return 0, nil }

// weigh answers a request with conditions, unless a part of the content is to be sent.
func (e *exchange) weigh(conditions http.Header, size int64, modified time.Time) (from, length int64, send bool) {
	h := &e.ctx.Response.Header
	before := http.Header{}
	for name, value := range h.All() {
		before.Add(string(name), string(value))
	}
	v := judge(e.method, conditions, before.Clone(), size, modified)
	for name := range before {
		h.Del(name)
	}
	for name, values := range v.header {
		h.Set(name, values[0])
	}
	e.ctx.SetStatusCode(v.code)
	if v.code != http.StatusOK && v.code != http.StatusPartialContent {
		e.write(v.text)
		return 0, 0, false
	}
	return v.from, v.length, true
}
