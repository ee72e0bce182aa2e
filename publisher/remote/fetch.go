package remote

import (
	"context"
	"maps"
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
	return c.try(ctx, "fetch from", url, func(access credential.Access) error {
		cmd := command(dir, access)
		cmd.Config = append(cmd.Config,
			git.Setting{Key: "fetch.unpackLimit", Value: "1"},
			git.Setting{Key: "fetch.writeCommitGraph", Value: "false"},
		)
		cmd.Stdin = strings.NewReader(strings.Join(slices.Sorted(maps.Keys(ids)), "\n") + "\n")
		return c.run(ctx, cmd, "fetch", "--progress", "--stdin", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--", url)
	})
}
