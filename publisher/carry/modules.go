package carry

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/git"
	"k8s.io/publisher/object"
)

// unpublished is the version of siblings that nobody publishes, as sources have it.
const unpublished = "v0.0.0"

// readSiblings learns the paths of the modules that are published, as of a source commit.
func (c *carrier) readSiblings(source object.ID) error {
	c.siblings = make(map[string]bool)
	for _, dir := range c.Siblings {
		data, err := c.file(source.String() + ":" + path.Join(dir, "go.mod"))
		if err != nil {
			return err
		}
		if p := modfile.ModulePath(data); p != "" {
			c.siblings[p] = true
		}
	}
	return nil
}

// file reads a file by git's notation, or one that is not there.
func (c *carrier) file(name string) ([]byte, error) {
	id, err := c.git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
	if err != nil {
		if _, ok := errors.AsType[*git.Error](err); ok && c.ctx.Err() == nil {
			return nil, nil
		}
		return nil, err
	}
	return c.blob(strings.TrimSpace(string(id)))
}

// moduleFile returns what the index is to have for a go.mod or go.sum that a commit changed: the
// form that it has there, with the same change. Without a mode, it stays as it is.
func (c *carrier) moduleFile(commit object.ID, place, mode, before, after string) (string, string, error) {
	if strings.Trim(mode, "0") == "" || strings.HasPrefix(mode, "12") {
		return mode, after, nil // It is removed, or has become a link.
	}
	ours, err := c.file(":" + place)
	if err != nil {
		return "", "", err
	}
	old, err := c.blob(before)
	if err != nil {
		return "", "", err
	}
	changed, err := c.blob(after)
	if err != nil {
		return "", "", err
	}
	if bytes.Equal(ours, old) && ours != nil && !bytes.Equal(old, changed) {
		return mode, after, nil // Nothing is pinned there.
	}
	var data []byte
	if path.Base(place) == "go.sum" {
		data = c.goSum(ours, old, changed)
	} else {
		data, err = c.goMod(commit, place, ours, old, changed)
	}
	if err != nil || data == nil {
		return "", "", err
	}
	id, err := c.id(bytes.NewReader(data), "hash-object", "-w", "--stdin")
	return mode, id.String(), err
}

// goSum puts the lines into a go.sum that a commit has added to the mirror's, and takes those away
// that it has removed. Lines of siblings are the publisher's.
func (c *carrier) goSum(ours, before, after []byte) []byte {
	lines := func(data []byte) map[string]bool {
		set := make(map[string]bool)
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\r\n")
			if p, _, _ := strings.Cut(line, " "); line != "" && !c.siblings[p] {
				set[line] = true
			}
		}
		return set
	}
	old, changed := lines(before), lines(after)
	var all []string
	for line := range strings.Lines(string(ours)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && (!old[line] || changed[line]) {
			all = append(all, line)
		}
	}
	for line := range changed {
		if !old[line] && !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	// The go command's order.
	mods := make(map[module.Version][]string)
	var order []module.Version
	for _, line := range all {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue // The go command does not take that.
		}
		m := module.Version{Path: f[0], Version: f[1]}
		if mods[m] == nil {
			order = append(order, m)
		}
		mods[m] = append(mods[m], line)
	}
	module.Sort(order)
	var b bytes.Buffer
	for _, m := range order {
		slices.Sort(mods[m])
		for _, line := range mods[m] {
			b.WriteString(line + "\n")
		}
	}
	if bytes.Equal(b.Bytes(), ours) || b.Len() == 0 && ours == nil {
		return nil
	}
	return b.Bytes()
}

// goMod merges what a commit did to the mirror's go.mod into the source's.
func (c *carrier) goMod(commit object.ID, place string, ours, before, after []byte) ([]byte, error) {
	required := make(map[string]string) // of the siblings in ours
	replaced := false
	if ours != nil {
		file, err := modfile.ParseLax("go.mod", ours, nil)
		if err != nil {
			return nil, fmt.Errorf("%s in the source: %w", place, err)
		}
		for _, r := range file.Require {
			if c.siblings[r.Mod.Path] {
				required[r.Mod.Path] = r.Mod.Version
			}
		}
		if strict, err := modfile.Parse("go.mod", ours, nil); err == nil {
			replaced = slices.ContainsFunc(strict.Replace, func(r *modfile.Replace) bool {
				return c.siblings[r.Old.Path] && strings.HasPrefix(r.New.Path, "../")
			})
		}
	}
	base, err := c.unpin(before, required)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %s before it: %w", commit, place, err)
	}
	changed, err := c.unpin(after, required)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %s: %w", commit, place, err)
	}
	if bytes.Equal(base, changed) && ours != nil {
		return nil, nil
	}
	if ours != nil {
		if changed, err = c.merge(ours, base, changed); err != nil {
			if conflict, ok := errors.AsType[*git.Error](err); ok && conflict.Stderr == "" && c.ctx.Err() == nil {
				return nil, &ConflictError{commit, place}
			}
			return nil, err
		}
	}
	if replaced {
		changed, err = c.replaceNew(path.Dir(place), changed, required)
	}
	return changed, err
}

// unpin gives siblings the versions that the source has for them. A file without siblings, or
// that is no go.mod, stays as it is.
func (c *carrier) unpin(data []byte, required map[string]string) ([]byte, error) {
	if data == nil {
		return nil, nil
	}
	file, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		return data, nil
	}
	edited := false
	for _, r := range slices.Clone(file.Require) {
		if !c.siblings[r.Mod.Path] {
			continue
		}
		version := unpublished
		if _, major, _ := module.SplitPathVersion(r.Mod.Path); major != "" {
			version = module.PathMajorPrefix(major) + ".0.0"
		}
		if v, ok := required[r.Mod.Path]; ok {
			version = v
		}
		if err := file.AddRequire(r.Mod.Path, version); err != nil {
			return nil, err
		}
		edited = true
	}
	if !edited {
		return data, nil
	}
	return modfile.Format(file.Syntax), nil
}

// merge merges two changes of a text by lines.
func (c *carrier) merge(ours, base, theirs []byte) ([]byte, error) {
	names := []string{"ours", "base", "theirs"}
	for i, data := range [][]byte{ours, base, theirs} {
		names[i] = filepath.Join(c.dir, names[i])
		if err := os.WriteFile(names[i], data, 0o600); err != nil {
			return nil, err
		}
	}
	return c.git(nil, append([]string{"merge-file", "-p", "-q"}, names...)...)
}

// replaceNew has siblings that a commit requires for the first time be replaced by their
// directories, as those are that were required before. A replacement of one that is not required
// any more goes.
func (c *carrier) replaceNew(dir string, data []byte, required map[string]string) ([]byte, error) {
	file, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	directories := make(map[string]string)
	for _, sibling := range c.Siblings {
		text, err := c.file(":" + path.Join(sibling, "go.mod"))
		if err != nil {
			return nil, err
		}
		directories[modfile.ModulePath(text)] = sibling
	}
	still, edited := make(map[string]bool), false
	for _, r := range file.Require {
		p := r.Mod.Path
		still[p] = true
		if _, ok := required[p]; ok || !c.siblings[p] {
			continue
		}
		target, err := filepath.Rel(path.Join("/", dir), path.Join("/", directories[p]))
		if err != nil {
			return nil, err
		}
		if err := file.AddReplace(p, "", target, ""); err != nil {
			return nil, err
		}
		edited = true
	}
	for p := range required {
		if !still[p] {
			if err := file.DropReplace(p, ""); err != nil {
				return nil, err
			}
			edited = true
		}
	}
	if !edited {
		return data, nil
	}
	file.Cleanup()
	return modfile.Format(file.Syntax), nil
}
