package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"k8s.io/publisher/status"
)

// Webhook reports to a URL, with a POST of a [Message] in JSON: each run that failed,
// and the first one after it that did not.
type Webhook struct {
	// URLFile has the URL, which often is a secret. It is read for each report.
	URLFile string
	// Client is what requests are made with. Nil: one of its own.
	Client *http.Client

	failing bool
}

// Message is what is sent. docs/webhook.schema.json describes it.
type Message struct {
	// Text says it in a line, where chats look for it.
	Text string `json:"text"`
	// State is failing or recovered.
	State    string    `json:"state"`
	Run      string    `json:"run"` // its id
	Cause    string    `json:"cause"`
	Finished time.Time `json:"finished"`
	Error    string    `json:"error,omitempty"`
	// Destinations are those that fail.
	Destinations []Failing `json:"destinations"`
}

// Failing is a destination that fails.
type Failing struct {
	Name    string    `json:"name"`
	Error   string    `json:"error"`
	Since   time.Time `json:"since"`
	Waiting int       `json:"waiting"` // branches and tags
}

// mostError bounds errors in a message, in bytes.
const mostError = 4 << 10

// Name is who is told.
func (*Webhook) Name() string { return "webhook" }

// Report sends a message where there is something to tell.
func (w *Webhook) Report(ctx context.Context, s *status.Status, _ string) error {
	message := Message{Run: s.Run.ID, Cause: s.Run.Cause, Finished: s.Run.Finished, Error: end(s.Run.Error, mostError), Destinations: []Failing{}}
	switch {
	case s.Run.Error != "":
		message.State, message.Text = "failing", headline(s)
	case w.failing:
		message.State, message.Text = "recovered", fmt.Sprintf("Publishing goes on: %d destinations are up to date", len(s.Destinations))
	default:
		return nil
	}
	for _, d := range s.Destinations {
		if d.Error != "" {
			message.Destinations = append(message.Destinations, Failing{d.Name, end(d.Error, mostError), *d.FailingSince, d.Waiting})
		}
	}
	if err := w.send(ctx, message); err != nil {
		return fmt.Errorf("report to the URL in %s: %w", w.URLFile, err)
	}
	w.failing = message.State == "failing"
	return nil
}

func (w *Webhook) send(ctx context.Context, message Message) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	place, err := os.ReadFile(w.URLFile)
	if err != nil {
		return err
	}
	data, err := json.Marshal(message)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSpace(string(place)), bytes.NewReader(data))
	if err != nil {
		return errors.New("the URL is malformed")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "publisher")
	client := w.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // It quotes the URL.
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // for the connection's next use
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("the server answers %s", answer.Status)
	}
	return nil
}
