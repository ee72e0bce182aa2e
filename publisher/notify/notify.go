// Package notify tells people what came of runs: by an issue at GitHub, and by a
// request to a URL of theirs.
package notify

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/publisher/status"
)

// timeout bounds each request.
const timeout = 20 * time.Second

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// headline says in a line what failed.
func headline(s *status.Status) string {
	failed := s.Failed()
	switch {
	case len(failed) == 0:
		return "The run failed before it came to any destination"
	case len(failed) == len(s.Destinations):
		return fmt.Sprintf("Publishing fails at all %d destinations", len(failed))
	case len(failed) > 5:
		return fmt.Sprintf("Publishing fails at %d of %d destinations, such as %s", len(failed), len(s.Destinations), failed[0])
	}
	return "Publishing fails at " + strings.Join(failed, ", ")
}

// end is the end of a text with at most so many bytes, from the start of a line on.
func end(text string, most int) string {
	text = strings.TrimSpace(text)
	if len(text) <= most {
		return text
	}
	text = text[len(text)-most:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	return "…\n" + strings.ToValidUTF8(text, "")
}
