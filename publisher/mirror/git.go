package mirror

import (
	"context"
	"errors"
	"os"

	"k8s.io/publisher/git"
)

// Git runs git for a command that writes in a mirror; see [git.Command]. Git holds
// the lock too, and so does what it starts in turn: should they outlive the run,
// the next one does not work beside them.
func (l *Lock) Git(ctx context.Context, m *Mirror, args ...string) error {
	err := git.Command{Dir: m.Dir, Files: []*os.File{l.file}}.Run(ctx, args...)
	if failed, ok := errors.AsType[*git.Error](err); ok && failed.Unfinished() {
		l.unfinished.Store(true)
	}
	return err
}
