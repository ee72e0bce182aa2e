package rules

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds what a hostile file costs, in bytes. The largest known has 1 MiB.
const maxFile = 16 << 20

// document returns the root mapping of a file that holds exactly one document.
func document(file string, data []byte) (*yaml.Node, error) {
	if len(data) > maxFile {
		return nil, notRules(fileProblem(file, position{1, 1}, "has more than %d MiB", maxFile>>20))
	}
	if at, ok := notText(data); ok {
		return nil, notRules(fileProblem(file, at, "not a text in UTF-8"))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, notRules(fileProblem(file, position{1, 1}, "the file is empty"))
	case err != nil:
		return nil, notRules(syntaxProblem(file, data, err))
	}
	root := doc.Content[0]
	if isNull(root) {
		return nil, notRules(fileProblem(file, positionOf(root), "the file is empty"))
	}

	var next yaml.Node
	switch err := decoder.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, notRules(syntaxProblem(file, data, err))
	default:
		return nil, notRules(fileProblem(file, positionOf(&next), "a second document starts here; a rules file has only one"))
	}

	if root.Kind != yaml.MappingNode {
		return nil, notRules(fileProblem(file, positionOf(root), "must be a mapping with the key %q", "rules"))
	}
	return root, nil
}

func notRules(p Problem) error { return &InvalidError{Problems: []Problem{p}} }

// notText finds what the YAML parser would refuse without saying where.
func notText(data []byte) (position, bool) {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 || c != 0x85 && c != '\t' && c != '\n' && c != '\r' && unicode.IsControl(c) {
			line := bytes.LastIndexByte(data[:i], '\n') + 1
			return position{bytes.Count(data[:i], []byte("\n")) + 1, utf8.RuneCount(data[line:i]) + 1}, true
		}
		i += size
	}
	return position{}, false
}

var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxProblem turns the YAML parser's error, which has its line in the text
// only, into a problem. That line is sometimes the one before.
func syntaxProblem(file string, data []byte, err error) Problem {
	message := err.Error()
	at := position{1, 1}
	if m := syntaxError.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		if line, err := strconv.Atoi(m[1]); err == nil {
			at.line = line
		}
	}
	lines := strings.Split(string(data), "\n")
	for n := at.line; n <= min(at.line+1, len(lines)); n++ {
		text := lines[n-1]
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if tab := strings.IndexByte(indent, '\t'); tab >= 0 {
			return fileProblem(file, position{n, tab + 1}, "not YAML: a tab in the indentation; use spaces")
		}
	}
	return fileProblem(file, at, "not YAML: %s", message)
}
