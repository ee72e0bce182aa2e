package remotecommand

import (
	"context"
	"io"
)

// StreamOptions are the ends of the streams on this side. Nil stands for a stream that
// there is not.
type StreamOptions struct {
	// Stdin is read to its end, or until the command has ended. A read that is under
	// way then is not waited for, so that it may take away what was meant for
	// somebody else.
	Stdin io.Reader
	// Stdout gets what the command writes.
	Stdout io.Writer
	// Stderr gets what it writes to its standard error. With a terminal that is in
	// Stdout, and Stderr is not used.
	Stderr io.Writer
	// Tty says that the command has a terminal.
	Tty bool
	// TerminalSizeQueue tells the sizes of the terminal.
	TerminalSizeQueue TerminalSizeQueue
}

// TerminalSize is a size in characters.
type TerminalSize struct {
	Width  uint16
	Height uint16
}

// TerminalSizeQueue tells of the sizes of a terminal.
type TerminalSizeQueue interface {
	// Next waits for a change of size and returns the new one. It returns nil when
	// there will be no more.
	Next() *TerminalSize
}

// An Executor connects the streams of a command with those of the caller.
type Executor interface {
	// Stream is StreamWithContext with a context that never ends.
	//
	// Deprecated: use StreamWithContext.
	Stream(options StreamOptions) error

	// StreamWithContext opens a connection, carries the streams until the command has
	// ended, and closes the connection. If ctx ends before that, so does the
	// connection, and the error is that of ctx.
	//
	// The error is an UpgradeFailureError if the server has not taken the
	// connection, and an ExitError of util/exec if the command has failed.
	StreamWithContext(ctx context.Context, options StreamOptions) error
}
