package webserver

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

const (
	forEver = "public, max-age=31536000, immutable"
	minute  = "public, max-age=60"
	revisit = "no-cache"

	// What pages need: nothing is inline, nothing comes from elsewhere.
	pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	filePolicy = "default-src 'none'; frame-ancestors 'none'"

	worthwhile      = 1 << 10 // Smaller files fit into a packet.
	compressible    = 4 << 20 // Larger ones take too long.
	compressedFiles = 512
)

// send answers with the file, or with the part of it that is asked for, and its headers. It tells
// whether the file is still needed.
func (e *exchange) send(name string) (streaming bool) {
	size, modified, conditions := e.file.size(), e.file.modified(), e.conditions()
	e.set("Content-Type", e.kind.mime)
	e.set("Cache-Control", e.kind.keep())
	if e.kind.page {
		e.set("Content-Security-Policy", pagePolicy)
		e.set("Cross-Origin-Opener-Policy", "same-origin")
		e.set("X-Frame-Options", "DENY")
	}
	tag := strconv.FormatInt(modified.UnixNano(), 36) + "-" + strconv.FormatInt(size, 36)
	compress := false
	if e.kind.text && size >= worthwhile && size <= compressible {
		e.set("Vary", "Accept-Encoding")
		if compress = conditions.Get("Range") == "" && takesGzip(e.ctx.Request.Header.PeekAll("Accept-Encoding")); compress {
			e.set("Content-Encoding", "gzip")
			tag += "-gzip"
		}
	}
	e.set("Etag", `"`+tag+`"`)
	from, length, wanted := int64(0), size, true
	if conditions == nil {
		e.set("Last-Modified", modified.UTC().Format(http.TimeFormat))
		e.set("Accept-Ranges", "bytes")
	} else if from, length, wanted = e.weigh(conditions, size, modified); !wanted {
		return false
	}
	if compress {
		data, err := e.gzip(tag+" "+name, e.file)
		if err != nil {
			e.failed(err)
		} else {
			e.write(data)
		}
		return false
	}
	if from > 0 {
		if err := e.file.skip(from); err != nil {
			e.failed(err)
			return false
		}
	}
	e.stream(length)
	return true
}

// keep is for how long a file may be kept.
func (k kind) keep() string {
	switch {
	case k.immutable:
		return forEver
	case k.name == "git":
		return revisit
	}
	return minute
}

// takesGzip tells whether a client takes gzip.
func takesGzip(fields [][]byte) bool {
	for offer := range strings.SplitSeq(string(bytes.Join(fields, []byte(","))), ",") {
		coding, weight, weighed := strings.Cut(offer, ";")
		if coding = strings.TrimSpace(coding); coding != "gzip" && coding != "*" {
			continue
		}
		_, number, _ := strings.Cut(weight, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		return !weighed || err == nil && q > 0
	}
	return false
}

// gzip compresses a file, once.
func (s *Server) gzip(id string, f io.Reader) ([]byte, error) {
	if data, ok := s.compressed.Get(id); ok {
		return data, nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(z, f)
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	s.compressed.Add(id, b.Bytes())
	return b.Bytes(), nil
}
