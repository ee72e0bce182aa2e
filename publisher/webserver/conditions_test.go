package webserver_test

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http/httpguts"

	"k8s.io/publisher/webserver"
)

// twice is a site that is served by the publisher, and by package net/http.
type twice struct {
	ours, std string // addresses
	tag       string // of the file, which has no other part that changes
	modified  string
}

const (
	zip       = "/mod/a.b/c/@v/v1.0.0.zip"
	content10 = "0123456789"
)

func serveTwice(t testing.TB) *twice {
	t.Helper()
	dir := site(t, "index.html")
	name := filepath.Join(dir, zip)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content10), 0o666); err != nil {
		t.Fatal(err)
	}
	modified := time.Date(2026, 4, 22, 15, 4, 5, 600_000_000, time.UTC)
	if err := os.Chtimes(name, modified, modified); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir, webserver.Options{})
	first := s.get(zip)
	std := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Range"), ",") {
			r.Header.Del("Range")
		}
		for _, name := range []string{"Etag", "Content-Type", "Cache-Control", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"} {
			w.Header().Set(name, first.Header.Get(name))
		}
		http.ServeContent(w, r, zip, modified, bytes.NewReader([]byte(content10)))
	}))
	t.Cleanup(std.Close)
	return &twice{s.address, std.Listener.Addr().String(), first.Header.Get("Etag"), first.Header.Get("Last-Modified")}
}

// same tells whether both answer alike.
func (s *twice) same(t *testing.T, method string, header ...string) {
	t.Helper()
	got, want := ask(t, s.ours, method, zip, header...), ask(t, s.std, method, zip, header...)
	for _, a := range []answer{got, want} {
		a.Header.Del("Date")
		a.Header.Del("Connection")
	}
	if got.StatusCode != want.StatusCode || got.Body != want.Body || got.ContentLength != want.ContentLength || !maps.EqualFunc(got.Header, want.Header, slices.Equal) {
		t.Errorf("%s %q:\n%d %v %q\nand by package net/http:\n%d %v %q", method, header, got.StatusCode, got.Header, got.Body, want.StatusCode, want.Header, want.Body)
	}
}

// Whatever a request's conditions are, it is answered as package net/http would.
func TestConditionsAndRangesAreThoseOfNetHTTP(t *testing.T) {
	s := serveTwice(t)
	const before, after, never = "Wed, 22 Apr 2026 15:04:04 GMT", "Wed, 22 Apr 2026 15:04:06 GMT", "not a date"
	tags := []string{s.tag, "W/" + s.tag, `"other"`, `"other", ` + s.tag, "*", "", s.tag[1:]}
	times := []string{s.modified, before, after, never, "0"}
	var all [][]string
	add := func(name string, values ...string) {
		for _, v := range values {
			all = append(all, []string{name, v})
		}
	}
	add("If-None-Match", tags...)
	add("If-Match", tags...)
	add("If-Modified-Since", times...)
	add("If-Unmodified-Since", times...)
	ranges := []string{
		"bytes=0-", "bytes=0-0", "bytes=3-5", "bytes=9-9", "bytes=9-100", "bytes=10-", "bytes=-3", "bytes=-0", "bytes=-100", "bytes=5-3", "bytes=a-b", "bytes=", "bytes",
		"bytes=1-2,4-5", "items=0-1", "", "bytes= 1 - 2", "bytes=0-18446744073709551616", "bytes=--1",
	}
	add("Range", ranges...)
	for _, v := range slices.Concat(tags, times) {
		all = append(all, []string{"Range", "bytes=3-5", "If-Range", v}, []string{"If-Range", v})
	}
	for _, tag := range tags {
		for _, at := range times {
			all = append(all, []string{"If-None-Match", tag, "If-Modified-Since", at}, []string{"If-Match", tag, "If-Unmodified-Since", at, "Range", "bytes=1-1"})
		}
	}
	all = append(all, nil, []string{"If-None-Match", `"x"`, "If-None-Match", s.tag}, []string{"if-none-match", s.tag}, []string{"Range", "bytes=1-2", "Range", "bytes=3-4"})
	for _, header := range all {
		s.same(t, "GET", header...)
		s.same(t, "HEAD", header...)
	}
}

func FuzzConditions(f *testing.F) {
	s := serveTwice(f)
	f.Add(false, s.tag, "", "", "", "", "")
	f.Add(true, "", "W/"+s.tag, "", "", s.tag, "bytes=1-2")
	f.Add(false, "", "", s.modified, s.modified, s.modified, "bytes=-2")
	f.Add(false, "", "", "", "", "", "bytes=1-2,3-4")
	f.Fuzz(func(t *testing.T, head bool, match, noneMatch, since, notSince, ifRange, which string) {
		var header []string
		for _, field := range [][2]string{{"If-Match", match}, {"If-None-Match", noneMatch}, {"If-Modified-Since", since}, {"If-Unmodified-Since", notSince}, {"If-Range", ifRange}, {"Range", which}} {
			if !httpguts.ValidHeaderFieldValue(field[1]) || len(field[1]) > 1000 {
				return // No client can say so.
			}
			if field[1] != "" {
				header = append(header, field[0], field[1])
			}
		}
		s.same(t, map[bool]string{false: "GET", true: "HEAD"}[head], header...)
	})
}
