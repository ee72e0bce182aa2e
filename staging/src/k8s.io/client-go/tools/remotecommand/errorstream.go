package remotecommand

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/util/exec"
)

// readError waits for the end of the stream of errors and returns what it says.
func (s *session) readError() error {
	said, err := io.ReadAll(s.errors)
	switch {
	case err != nil:
		return fmt.Errorf("error reading from error stream: %w", err)
	case len(said) == 0:
		return nil
	case s.protocol.status:
		return statusError(said)
	default:
		return fmt.Errorf("error executing remote command: %s", said)
	}
}

// statusError returns the error that a Status stands for: nil for success, and an
// ExitError if it has the exit code of a command.
func statusError(said []byte) error {
	status := metav1.Status{}
	if err := json.Unmarshal(said, &status); err != nil {
		return fmt.Errorf("error stream protocol error: %w in %q", err, said)
	}
	switch {
	case status.Status == metav1.StatusSuccess:
		return nil
	case status.Status != metav1.StatusFailure:
		return errors.New("error stream protocol error: unknown error")
	case status.Reason != remotecommand.NonZeroExitCodeReason:
		return &apierrors.StatusError{ErrStatus: status}
	case status.Details == nil:
		return errors.New("error stream protocol error: details must be set")
	}
	for _, cause := range status.Details.Causes {
		if cause.Type != remotecommand.ExitCodeCauseType {
			continue
		}
		code, err := strconv.Atoi(cause.Message) // Windows has codes above 255
		if err != nil {
			return fmt.Errorf("error stream protocol error: invalid exit code value %q", cause.Message)
		}
		return exec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code}
	}
	return fmt.Errorf("error stream protocol error: no %s cause given", remotecommand.ExitCodeCauseType)
}
