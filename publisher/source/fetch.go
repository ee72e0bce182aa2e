package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/publisher/git"
)

// OpenOrFetch opens the repository at a path, as [Open] does, or fetches the one
// at a URL, in any form that git knows. What is fetched is kept in a folder of
// the given one, so that the next time only news are; a run may be killed
// meanwhile, see [Recover].
func OpenOrFetch(ctx context.Context, pathOrURL, folder string, log *slog.Logger) (*Repository, error) {
	remote, err := parseRemote(pathOrURL)
	if err != nil {
		return nil, err
	}
	if remote == nil {
		return Open(pathOrURL)
	}
	sum := sha256.Sum256([]byte(pathOrURL))
	dir := filepath.Join(folder, hex.EncodeToString(sum[:8])+".git")
	log.Info("fetching the source", "url", remote.shown)
	if err := remote.fetch(ctx, dir); err != nil {
		return nil, fmt.Errorf("fetch source %s: %w", remote.shown, err)
	}
	repo, err := Open(dir)
	if shallow, ok := errors.AsType[*ShallowError](err); ok {
		// It would stay shallow when the remote no longer is.
		return nil, errors.Join(&ShallowError{Path: remote.shown, Boundary: shallow.Boundary}, os.RemoveAll(dir))
	}
	if err != nil {
		return nil, err
	}
	repo.Path = remote.shown
	return repo, nil
}

// fetch brings all branches and tags into a bare repository. It holds no lock:
// what git starts to keep a password or a connection is to outlive the run.
func (r *remote) fetch(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); errors.Is(err, fs.ErrNotExist) {
		if err := git.Init(dir); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	settings := append([]git.Setting{
		{Key: "remote.source.url", Value: r.url},
		{Key: "fetch.writeCommitGraph", Value: "false"},
	}, r.credentials...)
	fetch := git.Command{Dir: dir, Env: r.env, Config: settings, AsUser: true}
	return fetch.Run(ctx, "fetch", "--quiet", "--prune", "--no-tags", "--update-shallow", "source", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
}

// Recover removes what a git fetch that was killed left in a folder of fetched
// repositories: its locks would stop every further one. No fetch may be at work.
func Recover(folder string) error {
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := d.Name()
		if strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, ".tmp-") {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clean up after a run that was killed: %w", err)
	}
	return nil
}
