package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/util/net"
	"k8s.io/klog/v2"
)

// WarningHandler gets the warnings that servers send along with their answers, for
// instance about deprecated APIs.
type WarningHandler interface {
	// HandleWarningHeader is called for each warning. Servers use code 299; agent says
	// who warns, or is "-".
	HandleWarningHeader(code int, agent string, text string)
}

// WarningHandlerWithContext is a WarningHandler that gets the context of the request.
type WarningHandlerWithContext interface {
	// HandleWarningHeaderWithContext is called for each warning. Servers use code 299;
	// agent says who warns, or is "-".
	HandleWarningHeaderWithContext(ctx context.Context, code int, agent string, text string)
}

// persistentWarning is the code of warnings that are meant for people.
const persistentWarning = 299

// defaultWarnings holds the handler for clients that have none. Nil stands for
// WarningLogger.
var defaultWarnings atomic.Pointer[WarningHandlerWithContext]

// SetDefaultWarningHandler sets the handler for clients that have none. It is WarningLogger
// at first; NoWarnings and NewWarningWriter are others.
func SetDefaultWarningHandler(l WarningHandler) {
	if l == nil {
		SetDefaultWarningHandlerWithContext(nil)
		return
	}
	SetDefaultWarningHandlerWithContext(warningsWithoutContext{l})
}

// SetDefaultWarningHandlerWithContext is SetDefaultWarningHandler for handlers that want
// the context of the request.
func SetDefaultWarningHandlerWithContext(l WarningHandlerWithContext) {
	if l == nil {
		l = NoWarnings{}
	}
	defaultWarnings.Store(&l)
}

type warningsWithoutContext struct{ WarningHandler }

func (w warningsWithoutContext) HandleWarningHeaderWithContext(_ context.Context, code int, agent string, text string) {
	w.HandleWarningHeader(code, agent, text)
}

func warningHandlerFor(config *Config) WarningHandlerWithContext {
	switch {
	case config.WarningHandlerWithContext != nil:
		return config.WarningHandlerWithContext
	case config.WarningHandler != nil:
		return warningsWithoutContext{config.WarningHandler}
	}
	return nil
}

// handleWarnings gives the warnings in an answer to handler, and returns them. What cannot
// be read as a warning is left out.
func handleWarnings(ctx context.Context, headers http.Header, handler WarningHandlerWithContext) []net.WarningHeader {
	lines := headers["Warning"]
	if len(lines) == 0 {
		return nil
	}
	if handler == nil {
		if set := defaultWarnings.Load(); set != nil {
			handler = *set
		} else {
			handler = WarningLogger{}
		}
	}
	warnings, _ := net.ParseWarningHeaders(lines)
	for _, w := range warnings {
		handler.HandleWarningHeaderWithContext(ctx, w.Code, w.Agent, w.Text)
	}
	return warnings
}

// NoWarnings is a handler that does nothing.
type NoWarnings struct{}

// HandleWarningHeader does nothing.
func (NoWarnings) HandleWarningHeader(code int, agent string, message string) {}

// HandleWarningHeaderWithContext does nothing.
func (NoWarnings) HandleWarningHeaderWithContext(ctx context.Context, code int, agent string, message string) {
}

// WarningLogger is a handler that logs warnings of code 299.
type WarningLogger struct{}

// HandleWarningHeader logs the warning to the program's log.
func (w WarningLogger) HandleWarningHeader(code int, agent string, message string) {
	w.HandleWarningHeaderWithContext(context.Background(), code, agent, message)
}

// HandleWarningHeaderWithContext logs the warning to the log of ctx.
func (WarningLogger) HandleWarningHeaderWithContext(ctx context.Context, code int, agent string, message string) {
	if worthTelling(code, message) {
		klog.FromContext(ctx).Info("Warning: " + message)
	}
}

func worthTelling(code int, message string) bool {
	return code == persistentWarning && message != ""
}

// WarningWriterOptions are the options of NewWarningWriter.
type WarningWriterOptions struct {
	// Deduplicate says to write each text once. All texts are kept in memory for it.
	Deduplicate bool
	// Color allows ANSI colors.
	Color bool
}

type warningWriter struct {
	out  io.Writer
	opts WarningWriterOptions

	mu      sync.Mutex
	count   int
	written map[string]struct{}
}

// NewWarningWriter returns a handler that writes warnings of code 299 to out, one a line.
// Clients may share it.
func NewWarningWriter(out io.Writer, opts WarningWriterOptions) *warningWriter {
	w := &warningWriter{out: out, opts: opts}
	if opts.Deduplicate {
		w.written = map[string]struct{}{}
	}
	return w
}

const yellowBold, normal = "\x1b[33;1m", "\x1b[0m"

// HandleWarningHeader writes the warning.
func (w *warningWriter) HandleWarningHeader(code int, agent string, message string) {
	if !worthTelling(code, message) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opts.Deduplicate {
		if _, before := w.written[message]; before {
			return
		}
		w.written[message] = struct{}{}
	}
	w.count++
	label := "Warning:"
	if w.opts.Color {
		label = yellowBold + label + normal
	}
	// Where warnings cannot be written there is nowhere to say so.
	_, _ = fmt.Fprintln(w.out, label, message)
}

// HandleWarningHeaderWithContext writes the warning.
func (w *warningWriter) HandleWarningHeaderWithContext(_ context.Context, code int, agent string, message string) {
	w.HandleWarningHeader(code, agent, message)
}

// WarningCount returns how many warnings were written.
func (w *warningWriter) WarningCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}
