package transport_test

import (
	"io"
	"log"
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

var discardLog = log.New(io.Discard, "", 0)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// roundTripFunc is a round tripper for what does not need a server.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// recorder returns a round tripper that answers with that status, and a pointer
// to the headers of the last request.
func recorder(status int) (http.RoundTripper, *http.Header) {
	var last http.Header
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		last = req.Header
		return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}, Request: req}, nil
	}), &last
}
