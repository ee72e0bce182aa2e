package modhash

import (
	"bytes"
	"fmt"
	"strings"

	"k8s.io/publisher/object"
)

// attributesConvert reports whether a .gitattributes file may make git archive
// give other bytes than a blob's. A symbolic link of that name counts: git
// reads the attributes from its target's name.
func (h *Hasher) attributesConvert(id object.ID) (bool, error) {
	if converts, ok := h.converts[id]; ok {
		return converts, nil
	}
	data, err := h.objects.Blob(id)
	if err != nil {
		return false, fmt.Errorf("reading blob %s: %w", id, err)
	}
	converts := mayConvert(data)
	h.converts[id] = converts
	h.held++
	return converts, nil
}

// mayConvert errs on the side of true. The format is gitattributes(5)'s.
//
// With the line endings that the go command asks git for, text and crlf and all
// their values leave contents alone on the way out; filters do nothing unless
// they are configured, which is not the repository's to do.
func mayConvert(attributes []byte) bool {
	attributes = bytes.TrimPrefix(attributes, []byte("\ufeff"))
	for line := range bytes.Lines(attributes) {
		line = bytes.TrimLeft(line, blanks)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		pattern := true
		if line[0] == '"' {
			// Where a quoted pattern ends is not worth finding out.
			line, pattern = bytes.ReplaceAll(line, []byte(`"`), []byte(" ")), false
		}
		for field := range bytes.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(blanks, r) }) {
			if !pattern && fieldConverts(string(field)) {
				return true
			}
			pattern = false
		}
	}
	return false
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
