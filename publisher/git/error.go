package git

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Error reports a git command that did not succeed.
type Error struct {
	// Command is the subcommand.
	Command string
	// Stderr is the end of what git wrote to its standard error, fit to be
	// printed.
	Stderr string
	// Err is an [*exec.ExitError] if git ended in another way than well, and the
	// context's cause too if that ended.
	Err error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("git %s: %v", e.Command, e.Err)
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Code is git's exit status, and -1 if it has none: it could not be started, or
// was killed.
func (e *Error) Code() int {
	if exit, ok := errors.AsType[*exec.ExitError](e.Err); ok {
		return exit.ExitCode()
	}
	return -1
}

// Unfinished reports whether git was killed, or gave up waiting for what it had
// started: that may be at work still.
func (e *Error) Unfinished() bool {
	exit, ok := errors.AsType[*exec.ExitError](e.Err)
	return ok && !exit.Exited() || errors.Is(e.Err, exec.ErrWaitDelay)
}

// Refused reports whether git ran to its end and said no. Whatever else went
// wrong is this machine's fault, and says nothing about a repository. As git
// gives the same status for both, it goes by the system's words; a machine may
// fail in ways that those do not tell. Who is to conclude something about a
// repository should look for the words that say just that.
func (e *Error) Refused() bool { return e.Code() >= 0 && !TellsOfFault(e.Stderr) }

// errFault is for git that goes on when the system failed it, as if a file that
// it could not read were not there.
var errFault = errors.New("the system failed it")

// TellsOfFault reports whether what a program said has the words of the system when
// it fails.
func TellsOfFault(said string) bool {
	said = strings.ToLower(said)
	return slices.ContainsFunc(machineFaults, func(fault string) bool { return strings.Contains(said, fault) })
}

// machineFaults are in what git says when the system failed it.
var machineFaults = func() []string {
	faults := []string{
		"out of memory", "out of diskspace", "died of signal", "write error", "unable to create threaded",
		"unable to create thread", "not installed properly", "bus error",
	}
	for _, err := range []syscall.Errno{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE,
		syscall.EAGAIN, syscall.EACCES, syscall.EPERM, syscall.ESTALE, syscall.ENODEV, syscall.ENXIO,
	} {
		faults = append(faults, err.Error())
	}
	return faults
}()

// mostSaid bounds what is kept of git's words, in bytes.
const mostSaid = 4 << 10

// tail keeps the end of what is written to it.
type tail struct {
	end []byte
	cut bool
}

func (t *tail) Write(data []byte) (int, error) {
	t.end = append(t.end, data...)
	if over := len(t.end) - mostSaid; over > 0 {
		t.end, t.cut = append(t.end[:0], t.end[over:]...), true
	}
	return len(data), nil
}

func (t *tail) text() string {
	text := Printable(strings.TrimSpace(string(t.end)))
	if t.cut {
		text = "…" + text
	}
	return text
}

// Printable returns a text with all that could direct a terminal, or is not
// text, written as Go escapes it. Ends of lines and tabs stay.
func Printable(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch _, size := utf8.DecodeRuneInString(text[i:]); {
		case r == '\n' || r == '\t' || strconv.IsPrint(r) && (r != utf8.RuneError || size > 1):
			b.WriteRune(r)
		default:
			quoted := strconv.Quote(text[i : i+size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
