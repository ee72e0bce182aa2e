package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// made reads what should be there: objects that were computed, the source's,
// and the mirror's.
type made struct {
	scratch        *odb.ScratchReader
	source, mirror *odb.Reader
}

func (m made) read(id object.ID, want object.Type) ([]byte, error) {
	t, data, ok, err := m.scratch.Read(id)
	if err != nil {
		return nil, err
	}
	if ok && t == want {
		return data, nil
	}
	data, err = m.source.Read(id, want)
	if missing := (*odb.MissingError)(nil); errors.As(err, &missing) {
		return m.mirror.Read(id, want)
	}
	return data, err
}

// change is a path at which two trees differ. A zero entry is none.
type change struct {
	path       string
	have, want object.Entry
}

func (c change) String() string {
	switch {
	case c.have.ID.IsZero():
		return fmt.Sprintf("%s (%s) is missing", c.path, c.want.ID)
	case c.want.ID.IsZero():
		return fmt.Sprintf("%s (%s) should not be there", c.path, c.have.ID)
	case c.have.ID == c.want.ID:
		return fmt.Sprintf("%s has mode %06o and should have %06o", c.path, c.have.Mode, c.want.Mode)
	}
	return fmt.Sprintf("%s is %s and should be %s", c.path, c.have.ID, c.want.ID)
}

// differ compares two trees. What only one of them has is not looked into.
func differ(have, want func(object.ID) ([]byte, error), a, b object.ID, prefix string, visit func(change)) error {
	if a == b {
		return nil
	}
	left, err := entriesOf(have, a)
	if err != nil {
		return err
	}
	right, err := entriesOf(want, b)
	if err != nil {
		return err
	}
	var names []string
	for name := range left {
		names = append(names, name)
	}
	for name := range right {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		c := change{prefix + name, left[name], right[name]}
		switch {
		case c.have == c.want:
		case c.have.Mode.IsDir() && c.want.Mode.IsDir():
			if err := differ(have, want, c.have.ID, c.want.ID, c.path+"/", visit); err != nil {
				return err
			}
		default:
			visit(c)
		}
	}
	return nil
}

func entriesOf(read func(object.ID) ([]byte, error), tree object.ID) (map[string]object.Entry, error) {
	data, err := read(tree)
	if err != nil {
		return nil, err
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", tree, err)
	}
	byName := make(map[string]object.Entry, len(entries))
	for _, e := range entries {
		byName[e.Name] = e
	}
	return byName, nil
}

// mostPaths bounds how many paths are named where two trees differ.
const mostPaths = 10

// compareTrees says in which files a commit's tree differs from what it should
// have.
func (d *diagnosis) compareTrees(id string, tree object.ID, want *due) ([]Mismatch, error) {
	var changes []change
	mirror := d.reader.Tree
	expected := func(id object.ID) ([]byte, error) { return d.objects.read(id, object.TreeType) }
	err := differ(mirror, expected, tree, want.commit.Tree, "", func(c change) { changes = append(changes, c) })
	if err != nil {
		return []Mismatch{{Kind: UnreadableObject, Commit: id, Detail: err.Error()}}, nil
	}
	var faults []Mismatch
	var texts []string
	for _, c := range changes {
		if c.path == "go.sum" && c.have.Mode.IsRegular() && c.want.Mode.IsRegular() {
			lines, err := d.compareSums(c)
			if err != nil {
				return []Mismatch{{Kind: UnreadableObject, Commit: id, Detail: err.Error()}}, nil
			}
			faults = append(faults, Mismatch{Kind: ChangedGoSum, Commit: id, Detail: d.instead(want) + lines})
			continue
		}
		texts = append(texts, c.String())
	}
	if len(texts) > 0 {
		if n := len(texts) - mostPaths; n > 0 {
			texts = append(texts[:mostPaths], fmt.Sprintf("and %d more", n))
		}
		faults = append(faults, Mismatch{Kind: ChangedBlob, Commit: id, Detail: d.instead(want) + strings.Join(texts, "; ")})
	}
	return faults, nil
}

// compareSums shows the lines in which two go.sum files differ.
func (d *diagnosis) compareSums(c change) (string, error) {
	have, err := d.reader.Blob(c.have.ID)
	if err != nil {
		return "", err
	}
	want, err := d.objects.read(c.want.ID, object.BlobType)
	if err != nil {
		return "", err
	}
	extra, missing := lineDifference(string(have), string(want))
	var texts []string
	for _, line := range extra[:min(len(extra), mostPaths)] {
		texts = append(texts, fmt.Sprintf("%q should not be there", line))
	}
	for _, line := range missing[:min(len(missing), mostPaths)] {
		texts = append(texts, fmt.Sprintf("%q is missing", line))
	}
	if len(texts) == 0 {
		texts = []string{fmt.Sprintf("%s has the lines of %s in another form", c.have.ID, c.want.ID)}
	}
	return strings.Join(texts, "; "), nil
}

// lineDifference returns the lines that only one of two texts has, in order and
// without blanks at their ends.
func lineDifference(a, b string) (onlyA, onlyB []string) {
	count := make(map[string]int)
	for line := range strings.Lines(b) {
		count[strings.TrimSpace(line)]++
	}
	for line := range strings.Lines(a) {
		line = strings.TrimSpace(line)
		if count[line] > 0 {
			count[line]--
		} else {
			onlyA = append(onlyA, line)
		}
	}
	for line := range strings.Lines(b) {
		line = strings.TrimSpace(line)
		if count[line] > 0 {
			count[line]--
			onlyB = append(onlyB, line)
		}
	}
	return onlyA, onlyB
}
