package monorepo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Check proves that git finds no fault with the repository, and that at each
// revision every staged module builds from its neighbours, without a network.
// It works in scratch and leaves nothing there.
func Check(ctx context.Context, r Repository, scratch string, revisions ...string) error {
	git := gitIn(ctx, r.Source)
	if err := run(git("fsck", "--full", "--strict", "--no-dangling")); err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for _, revision := range revisions {
		tree := filepath.Join(scratch, revision)
		if err := os.MkdirAll(tree, 0o755); err != nil {
			return err
		}
		archive := filepath.Join(scratch, "tree.tar")
		if err := run(git("archive", "-o", archive, revision)); err != nil {
			return err
		}
		if err := run(exec.CommandContext(ctx, "tar", "-xf", archive, "-C", tree)); err != nil {
			return err
		}
		staged, err := filepath.Glob(filepath.Join(tree, ModuleDir(0), "..", "*"))
		if err != nil {
			return err
		}
		for _, dir := range staged {
			build := exec.CommandContext(ctx, "go", "build", "./...")
			build.Dir = dir
			build.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=-mod=readonly")
			if err := run(build); err != nil {
				return fmt.Errorf("%s at %s: %w", filepath.Base(dir), revision, err)
			}
		}
	}
	return nil
}
