package smoke

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/git"
)

// mostLines is how many lines of output a failure shows.
const mostLines = 100

// runScript runs a script and returns the end of what it wrote.
//
// Bash echoes each line of the script as it reads it (-v), so that one sees
// which command failed. It is not told to show commands as it runs them (-x):
// that would write out the values of variables.
func runScript(ctx context.Context, place *builder.Place, c builder.Command, script string, log *slog.Logger) (output string, err error) {
	from, to := io.Pipe()
	c.Args = []string{"bash", "-v", "-e", "-o", "pipefail", script}
	c.Output = to
	end := make(chan string, 1)
	go func() { end <- tail(from, log) }()
	err = errors.Join(place.Run(ctx, c), to.Close())
	return <-end, err
}

// tail logs lines as they come and returns the last ones, fit for a terminal. A
// line without end is taken for several.
func tail(r io.Reader, log *slog.Logger) string {
	var last []string
	for lines := bufio.NewReaderSize(r, 16<<10); ; {
		line, _, err := lines.ReadLine()
		if err != nil {
			return strings.Join(last, "")
		}
		text := git.Printable(string(line))
		log.Debug("smoke test: " + text)
		if len(last) == mostLines {
			last = last[1:]
		}
		last = append(last, text+"\n")
	}
}
