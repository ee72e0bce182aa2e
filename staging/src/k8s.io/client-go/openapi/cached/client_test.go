package cached_test

import (
	"errors"
	"sync"
	"testing"

	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi/cached"
)

// A source counts what it is asked for.
type source struct {
	mu    sync.Mutex
	err   error
	calls map[string]int
}

func (s *source) call(what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[what]++
	return s.err
}

func (s *source) Paths() (map[string]openapi.GroupVersion, error) {
	return map[string]openapi.GroupVersion{"api/v1": s}, s.call("paths")
}

func (s *source) Schema(contentType string) ([]byte, error) {
	return []byte(contentType), s.call(contentType)
}

func (s *source) ServerRelativeURL() string { return "/somewhere" }

func TestEachThingIsFetchedOnce(t *testing.T) {
	s := &source{calls: map[string]int{}}
	client := cached.NewClient(s)
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			for _, form := range []string{"application/json", openapi.ContentTypeOpenAPIV3PB} {
				paths, err := client.Paths()
				if err != nil {
					t.Error(err)
					return
				}
				body, err := paths["api/v1"].Schema(form)
				if err != nil || string(body) != form {
					t.Errorf("got %q, %v", body, err)
				}
				if at := paths["api/v1"].ServerRelativeURL(); at != "/somewhere" {
					t.Errorf("it is at %q", at)
				}
			}
		})
	}
	callers.Wait()
	for what, n := range s.calls {
		if n != 1 {
			t.Errorf("%s was fetched %d times", what, n)
		}
	}
	if len(s.calls) != 3 {
		t.Errorf("got %v", s.calls)
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	s := &source{calls: map[string]int{}, err: errors.New("down")}
	client := cached.NewClient(s)
	if paths, err := client.Paths(); !errors.Is(err, s.err) || paths != nil {
		t.Errorf("got %v, %v", paths, err)
	}
	s.err = nil
	paths, err := client.Paths()
	if err != nil {
		t.Fatal(err)
	}
	s.err = errors.New("down")
	if body, err := paths["api/v1"].Schema("x"); !errors.Is(err, s.err) || body != nil {
		t.Errorf("got %q, %v", body, err)
	}
	s.err = nil
	if _, err := paths["api/v1"].Schema("x"); err != nil {
		t.Error(err)
	}
}

func TestMapOfPathsIsTheCallers(t *testing.T) {
	client := cached.NewClient(&source{calls: map[string]int{}})
	paths, err := client.Paths()
	if err != nil {
		t.Fatal(err)
	}
	clear(paths)
	if paths, err = client.Paths(); err != nil || len(paths) != 1 {
		t.Errorf("got %v, %v", paths, err)
	}
}
