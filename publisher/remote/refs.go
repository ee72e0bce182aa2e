package remote

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/publisher/credential"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
)

// Refs reads the branches and tags of a remote, and with [Client.Provenance] what
// testifies to tags. The error is an [*Error], of the kind
// [Missing] where there is no repository.
func (c *Client) Refs(ctx context.Context, url string) (Refs, error) {
	which := []string{"--heads", "--tags"}
	if c.Provenance {
		which = nil // Git asks for these alone, or for all.
	}
	refs, _, err := c.refs(ctx, url, which...)
	return refs, err
}

// RefsAndHead reads the branches and tags of a remote, what testifies to tags, and which branch its HEAD names:
// that is what clones check out. It is empty where the remote does not tell.
func (c *Client) RefsAndHead(ctx context.Context, url string) (refs Refs, head string, err error) {
	return c.refs(ctx, url, "--symref")
}

func (c *Client) refs(ctx context.Context, url string, which ...string) (refs Refs, head string, err error) {
	err = c.try(ctx, "read refs of", url, func(access credential.Access) (err error) {
		var out bytes.Buffer
		cmd := command("", access)
		cmd.Stdout = &out
		args := append([]string{"ls-remote", "--quiet"}, which...)
		if err := c.runWithin(ctx, cmp.Or(c.Silence, time.Minute), cmd, append(args, "--", url)...); err != nil {
			return err
		}
		refs, head, err = parseRefs(out.String())
		return err
	})
	return refs, head, err
}

// parseRefs reads what git ls-remote prints: a line for each ref, and one for what an
// annotated tag peels to after that.
func parseRefs(text string) (refs Refs, head string, err error) {
	refs = make(Refs)
	for line := range strings.Lines(text) {
		value, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			return nil, "", fmt.Errorf("git ls-remote printed %q", line)
		}
		if target, symbolic := strings.CutPrefix(value, "ref: "); symbolic {
			if name == "HEAD" {
				head, _ = strings.CutPrefix(target, "refs/heads/")
			}
			continue
		}
		id, err := object.ParseID([]byte(value))
		if err != nil {
			return nil, "", fmt.Errorf("git ls-remote printed %q: %w", line, err)
		}
		name, peeled := strings.CutSuffix(name, "^{}")
		switch {
		case !mirror.Follows(name):
		case peeled:
			refs[name] = mirror.Ref{ID: refs[name].ID, Peeled: id}
		default:
			refs[name] = mirror.Ref{ID: id}
		}
	}
	return refs, head, nil
}
