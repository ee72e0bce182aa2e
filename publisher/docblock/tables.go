package docblock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"k8s.io/publisher/object"
	"k8s.io/publisher/release"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/source"
	"k8s.io/publisher/sourcetag"
)

// Tables makes blocks of what rules say, and the tags of a source.
type Tables struct {
	Rules *rules.Rules
	Repo  *source.Repository

	tags  []*sourcetag.Tag
	read  bool
	lines map[string]map[object.ID]bool // the mainlines of the source's branches
}

// Make makes a block.
func (t *Tables) Make(kind, destination string) (string, error) {
	var ofOne func(*rules.Rule) (string, error)
	switch kind {
	case "mirrors":
		if destination != "" {
			return "", fmt.Errorf("a block of mirrors is about all, and not about %s", destination)
		}
		return t.mirrors()
	case "branches":
		ofOne = t.branches
	case "compatibility":
		ofOne = t.compatibility
	default:
		return "", fmt.Errorf("no kind of block is called %q: there are branches, compatibility and mirrors", kind)
	}
	if destination == "" {
		return "", fmt.Errorf("a block of %s needs a destination, such as %[1]s client-go", kind)
	}
	rule := t.Rules.Rule(destination)
	if rule == nil || rule.Skipped {
		return "", fmt.Errorf("no rule publishes %s", destination)
	}
	return ofOne(rule)
}

// onBranches returns, for each of a rule's branches, the releases on its mainline. What
// two have in common belongs to the first.
func (t *Tables) onBranches(rule *rules.Rule) (map[string][]release.Release, error) {
	if !t.read {
		tags, err := sourcetag.Read(t.Repo, func(*semver.Version) bool { return true })
		if err != nil {
			return nil, err
		}
		t.tags, t.read = tags, true
	}
	on := make(map[string][]release.Release)
	seen := make(map[*sourcetag.Tag]bool)
	for _, b := range rule.Branches {
		if len(t.tags) == 0 || slices.Contains(t.Rules.SkipSourceBranches, b.Source.Branch) {
			continue
		}
		line, err := t.mainline(b.Source.Branch)
		if err != nil {
			return nil, err
		}
		var tags []*sourcetag.Tag
		for _, tag := range t.tags {
			if !seen[tag] && line[tag.Commit] {
				seen[tag] = true
				tags = append(tags, tag)
			}
		}
		if on[b.Name], err = release.Published(t.Rules, rule, tags); err != nil {
			return nil, err
		}
	}
	return on, nil
}

// mainline returns the commits of a branch of the source.
func (t *Tables) mainline(branch string) (map[object.ID]bool, error) {
	if line, known := t.lines[branch]; known {
		return line, nil
	}
	id, ok := t.Repo.Branch(branch)
	if !ok {
		return nil, fmt.Errorf("the source has no branch %s, so it cannot be told which tags are on it: fetch it", branch)
	}
	line := make(map[object.ID]bool)
	for objects := t.Repo.Store.SmallReader(); ; {
		line[id] = true
		data, err := objects.Commit(id)
		if err != nil {
			return nil, fmt.Errorf("read the source's branch %s: %w", branch, err)
		}
		_, parents, err := object.ParseLinks(data)
		if err != nil {
			return nil, fmt.Errorf("read the source's branch %s: commit %s: %w", branch, id, err)
		}
		if len(parents) == 0 {
			break
		}
		id = parents[0]
	}
	if t.lines == nil {
		t.lines = make(map[string]map[object.ID]bool)
	}
	t.lines[branch] = line
	return line, nil
}

// branchesHead is the head of tables of branches, and branchesNote what explains them.
var branchesHead = []string{"branch", "published from", "maintenance", "newest release"}

const branchesNote = "*Followed* branches get what their source branch gets, as it comes; *ended* ones stay as\nthey are.\n\n"

func (t *Tables) branches(rule *rules.Rule) (string, error) {
	rows, err := t.branchRows(rule)
	if err != nil {
		return "", err
	}
	return "\n" + table(append([][]string{branchesHead}, rows...)) + "\n" + branchesNote, nil
}

func (t *Tables) mirrors() (string, error) {
	rows := [][]string{append([]string{"mirror"}, branchesHead...)}
	for i := range t.Rules.Rules {
		rule := &t.Rules.Rules[i]
		if rule.Skipped {
			continue
		}
		of, err := t.branchRows(rule)
		if err != nil {
			return "", err
		}
		for _, row := range of {
			rows = append(rows, append([]string{code(rule.Destination)}, row...))
		}
	}
	return "\n" + table(rows) + "\n" + branchesNote, nil
}

// branchRows has a row for each branch of a mirror.
func (t *Tables) branchRows(rule *rules.Rule) (rows [][]string, err error) {
	on, err := t.onBranches(rule)
	if err != nil {
		return nil, err
	}
	for _, b := range rule.Branches {
		from := "the root"
		if dirs := b.Source.Directories(); len(dirs) > 0 {
			from = code(strings.Join(dirs, ", "))
		}
		rows = append(rows, []string{
			code(b.Name), code(b.Source.Branch) + ", " + from,
			string(release.MaintenanceOf(t.Rules, rule, b.Name)), newest(on[b.Name]),
		})
	}
	for _, name := range rule.EndedBranches {
		rows = append(rows, []string{code(name), "–", string(release.Ended), "–"})
	}
	return rows, nil
}

// newest is the latest of some releases, or a dash.
func newest(releases []release.Release) string {
	if len(releases) > 0 {
		if latest := slices.MaxFunc(releases, release.CompareLatest); latest.Version != "" {
			return code(latest.Version)
		}
	}
	return "–"
}

func (t *Tables) compatibility(rule *rules.Rule) (string, error) {
	on, err := t.onBranches(rule)
	if err != nil {
		return "", err
	}
	var all []release.Release
	for _, b := range rule.Branches {
		all = append(all, on[b.Name]...)
	}
	head := ""
	if len(rule.Branches) > 0 {
		head = rule.Branches[0].Name
	}
	m := release.NewMatrix(all, head)
	if m == nil {
		return "\nNo release has been made yet; the table of clients and clusters begins with the first.\n", nil
	}
	rows := [][]string{{""}}
	for _, c := range m.Clusters {
		rows[0] = append(rows[0], "Kubernetes "+c)
	}
	for _, r := range m.Rows {
		row := []string{code(r.Name())}
		if r.Branch == "" {
			row[0] = code(r.Newest.Version) + " / " + code("kubernetes-"+r.Newest.Cluster)
		}
		for _, f := range r.Fits {
			row = append(row, f.Sign())
		}
		rows = append(rows, row)
	}
	var out strings.Builder
	out.WriteString("\n" + table(rows) + "\n")
	for _, k := range m.Key() {
		fmt.Fprintf(&out, "- `%s` %s\n", k.Sign, k.Meaning)
	}
	return out.String() + "\n", nil
}

// table is a table of Markdown, whose first row is the head.
func table(rows [][]string) string {
	var out strings.Builder
	for i, row := range rows {
		for j, cell := range row {
			row[j] = strings.ReplaceAll(cell, "|", `\|`)
		}
		out.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			out.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return out.String()
}

// code is a text as code.
func code(text string) string { return "`" + strings.ReplaceAll(text, "`", "") + "`" }
