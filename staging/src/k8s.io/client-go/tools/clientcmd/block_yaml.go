package clientcmd

import (
	"bytes"
	"sort"
)

// blockYAML turns the plain subset of YAML that programs write into JSON, many
// times faster than a parser of all of YAML: block mappings and sequences
// whose scalars stand on one line each. Whatever else it meets, comments at the
// end of a line and numbers included, makes it give up; a full parser then does
// the work. So what it accepts has to mean the same to both.
//
// Extensions make it give up too. They are kept as JSON, whose fields would
// stand in another order.
type blockYAML struct {
	src []byte
	pos int // where the line after the current one starts

	// The current line, without indentation and white space at its end. After
	// "- " the rest of a line counts as a line that is indented that much more.
	text   []byte
	indent int
	line   int
	end    bool // there is none

	out []byte

	marks   []lineMark // of values, in the order of offsets
	marking bool       // whether they are wanted
}

// lineMark says on which line the value stands whose JSON starts at offset.
type lineMark struct{ offset, line int }

const maxBlockDepth = 64 // far deeper than a kubeconfig

// maxBlockKeys limits the search for duplicate keys, which are few.
const maxBlockKeys = 64

// blockToJSON returns the JSON for src, or false if it is not of the subset.
func blockToJSON(src []byte) ([]byte, bool) {
	y := blockYAML{src: src}
	ok := y.document()
	return y.out, ok
}

// blockLine returns the line of src that the byte of the JSON at offset comes
// from, or 0 if src is not of the subset.
func blockLine(src []byte, offset int) int {
	y := blockYAML{src: src, marking: true}
	if !y.document() {
		return 0
	}
	after := sort.Search(len(y.marks), func(i int) bool { return y.marks[i].offset >= offset })
	if after == 0 {
		return 0
	}
	return y.marks[after-1].line
}

func (y *blockYAML) document() bool {
	y.out = make([]byte, 0, len(y.src)+len(y.src)/8)
	if bytes.HasPrefix(y.src, []byte("---\n")) {
		y.pos, y.line = len("---\n"), 1
	}
	return y.next() && !y.end && y.indent == 0 && !y.atItem() && y.mapping(0, 0) && y.end
}

// next goes to the next line that is neither empty nor a comment. It returns
// false for lines that need a full parser.
func (y *blockYAML) next() bool {
	for y.pos < len(y.src) {
		line := y.src[y.pos:]
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		y.pos += len(line) + 1
		y.line++
		y.text = bytes.TrimRight(bytes.TrimLeft(line, " "), " ")
		y.indent = len(line) - len(bytes.TrimLeft(line, " "))
		if len(y.text) == 0 {
			continue
		}
		if y.text[0] != '#' {
			return true
		}
		if !isPrintable(y.text) { // not even a comment may hold anything
			return false
		}
	}
	y.end, y.text, y.indent = true, nil, -1
	return true
}

func (y *blockYAML) atItem() bool {
	return len(y.text) > 2 && y.text[0] == '-' && y.text[1] == ' '
}

// mapping reads the lines of one mapping, of which the current line is the
// first.
func (y *blockYAML) mapping(indent, depth int) bool {
	if depth > maxBlockDepth {
		return false
	}
	var keyArray [maxBlockKeys][]byte
	keys := keyArray[:0]
	y.out = append(y.out, '{')
	for y.indent == indent && !y.end && !y.atItem() {
		key, rest, ok := cutKey(y.text)
		if !ok || len(keys) == maxBlockKeys {
			return false
		}
		for _, other := range keys {
			if bytes.Equal(key, other) {
				return false
			}
		}
		if len(keys) > 0 {
			y.out = append(y.out, ',')
		}
		keys = append(keys, key)
		y.out = append(y.out, '"')
		y.out = append(y.out, key...)
		y.out = append(y.out, `":`...)
		if string(key) == "extensions" || !y.value(rest, indent, depth) {
			return false
		}
	}
	y.out = append(y.out, '}')
	return y.indent < indent || y.end || y.atItem() && y.indent == indent
}

// value reads what stands after a key: rest, or else the lines below.
func (y *blockYAML) value(rest []byte, indent, depth int) bool {
	y.mark()
	if len(rest) != 0 {
		// A scalar that goes on in the next line is for a full parser.
		return y.scalar(rest) && y.next() && y.indent <= indent
	}
	if !y.next() {
		return false
	}
	switch {
	case y.indent >= indent && y.atItem():
		return y.sequence(y.indent, depth+1)
	case y.indent > indent:
		return y.mapping(y.indent, depth+1)
	}
	y.out = append(y.out, "null"...)
	return true
}

// sequence reads the lines of one sequence, of which the current line is the
// first.
func (y *blockYAML) sequence(indent, depth int) bool {
	if depth > maxBlockDepth {
		return false
	}
	for first := true; y.indent == indent && y.atItem(); first = false {
		if first {
			y.out = append(y.out, '[')
		} else {
			y.out = append(y.out, ',')
		}
		item := bytes.TrimLeft(y.text[1:], " ")
		y.mark()
		if _, _, isMapping := cutKey(item); isMapping {
			y.indent, y.text = indent+len(y.text)-len(item), item
			if !y.mapping(y.indent, depth+1) {
				return false
			}
		} else if !y.scalar(item) || !y.next() {
			return false
		}
		if y.indent > indent {
			return false
		}
	}
	y.out = append(y.out, ']')
	return true
}

func (y *blockYAML) mark() {
	if y.marking {
		y.marks = append(y.marks, lineMark{len(y.out), y.line})
	}
}

// cutKey splits a line of a mapping into its key and what stands after it.
func cutKey(line []byte) (key, rest []byte, ok bool) {
	for i, c := range line {
		if c == ':' && (i+1 == len(line) || line[i+1] == ' ') {
			key, rest = line[:i], bytes.TrimLeft(line[i+1:], " ")
			return key, rest, i > 0 && isLetter(line[0]) && !isWord(key)
		}
		if !isLetter(c) && !isDigit(c) && c != '-' && c != '_' && c != '.' && c != '/' {
			break
		}
	}
	return nil, nil, false
}

// scalar writes a scalar that stands on one line.
func (y *blockYAML) scalar(text []byte) bool {
	switch c := text[0]; {
	case string(text) == "{}", string(text) == "[]", string(text) == "true", string(text) == "false", string(text) == "null":
		y.out = append(y.out, text...)
		return true
	case c == '"' || c == '\'':
		// Without escapes what is between the quotes is the value.
		if len(text) < 2 || text[len(text)-1] != c {
			return false
		}
		text = text[1 : len(text)-1]
		if !isPrintable(text) || bytes.ContainsAny(text, `"'\`) {
			return false
		}
	case isLetter(c) || c == '/':
		if isWord(text) {
			return false
		}
		for i, b := range text {
			if isLetter(b) || isDigit(b) {
				continue
			}
			switch b {
			case '_', '.', '/', '@', '+', '=', '-', ',', '%', '~', '?', '&', ';', '(', ')', '$':
			case ' ':
				if text[i+1] == '#' || text[i-1] == ':' {
					return false
				}
			case ':':
				if i+1 == len(text) {
					return false
				}
			default:
				return false
			}
		}
	default:
		return false
	}
	y.out = append(y.out, '"')
	y.out = append(y.out, text...)
	y.out = append(y.out, '"')
	return true
}

// isPrintable tells whether text is ASCII without control characters.
func isPrintable(text []byte) bool {
	for _, b := range text {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isWord tells whether text may be a boolean or null, in any of the spellings
// that YAML has had.
func isWord(text []byte) bool {
	if len(text) > len("false") {
		return false
	}
	switch string(bytes.ToLower(text)) {
	case "y", "yes", "n", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}
