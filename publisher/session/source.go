package session

import (
	"context"
	"path/filepath"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/source"
)

// OpenSource opens a local source, or fetches a remote one first. The rules are
// not looked at, and the mirrors' folder only takes what is fetched.
func OpenSource(ctx context.Context, o Options) (*source.Repository, error) {
	return source.OpenOrFetch(ctx, o.Source, fetched(o.Mirrors), o.Log)
}

// fetched is where fetched sources are, in the publisher's own folder.
func fetched(mirrors string) string { return filepath.Join(mirror.WorkDir(mirrors), "source") }
