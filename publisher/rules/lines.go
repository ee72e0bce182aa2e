package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// text is a file by lines, each with its line break.
type text struct {
	file  string
	lines []string
	// eol is the line break that the file uses.
	eol     string
	splices []splice
}

// splice replaces the lines [from, to), counted from 0.
type splice struct {
	from, to int
	lines    []string
}

// newText splits a file whose lines are the YAML parser's: that one knows more
// line breaks.
func newText(file string, data []byte) (*text, error) {
	s := string(data)
	if strings.ContainsAny(s, "\u0085\u2028\u2029") || strings.Count(s, "\r") != strings.Count(s, "\r\n") {
		return nil, fileProblem(file, position{1, 1}, "cannot be edited: it has line breaks other than \\n and \\r\\n")
	}
	t := &text{file: file, eol: "\n"}
	if strings.Contains(s, "\r\n") {
		t.eol = "\r\n"
	}
	t.lines = slices.Collect(strings.SplitAfterSeq(s, "\n"))
	if last := len(t.lines) - 1; t.lines[last] == "" {
		t.lines = t.lines[:last]
	} else {
		t.lines[last] += t.eol
	}
	return t, nil
}

// bytes returns the file with all splices done. They must not overlap.
func (t *text) bytes() []byte {
	slices.SortStableFunc(t.splices, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var b strings.Builder
	at := 0
	for _, s := range t.splices {
		for _, line := range append(slices.Clone(t.lines[at:s.from]), s.lines...) {
			b.WriteString(line)
		}
		at = s.to
	}
	for _, line := range t.lines[at:] {
		b.WriteString(line)
	}
	return []byte(b.String())
}

func (t *text) replace(from, to int, lines ...string) {
	t.splices = append(t.splices, splice{from: from, to: to, lines: lines})
}

func (t *text) blank(line int) bool {
	return line >= len(t.lines) || strings.TrimSpace(t.lines[line]) == ""
}

// indent is the number of spaces that a line begins with.
func (t *text) indent(line int) int {
	return len(t.lines[line]) - len(strings.TrimLeft(t.lines[line], " "))
}

// block returns the lines [from, to) of an entry of a block sequence, from its
// dash to its last line. Comments at its end that are further in than the dash
// belong to it. Blank lines at its end do not, unless a block scalar holds them.
func (t *text) block(sequence, entry *yaml.Node) (from, to int, err error) {
	dash := sequence.Column - 1
	from = entry.Line - 1
	for from >= 0 && (t.blank(from) || t.indent(from) != dash || t.lines[from][dash] != '-') {
		from--
	}
	if from < sequence.Line-1 {
		return 0, 0, t.uneditable(entry, "its dash is not at the beginning of a line")
	}
	last := lastNode(entry)
	to = max(from+1, last.Line)
	for i := to; i < len(t.lines); i++ {
		switch {
		case t.blank(i):
			if t.keepsBlanks(last) {
				to = i + 1
			}
		case t.indent(i) > dash:
			to = i + 1
		default:
			return from, to, nil
		}
	}
	return from, to, nil
}

// keepsBlanks reports whether a node is a block scalar such as |+, of which
// blank lines at its end are a part.
func (t *text) keepsBlanks(n *yaml.Node) bool {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return false
	}
	header, _, _ := strings.Cut(t.lines[n.Line-1], "#")
	return strings.HasSuffix(strings.TrimRight(header, " \t\r\n0123456789"), "+")
}

// lastNode returns the node that begins last of all within n.
func lastNode(n *yaml.Node) *yaml.Node {
	if len(n.Content) == 0 {
		return n
	}
	return lastNode(n.Content[len(n.Content)-1])
}

// put returns a line with the scalar n, which stands in it, replaced. The new
// value is quoted as the old one is.
func (t *text) put(line string, n *yaml.Node, value string) (string, error) {
	from := 0
	for range n.Column - 1 {
		if from >= len(line) {
			return "", t.uneditable(n, "it is not a plain or quoted word in one line")
		}
		_, size := utf8.DecodeRuneInString(line[from:])
		from += size
	}
	length, ok := scalarLength(line[from:], n)
	if !ok {
		return "", t.uneditable(n, "it is not a plain or quoted word in one line")
	}
	written, err := writeScalar(value, n.Style)
	if err != nil {
		return "", t.uneditable(n, err.Error())
	}
	return line[:from] + written + line[from+length:], nil
}

// scalarLength is the length of the scalar that s begins with.
func scalarLength(s string, n *yaml.Node) (length int, ok bool) {
	switch n.Style {
	case 0:
		return len(n.Value), strings.HasPrefix(s, n.Value)
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		// A name with an escape in it is no name that anyone writes.
		length = len(n.Value) + 2
		return length, len(s) >= length && s[1:length-1] == n.Value && s[0] == s[length-1]
	}
	return 0, false
}

// writeScalar writes a string in a way that holds inside of flow style too.
func writeScalar(value string, style yaml.Style) (string, error) {
	if style == 0 && strings.ContainsAny(value, ",[]{}") {
		style = yaml.DoubleQuotedStyle
	}
	out, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: style, Value: value})
	return strings.TrimSuffix(string(out), "\n"), err
}

// uneditable is the error about a place that has no lines of its own.
func (t *text) uneditable(n *yaml.Node, reason string) error {
	return fileProblem(t.file, positionOf(n), "cannot be edited line by line: %s", reason)
}

// blockStyle returns an error where a collection is in flow style.
func (t *text) blockStyle(n *yaml.Node) error {
	if n.Style&yaml.FlowStyle != 0 {
		return t.uneditable(n, fmt.Sprintf("%q is flow style; write it in lines of its own", map[yaml.Kind]string{
			yaml.MappingNode:  "{...}",
			yaml.SequenceNode: "[...]",
		}[n.Kind]))
	}
	return nil
}
