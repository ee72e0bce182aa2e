// Package docblock fills blocks of Markdown files with what rules and tags say, so that
// no table there says what was true once.
//
// A block stands between two comments, of which the first says what goes there, and, for
// most kinds, of which destination:
//
//	<!-- publisher docs: compatibility client-go -->
//	…
//	<!-- publisher docs: end -->
//
// Each comment has a line of its own. The kinds are
//
//   - branches: the branches of the mirror, what each is published from, what becomes of
//     it, and its newest release
//   - compatibility: which minor version of the client goes with which of the cluster, with
//     a key; of releases that have a tag kubernetes-1.x.y beside their version
//   - mirrors: the branches of all mirrors; it takes no destination
//
// All that is not between such comments stays as it is.
package docblock

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Make returns what goes into a block: whole lines of Markdown. The destination is empty
// where the block names none.
type Make func(kind, destination string) (string, error)

// Error is about a block in a file.
type Error struct {
	Line int // from 1
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

var (
	marker = regexp.MustCompile(`^\s*<!--\s*publisher docs:\s*(.*?)\s*-->\s*$`)
	fence  = regexp.MustCompile("^ {0,3}(```|~~~)")
)

// Fill returns a file with its blocks filled, and how many it has. What stands in a block
// of code is no block. Errors are [Error]s.
func Fill(data []byte, fill Make) (filled []byte, blocks int, err error) {
	var out bytes.Buffer
	begun, line := 0, 0 // the line where a block began
	code := ""
	for text := range bytes.Lines(data) {
		line++
		if m := fence.FindSubmatch(text); m != nil && begun == 0 {
			switch code {
			case "":
				code = string(m[1])
			case string(m[1]):
				code = ""
			}
		}
		m := marker.FindSubmatch(bytes.TrimRight(text, "\r\n"))
		fail := func(format string, args ...any) ([]byte, int, error) {
			return nil, 0, &Error{line, fmt.Errorf(format, args...)}
		}
		switch {
		case code != "":
			out.Write(text)
		case m == nil:
			if begun == 0 {
				out.Write(text)
			}
		case string(m[1]) == "end":
			if begun == 0 {
				return fail("a block ends that did not begin")
			}
			begun = 0
			out.Write(text)
		case begun != 0:
			return fail("a block begins within the one of line %d; that needs <!-- publisher docs: end -->", begun)
		default:
			words := strings.Fields(string(m[1]))
			if len(words) == 0 || len(words) > 2 {
				return fail("%q is not a kind and a destination, such as branches client-go", m[1])
			}
			content, err := fill(words[0], strings.Join(words[1:], ""))
			if err != nil {
				return nil, 0, &Error{line, err}
			}
			out.Write(text)
			if !bytes.HasSuffix(text, []byte("\n")) {
				return fail("the block does not end; it needs <!-- publisher docs: end -->")
			}
			out.WriteString(strings.TrimRight(content, "\n") + "\n")
			begun = line
			blocks++
		}
	}
	if begun != 0 {
		return nil, 0, &Error{begun, errors.New("the block does not end; it needs <!-- publisher docs: end -->")}
	}
	return out.Bytes(), blocks, nil
}
