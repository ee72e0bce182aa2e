package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/source"
)

// scpLike is git's short form of an ssh URL, user@host:path.
var scpLike = regexp.MustCompile(`^[\w.-]+@[\w.-]+:`)

// OpenSource opens a local source, or fetches a remote one first. The rules are
// not looked at, and the mirrors' folder only takes what is fetched.
func OpenSource(ctx context.Context, o Options) (*source.Repository, error) {
	u, err := url.Parse(o.Source)
	if !scpLike.MatchString(o.Source) && (err != nil || u.Scheme == "" || u.Host == "" && u.Scheme != "file") {
		return source.Open(o.Source)
	}
	shown := o.Source
	if err == nil {
		shown = u.Redacted()
	}
	sum := sha256.Sum256([]byte(o.Source))
	dir := filepath.Join(mirror.WorkDir(o.Mirrors), "source", hex.EncodeToString(sum[:8])+".git")
	o.Log.Info("fetching the source", "url", shown)
	if err := fetch(ctx, o.Source, dir); err != nil {
		return nil, fmt.Errorf("fetch source %s: %w", shown, err)
	}
	return source.Open(dir)
}

// fetch brings all branches and tags of a remote repository into a bare one.
// The URL goes by the environment: it can hold a password, and arguments are
// seen by everyone on the machine.
func fetch(ctx context.Context, remote, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	if _, err := mirror.Git(ctx, nil, nil, "init", "--quiet", "--bare", "--template=", dir); err != nil {
		return err
	}
	env := []string{
		"GIT_DIR=" + dir, "GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=remote.source.url", "GIT_CONFIG_VALUE_0=" + remote,
		"GIT_CONFIG_KEY_1=fetch.writeCommitGraph", "GIT_CONFIG_VALUE_1=false",
	}
	_, err := mirror.GitAsUser(ctx, env, "fetch", "--quiet", "--prune", "--no-tags", "source", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	return err
}
