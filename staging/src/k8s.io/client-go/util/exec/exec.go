// Package exec has the error with which a command that ran elsewhere tells its
// exit status.
package exec

// An ExitError is the error of a command that ended with a status other than 0.
// Its methods are like those of [os.ProcessState], so that commands here and
// elsewhere can be treated alike.
type ExitError interface {
	String() string
	Error() string
	// Exited reports whether the command has ended.
	Exited() bool
	// ExitStatus returns the status that it ended with.
	ExitStatus() int
}

var _ ExitError = CodeExitError{}

// CodeExitError is an ExitError of a status and an error that explains it.
type CodeExitError struct {
	Err  error
	Code int
}

func (e CodeExitError) Error() string { return e.Err.Error() }

func (e CodeExitError) String() string { return e.Error() }

// Exited returns true: there is a status only when a command has ended.
func (e CodeExitError) Exited() bool { return true }

// ExitStatus returns the Code.
func (e CodeExitError) ExitStatus() int { return e.Code }

// Unwrap returns the Err, for [errors.Is] and [errors.As].
func (e CodeExitError) Unwrap() error { return e.Err }
