package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/rules"
)

// published is a commit that a branch or tags of a mirror name.
type published struct {
	destination, branch string
	tags                []string
	commit              *catalog.Commit
}

// readMirrors returns what the mirrors' branches and tags name, in the order of
// the rules. It asks nothing but the mirrors, as anyone could who clones them.
func readMirrors(ctx context.Context, r *rules.Rules, mirrors string) ([]*published, error) {
	c, err := catalog.Read(ctx, catalog.Input{Rules: r, Mirrors: mirrors})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var all []*published
	for _, d := range c.Destinations {
		commits := make(map[*catalog.Commit]*published)
		add := func(c *catalog.Commit) *published {
			if commits[c] == nil {
				commits[c] = &published{destination: d.Name, commit: c}
				all = append(all, commits[c])
			}
			return commits[c]
		}
		for _, b := range d.Branches {
			add(b.Head).branch = b.Name
		}
		for _, t := range d.Tags {
			p := add(t.Commit)
			p.tags = append(p.tags, t.Name)
		}
	}
	for _, p := range all {
		slices.Sort(p.tags)
	}
	return all, nil
}

// printTable shows what the mirrors have.
func printTable(to io.Writer, all []*published) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DESTINATION\tBRANCH\tCOMMIT\tTAGS\tSOURCE COMMIT")
	for _, p := range all {
		fmt.Fprintf(w, "%s\t%s\t%.12s\t%s\t%.12s\n", p.destination, cmp.Or(p.branch, "-"), p.commit.ID, cmp.Or(strings.Join(p.tags, " "), "-"), p.commit.Source)
	}
	return w.Flush()
}

func writeFile(name, content string) error { return os.WriteFile(name, []byte(content), 0o666) }
