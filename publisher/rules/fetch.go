package rules

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// fetchTime bounds how long a rules file may take to arrive.
const fetchTime = 30 * time.Second

// isURL reports whether rules are to be fetched.
func isURL(place string) bool {
	return strings.HasPrefix(place, "https://") || strings.HasPrefix(place, "http://")
}

// LoadOrFetch reads a rules file as [Load] does, or fetches the one at a URL of
// HTTP. What is fetched counts for this once; nothing is kept.
func LoadOrFetch(ctx context.Context, place string) (*Rules, error) {
	if !isURL(place) {
		return Load(place)
	}
	u, err := url.Parse(place)
	if err != nil {
		return nil, fmt.Errorf("fetch rules: the URL is malformed")
	}
	shown := u.Redacted()
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	data, err := fetch(ctx, place)
	if err != nil {
		if failed, ok := err.(*url.Error); ok {
			err = failed.Err // It quotes the URL.
		}
		return nil, fmt.Errorf("fetch rules from %s: %w", shown, err)
	}
	return Parse(shown, data)
}

func fetch(ctx context.Context, place string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, maxFile+1))
}
