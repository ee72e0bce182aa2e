package exec_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"k8s.io/client-go/util/exec"
)

func TestExitErrorIsFoundAndTellsItsCause(t *testing.T) {
	err := fmt.Errorf("running ls: %w", exec.CodeExitError{Err: fmt.Errorf("exit 2: %w", fs.ErrNotExist), Code: 2})
	var exit exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal("there is no exit error")
	}
	if !exit.Exited() || exit.ExitStatus() != 2 || exit.Error() != "exit 2: file does not exist" || exit.String() != exit.Error() {
		t.Errorf("it is %v, status %d", exit, exit.ExitStatus())
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
}
