package remote

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/publisher/credential"
	"k8s.io/publisher/git"
)

// Fetch brings what some refs of a remote need into a bare repository of ours. It asks
// for all that the repository's own refs do not lead to, and changes none of them: what
// comes is one pack more. What the remote has replaced since the refs were read may
// not be had any more, which is an [*Error].
func (c *Client) Fetch(ctx context.Context, url, dir string, refs Refs) error {
	ids := make(map[string]bool)
	for _, ref := range refs {
		ids[ref.ID.String()] = true
	}
	if len(ids) == 0 {
		return nil // Git would fetch HEAD.
	}
	err := c.try(ctx, "fetch from", url, func(access credential.Access) error {
		cmd := command(dir, access)
		cmd.Config = append(cmd.Config,
			git.Setting{Key: "fetch.unpackLimit", Value: "1"},
			git.Setting{Key: "fetch.writeCommitGraph", Value: "false"},
		)
		cmd.Stdin = strings.NewReader(strings.Join(slices.Sorted(maps.Keys(ids)), "\n") + "\n")
		return c.run(ctx, cmd, "fetch", "--progress", "--stdin", "--update-shallow", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--", url)
	})
	if err != nil {
		return err
	}
	// Git notes where the history ends, as it is told to update that.
	if info, err := os.Stat(filepath.Join(dir, "shallow")); err == nil && info.Size() > 0 {
		return &Error{Doing: "fetch from", URL: url, Kind: Other, Err: errors.New("it is a shallow clone, and has no whole history; run git fetch --unshallow there")}
	}
	return nil
}
