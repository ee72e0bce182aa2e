package transport_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
	"k8s.io/client-go/transport"
)

// authorizationOf returns what rt sends as the Authorization of a request.
func authorizationOf(t *testing.T, rt http.RoundTripper, sent *http.Header) string {
	t.Helper()
	req, _ := http.NewRequest(http.MethodGet, "http://server.test", nil)
	if _, err := rt.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	return sent.Get("Authorization")
}

func TestTokenFileIsReadAgainAfterItChanges(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		inner, sent := recorder(http.StatusOK)
		file := write(t, dir, "token", []byte(" one\n"))
		rt, err := transport.NewBearerAuthWithRefreshRoundTripper("", file, inner)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(want string) {
			t.Helper()
			if got := authorizationOf(t, rt, sent); got != "Bearer "+want {
				t.Errorf("sent %q, want %q", got, want)
			}
		}
		expect("one")
		write(t, dir, "token", []byte("two"))
		time.Sleep(49 * time.Second)
		expect("one")
		time.Sleep(2 * time.Second)
		expect("two")

		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		expect("two")
		write(t, dir, "token", []byte("three"))
		expect("three")
	})
}

func TestConfiguredTokenServesUntilTheFileIsThere(t *testing.T) {
	dir := t.TempDir()
	inner, sent := recorder(http.StatusOK)
	rt, err := transport.NewBearerAuthWithRefreshRoundTripper("configured", filepath.Join(dir, "token"), inner)
	if err != nil {
		t.Fatal(err)
	}
	if got := authorizationOf(t, rt, sent); got != "Bearer configured" {
		t.Errorf("sent %q", got)
	}
	write(t, dir, "token", []byte("file"))
	if got := authorizationOf(t, rt, sent); got != "Bearer file" {
		t.Errorf("sent %q", got)
	}
}

// A countingSource has tokens that hold for a minute, each with its number.
type countingSource struct {
	calls atomic.Int64
	fail  atomic.Bool
}

func (s *countingSource) Token() (*oauth2.Token, error) {
	n := s.calls.Add(1)
	if s.fail.Load() {
		return nil, errors.New("no token today")
	}
	return &oauth2.Token{AccessToken: fmt.Sprint("t", n), Expiry: time.Now().Add(time.Minute)}, nil
}

func TestTokenIsKeptUntilItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var source countingSource
		cached := transport.NewCachedTokenSource(&source)
		expect := func(want string) {
			t.Helper()
			token, err := cached.Token()
			if err != nil || token.AccessToken != want {
				t.Errorf("got %v, %v, want %s", token, err, want)
			}
		}
		expect("t1")
		time.Sleep(59 * time.Second)
		expect("t1")
		time.Sleep(2 * time.Second)
		expect("t2")
		cached.ResetTokenOlderThan(time.Now().Add(-time.Second))
		expect("t2")
		time.Sleep(time.Second)
		cached.ResetTokenOlderThan(time.Now())
		expect("t3")

		source.fail.Store(true)
		time.Sleep(time.Hour)
		expect("t3")
		cached.ResetTokenOlderThan(time.Now())
		if token, err := cached.Token(); err == nil {
			t.Errorf("got %v although there is none", token)
		}
		source.fail.Store(false)
		expect("t6")
	})
}

func TestTokenWithoutExpiryIsNotKept(t *testing.T) {
	calls := 0
	cached := transport.NewCachedTokenSource(tokenFunc(func() (*oauth2.Token, error) {
		calls++
		return &oauth2.Token{AccessToken: "t"}, nil
	}))
	for range 3 {
		if _, err := cached.Token(); err != nil {
			t.Error(err)
		}
	}
	if calls != 3 {
		t.Errorf("%d calls, want 3", calls)
	}
}

type tokenFunc func() (*oauth2.Token, error)

func (f tokenFunc) Token() (*oauth2.Token, error) { return f() }

func TestManyWhoNeedATokenAskForOne(t *testing.T) {
	var source countingSource
	cached := transport.NewCachedTokenSource(&source)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 100 {
				if token, err := cached.Token(); err != nil || token.AccessToken != "t1" {
					t.Errorf("got %v, %v", token, err)
				}
			}
		})
	}
	all.Wait()
	if calls := source.calls.Load(); calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

func TestTokenThatTheServerRefusesIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusing, sent := recorder(http.StatusUnauthorized)
		cached := transport.NewCachedTokenSource(new(countingSource))
		rt := transport.ResettableTokenSourceWrapTransport(cached)(refusing)
		for _, want := range []string{
			"Bearer t1", // it was obtained for this request
			"Bearer t1", // now it is older than the request, and dropped
			"Bearer t2",
		} {
			if got := authorizationOf(t, rt, sent); got != want {
				t.Errorf("sent %q, want %q", got, want)
			}
			time.Sleep(time.Second)
		}

		cached = transport.NewCachedTokenSource(new(countingSource))
		rt = transport.TokenSourceWrapTransport(cached)(refusing)
		for range 3 {
			if got := authorizationOf(t, rt, sent); got != "Bearer t1" {
				t.Errorf("sent %q although nothing resets it", got)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestTokenTransportFailsWithoutAToken(t *testing.T) {
	inner, sent := recorder(http.StatusOK)
	var source countingSource
	source.fail.Store(true)
	rt := transport.TokenSourceWrapTransport(&source)(inner)
	body := &closeRecorder{}
	req, _ := http.NewRequest(http.MethodPost, "http://server.test", body)
	if _, err := rt.RoundTrip(req); err == nil {
		t.Error("there is no error")
	}
	if !body.closed {
		t.Error("the body is not closed")
	}
	req.Header.Set("Authorization", "own")
	if _, err := rt.RoundTrip(req); err != nil || sent.Get("Authorization") != "own" {
		t.Errorf("sent %q, %v", sent.Get("Authorization"), err)
	}
}
