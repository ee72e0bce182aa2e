package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/source"
)

// fetchedDir is where fetched sources are, in the publisher's own folder.
const fetchedDir = "source"

// OpenSource opens a local source, or fetches a remote one first. The rules are
// not looked at, and the mirrors' folder only takes what is fetched.
func OpenSource(ctx context.Context, o Options) (*source.Repository, error) {
	return openSource(ctx, o, nil)
}

// openSource is [OpenSource] in a run that may hold the lock of the mirrors.
func openSource(ctx context.Context, o Options, lock *mirror.Lock) (*source.Repository, error) {
	remote, err := parseRemote(o.Source)
	if err != nil {
		return nil, err
	}
	if remote == nil {
		return source.Open(o.Source)
	}
	sum := sha256.Sum256([]byte(o.Source))
	dir := filepath.Join(mirror.WorkDir(o.Mirrors), fetchedDir, hex.EncodeToString(sum[:8])+".git")
	o.Log.Info("fetching the source", "url", remote.shown)
	if err := fetch(ctx, lock, remote, dir); err != nil {
		return nil, fmt.Errorf("fetch source %s: %w", remote.shown, err)
	}
	repo, err := source.Open(dir)
	var shallow *source.ShallowError
	if errors.As(err, &shallow) {
		// It would stay shallow when the remote no longer is.
		return nil, errors.Join(&source.ShallowError{Path: remote.shown, Boundary: shallow.Boundary}, os.RemoveAll(dir))
	}
	if err != nil {
		return nil, err
	}
	repo.Path = remote.shown
	return repo, nil
}

// fetch brings all branches and tags of a remote repository into a bare one.
func fetch(ctx context.Context, lock *mirror.Lock, r *remote, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
			return err
		}
		if _, err := lock.Git(ctx, nil, nil, "init", "--quiet", "--bare", "--template=", dir); err != nil {
			return err
		}
	}
	config := append([][2]string{
		{"remote.source.url", r.url},
		{"fetch.writeCommitGraph", "false"},
	}, r.credentials...)
	env := append(r.env, "GIT_DIR="+dir, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(config)))
	for i, c := range config {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, c[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, c[1]))
	}
	_, err := mirror.GitAsUser(ctx, env, "fetch", "--quiet", "--prune", "--no-tags", "--update-shallow", "source", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	return err
}

// recoverFetched removes what a git fetch that was killed left in the sources
// that were fetched: its locks would stop every further one.
func recoverFetched(workDir string) error {
	root := filepath.Join(workDir, fetchedDir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name := d.Name(); strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, "tmp_") {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clean up after a run that was killed: %w", err)
	}
	return nil
}
