package modhash

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"k8s.io/publisher/object"
)

// attributesConvert reports whether the .gitattributes file in a directory may make
// git archive give other bytes than a blob's of some file in or below it. A symbolic
// link of that name counts: git reads the attributes from its target's name.
func (h *Hasher) attributesConvert(tree, attributes object.ID) (bool, error) {
	tails, ok := h.converts[attributes]
	if !ok {
		data, err := h.objects.Blob(attributes)
		if err != nil {
			return false, fmt.Errorf("reading blob %s: %w", attributes, err)
		}
		tails = convertedTails(data)
		h.converts[attributes] = tails
		h.nodes.held.Add(1)
	}
	if len(tails) == 0 {
		return false, nil
	}
	return h.hasFile(suspects{tree, attributes}, tails, 0)
}

// suspects are the files in and below a directory that attributes could be for.
type suspects struct{ tree, attributes object.ID }

// hasFile reports whether a directory has a file in or below it whose name ends in
// one of these.
func (h *Hasher) hasFile(s suspects, tails []string, depth int) (has bool, err error) {
	if has, ok := h.suspects[s]; ok || depth > object.MaxTreeDepth {
		return has, nil // Somebody else finds that it is too deep.
	}
	entries, err := h.tree(s.tree)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		switch {
		case has:
		case e.Mode.IsDir():
			if has, err = h.hasFile(suspects{e.ID, s.attributes}, tails, depth+1); err != nil {
				return false, err
			}
		case e.Mode.IsRegular():
			has = slices.ContainsFunc(tails, func(tail string) bool { return strings.HasSuffix(e.Name, tail) })
		}
	}
	h.suspects[s] = has
	h.nodes.held.Add(1)
	return has, nil
}

// convertedTails returns how the names of the files end whose contents attributes may
// convert; "" is for all files. It errs on the side of too many. The format is
// gitattributes(5)'s.
//
// With the line endings that the go command asks git for, text and crlf and all
// their values leave contents alone on the way out; filters do nothing unless
// they are configured, which is not the repository's to do.
func convertedTails(attributes []byte) (tails []string) {
	attributes = bytes.TrimPrefix(attributes, []byte("\ufeff"))
	for line := range bytes.Lines(attributes) {
		line = bytes.TrimLeft(line, blanks)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		pattern, tail := true, ""
		if line[0] == '"' {
			// Where a quoted pattern ends is not worth finding out.
			line, pattern = bytes.ReplaceAll(line, []byte(`"`), []byte(" ")), false
		}
		for field := range bytes.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(blanks, r) }) {
			switch {
			case pattern:
				tail = literalTail(string(field))
			case fieldConverts(string(field)) && !slices.Contains(tails, tail):
				tails = append(tails, tail)
			}
			pattern = false
		}
	}
	return tails
}

// literalTail is what the names of all files end in that a pattern matches. A macro
// is for patterns elsewhere.
func literalTail(pattern string) string {
	if strings.HasPrefix(pattern, "[attr]") {
		return ""
	}
	return pattern[strings.LastIndexAny(pattern, `/*?[]\`)+1:]
}

// blanks separate the fields of an attributes line.
const blanks = " \t\r\n"

func fieldConverts(field string) bool {
	if strings.HasPrefix(field, "-") || strings.HasPrefix(field, "!") {
		return false
	}
	name, value, _ := strings.Cut(field, "=")
	switch name {
	case "eol":
		return value != "lf"
	case "ident", "working-tree-encoding":
		return true
	}
	return false
}

// gitMayRefuse reports whether the name of an entry of a sound tree looks like
// one that git keeps out of an index: archiving goes through one, and fails for it. Git
// is careful for file systems that ignore letter case, trailing dots and spaces
// or what follows a colon, and for the short names of NTFS.
func gitMayRefuse(e object.Entry) bool {
	if strings.Contains(e.Name, "\\") {
		return true
	}
	if c := e.Name[0]; c != '.' && c != 'g' && c != 'G' {
		return false
	}
	name := strings.ToLower(e.Name)
	// A link may not be, nor be below, what could be taken for .gitmodules.
	if !e.Mode.IsRegular() && (strings.HasPrefix(name, ".gitmodules") || strings.HasPrefix(name, "gi") && strings.Contains(name, "~")) {
		return true
	}
	for _, dir := range []string{".git", "git~1"} {
		if rest, ok := strings.CutPrefix(name, dir); ok {
			rest, _, _ = strings.Cut(rest, ":")
			if strings.Trim(rest, " .") == "" {
				return true
			}
		}
	}
	return false
}
