package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

type collect struct{ got []string }

func (c *collect) HandleWarningHeader(code int, agent, text string) {
	c.got = append(c.got, fmt.Sprint(code, " ", agent, " ", text))
}

type collectWithContext struct{ collect }

type contextKey struct{}

func (c *collectWithContext) HandleWarningHeaderWithContext(ctx context.Context, code int, agent, text string) {
	c.HandleWarningHeader(code, agent, fmt.Sprint(text, " ", ctx.Value(contextKey{})))
}

func TestWarningsGoToTheNearestHandler(t *testing.T) {
	before := defaultWarnings.Load()
	t.Cleanup(func() { defaultWarnings.Store(before) })
	byDefault, ofConfig, ofRequest := &collect{}, &collectWithContext{}, &collect{}
	SetDefaultWarningHandler(byDefault)
	config := testConfig("https://server.example")
	config.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
		return answer(200, "application/json", podJSON, "Warning", `299 - "old"`), nil
	})
	ctx := context.WithValue(background, contextKey{}, "value")

	testClient(t, config).Get().Do(ctx)
	config.WarningHandler = &collect{}
	config.WarningHandlerWithContext = ofConfig // comes first
	testClient(t, config).Get().Do(ctx)
	testClient(t, config).Get().WarningHandler(ofRequest).Do(ctx)
	testClient(t, config).Get().WarningHandler(nil).Do(ctx)

	for name, tc := range map[string]struct {
		got  []string
		want string
	}{
		"default": {byDefault.got, "[299 - old 299 - old]"},
		"config":  {ofConfig.got, "[299 - old value]"},
		"request": {ofRequest.got, "[299 - old]"},
		"other":   {config.WarningHandler.(*collect).got, "[]"},
	} {
		if fmt.Sprint(tc.got) != tc.want {
			t.Errorf("%s: %v, want %s", name, tc.got, tc.want)
		}
	}
}

func TestWarningsOfStreamsAndWatchesAreHandled(t *testing.T) {
	client := clientTo(t, func(*http.Request) (*http.Response, error) {
		return answer(200, "application/json", "", "Warning", `299 - "old"`), nil
	})
	got := &collect{}
	stream, err := client.Get().WarningHandler(got).Stream(background)
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	w, err := client.Get().WarningHandler(got).Watch(background)
	if err != nil {
		t.Fatal(err)
	}
	w.Stop()
	if len(got.got) != 2 {
		t.Errorf("got %v", got.got)
	}
}

func TestWarningWriter(t *testing.T) {
	for name, tc := range map[string]struct {
		opts  WarningWriterOptions
		want  string
		count int
	}{
		"plain":        {WarningWriterOptions{}, "Warning: a\nWarning: b\nWarning: a\n", 3},
		"deduplicated": {WarningWriterOptions{Deduplicate: true}, "Warning: a\nWarning: b\n", 2},
		"colored":      {WarningWriterOptions{Deduplicate: true, Color: true}, "\x1b[33;1mWarning:\x1b[0m a\n\x1b[33;1mWarning:\x1b[0m b\n", 2},
	} {
		var out strings.Builder
		w := NewWarningWriter(&out, tc.opts)
		for _, text := range []string{"a", "b", "", "a"} {
			w.HandleWarningHeader(299, "-", text)
		}
		w.HandleWarningHeaderWithContext(background, 199, "-", "another code")
		if out.String() != tc.want || w.WarningCount() != tc.count {
			t.Errorf("%s: wrote %q, count %d", name, out.String(), w.WarningCount())
		}
	}
}
