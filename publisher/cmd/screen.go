package cmd

import (
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// screen is stderr. On a terminal it has a progress bar as its last line, and
// what is written to it goes above; elsewhere progress is logged.
type screen struct {
	out      io.Writer
	redact   func(string) string // takes secrets out
	terminal bool
	log      *slog.Logger

	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	total int
	what  string
	next  time.Time // when progress may be logged at info again
}

// logEvery keeps logs short: whoever reads them wants to know that work goes
// on, not each step.
const logEvery = 10 * time.Second

func newScreen(out io.Writer, redact func(string) string) *screen {
	s := &screen{out: out, redact: redact, log: slog.New(slog.DiscardHandler), next: time.Now().Add(logEvery)}
	if file, ok := out.(*os.File); ok {
		s.terminal = term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	}
	return s
}

// Write writes above the progress bar, and only what is [printable].
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		if err := s.bar.Clear(); err != nil {
			return 0, err
		}
	}
	if _, err := io.WriteString(s.out, printable(s.redact(string(p)))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// progress shows how far a run is. A total of 0 means that it is not known.
func (s *screen) progress(what string, done, total int) {
	s.mu.Lock()
	if s.terminal {
		defer s.mu.Unlock()
		s.show(what, done, total)
		return
	}
	changed, due := what != s.what, time.Now().After(s.next)
	s.what = what
	if due {
		s.next = time.Now().Add(logEvery)
	}
	s.mu.Unlock() // The log writes to the screen.
	args := []any{"done", done}
	if total > 0 {
		args = append(args, "total", total)
	}
	switch {
	case due:
		s.log.Info(what, args...)
	case changed:
		s.log.Debug(what, args...)
	}
}

func (s *screen) show(what string, done, total int) {
	if s.bar == nil || total != s.total || total == 0 && what != s.what {
		s.clear()
		most := total
		if most == 0 {
			most = -1
		}
		s.bar = progressbar.NewOptions(most,
			progressbar.OptionSetWriter(s.out),
			progressbar.OptionSetWidth(30),
			progressbar.OptionShowCount(),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false),
			// The bar is drawn by nobody but us: log lines come between.
			progressbar.OptionSetSpinnerChangeInterval(0),
			progressbar.OptionThrottle(50*time.Millisecond),
		)
		s.total = total
	}
	s.what = what
	// A bar that cannot be drawn is no reason to stop.
	s.bar.Describe(cut(oneLine(what), 40))
	_ = s.bar.Set(done)
}

func (s *screen) clear() {
	if s.bar != nil {
		_ = s.bar.Clear()
		_ = s.bar.Exit()
		s.bar = nil
	}
}

// end takes the progress bar away.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}
