package clientcmd

import (
	"errors"
	"fmt"
	"strings"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

var (
	// ErrNoContext tells that a context is needed and none was chosen.
	ErrNoContext = errors.New("no context chosen")
	// ErrEmptyConfig tells that there is no configuration at all.
	// [IsEmptyConfig] holds for it.
	ErrEmptyConfig = NewEmptyConfigError("no configuration has been provided, try setting KUBERNETES_MASTER environment variable")
	// ErrEmptyCluster tells that nothing is known of the cluster.
	ErrEmptyCluster = errors.New("cluster has no server defined")
)

// contextNotFound is the start of the message of an errContextNotFound.
const contextNotFound = "context was not found for specified context"

// errContextNotFound tells that a context that was asked for does not exist.
type errContextNotFound struct {
	ContextName string
	// overridden tells that it was asked for by an override, such as a flag.
	overridden bool
}

func (e *errContextNotFound) Error() string {
	if e.overridden {
		return fmt.Sprintf("context %q does not exist", e.ContextName)
	}
	return contextNotFound + ": " + e.ContextName
}

type errEmptyConfig struct {
	message string
}

func (e *errEmptyConfig) Error() string { return e.message }

// NewEmptyConfigError returns an error with that message for which
// [IsEmptyConfig] holds.
func NewEmptyConfigError(message string) error {
	return &errEmptyConfig{message}
}

// errConfigurationInvalid is what is wrong with a configuration, each of it.
// It is never empty.
type errConfigurationInvalid []error

var _ utilerrors.Aggregate = errConfigurationInvalid{}

// invalid returns an errConfigurationInvalid, or nil if nothing is wrong.
func invalid(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return errConfigurationInvalid(errs)
}

func (e errConfigurationInvalid) Error() string {
	return fmt.Sprintf("invalid configuration: %v", utilerrors.NewAggregate(e).Error())
}

// Errors returns what is wrong, piece by piece.
func (e errConfigurationInvalid) Errors() []error { return e }

// Unwrap lets errors.Is and errors.As see the pieces.
func (e errConfigurationInvalid) Unwrap() []error { return e }

// Is tells whether target is one of the pieces.
func (e errConfigurationInvalid) Is(target error) bool {
	for _, err := range e {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// IsContextNotFound tells whether err, or what it wraps, says that the context
// asked for does not exist, or that none was asked for.
func IsContextNotFound(err error) bool {
	if err == nil {
		return false
	}
	var notFound *errContextNotFound
	return errors.As(err, &notFound) || errors.Is(err, ErrNoContext) || strings.Contains(err.Error(), contextNotFound)
}

// IsEmptyConfig tells whether err, or what it wraps, says that there is no
// configuration. Of a configuration that is invalid for several reasons this
// holds only if all of them say so.
func IsEmptyConfig(err error) bool {
	var several errConfigurationInvalid
	if errors.As(err, &several) {
		return len(several) == 1 && IsEmptyConfig(several[0])
	}
	var empty *errEmptyConfig
	return errors.As(err, &empty)
}

// IsConfigurationInvalid tells whether err, or what it wraps, says that there
// is a configuration and it cannot be used. A context that does not exist is
// one way to be invalid.
func IsConfigurationInvalid(err error) bool {
	var several errConfigurationInvalid
	return errors.As(err, &several) || IsContextNotFound(err)
}
