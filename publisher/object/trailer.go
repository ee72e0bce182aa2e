package object

import (
	"bytes"
	"strings"
)

// A trailer is a "key: value" line in the last paragraph of a commit message.
// Which paragraph counts is a heuristic of git's, described in
// git-interpret-trailers(1); what follows is that heuristic without any
// configuration, as "git log --format=%(trailers)" applies it: the message
// starts at its first line that is not blank and a "---" line means nothing.

// untitled is the title of a message that would otherwise have none. Git takes
// the first paragraph for the title, never for trailers, so a message cannot
// consist of a trailer alone.
const untitled = "(no message)"

// scissors is the line below which git ignores a message.
const scissors = "# ------------------------ >8 ------------------------\n"

// AppendTrailer returns the message with the line "key: value" as the last of
// its trailers. It joins the trailers that are there, even where a comment or
// a list of conflicts follows them; a message without trailers gets it as a
// new paragraph at the end, and one that is blank also gets a title.
//
// All other text stays as it is, byte for byte, but for blank lines that a
// message ends in and a missing final newline. Trailers that git saw before
// are still seen, those with the same key too.
//
// The key must consist of ASCII letters, digits and dashes, as
// [ValidTrailerKey] reports; the value must be one line.
func AppendTrailer(message []byte, key, value string) []byte {
	b := make([]byte, 0, len(message)+len(untitled)+len(key)+len(value)+8)
	text, ignored := splitIgnored(message)
	at, inBlock := len(text), false
	if start, end := trailerBlock(text); start < end {
		at, inBlock = lastTextLine(text[:end]), true
	}
	before, after := text[:at], text[at:]
	if !inBlock {
		before = trimBlankLines(before)
	}
	if len(bytes.Trim(after, blanks)) == 0 {
		after = nil
	}
	b = append(b, before...)
	switch {
	case len(before) == 0:
		b = append(b, untitled+"\n"...)
	case before[len(before)-1] != '\n':
		b = append(b, '\n')
	}
	if !inBlock {
		b = append(b, '\n')
	}
	b = append(b, key...)
	b = append(b, ": "...)
	b = append(b, value...)
	b = append(b, '\n')
	b = append(b, after...)
	return append(b, ignored...)
}

// LastTrailer returns the value of the last trailer in the message that has
// the given key, and whether there is one. Keys compare without regard to
// ASCII case. A value that continues on further lines keeps its newlines.
func LastTrailer(message []byte, key string) (value string, ok bool) {
	text, _ := splitIgnored(message)
	start, end := trailerBlock(text)
	var last []byte
	for block := text[start:end]; len(block) > 0; {
		entry := cutLine(&block)
		colon := separator(entry)
		if colon < 1 {
			continue
		}
		size := len(entry)
		for len(block) > 0 && isBlank(block[0]) {
			size += len(cutLine(&block))
		}
		entry = entry[:size] // The lines lie one after the other in text.
		if equalFold(bytes.Trim(entry[:colon], blanks), key) {
			last, ok = entry[colon+1:], true
		}
	}
	return string(bytes.Trim(last, blanks)), ok
}

// ValidTrailerKey reports whether key can name a trailer.
func ValidTrailerKey(key string) bool {
	for i := range len(key) {
		if !isKeyByte(key[i]) {
			return false
		}
	}
	return key != ""
}

// splitIgnored cuts off the part of a message that git does not look at: what
// follows a NUL byte, as messages are C strings to it, or a scissors line. A
// scissors line that the text ends in without a newline is but a comment, but
// would become one of them when a line is added.
func splitIgnored(message []byte) (text, ignored []byte) {
	n := len(message)
	if i := bytes.IndexByte(message, 0); i >= 0 {
		n = i
	}
	text = message[:n]
	unended := []byte(scissors[:len(scissors)-1])
	if bytes.HasPrefix(text, []byte(scissors)) || bytes.Equal(text, unended) {
		n = 0
	} else if i := bytes.Index(text, []byte("\n"+scissors)); i >= 0 {
		n = i + 1
	} else if bytes.HasSuffix(text, append([]byte("\n"), unended...)) {
		n -= len(unended)
	}
	return message[:n], message[n:]
}

// trailerBlock returns the offsets of the paragraph of trailers; it is empty
// where the message has none. The block may contain comments and blank lines
// at its end.
func trailerBlock(text []byte) (start, end int) {
	skipped := len(text) - len(trimLeadingBlankLines(text))
	text = text[skipped:]
	end = blockEnd(text)
	title := titleEnd(text[:end])

	// A paragraph counts if it is all trailers, or if git itself wrote one of
	// them and they are at least a quarter. A line that begins with a blank is
	// neither until the line above it is known.
	var trailers, others, continuations int
	var seenText, byGit bool
	for next := end; next > title; {
		at := lineStart(text, next)
		line := text[at:next]
		switch {
		case line[0] == '#':
			others += continuations
			continuations = 0
		case isBlankLine(line):
			if !seenText {
				break
			}
			others += continuations
			if byGit && 3*trailers >= others || trailers > 0 && others == 0 {
				return skipped + next, skipped + end
			}
			return skipped + end, skipped + end
		case isGitTrailer(line):
			seenText, byGit = true, true
			trailers++
			continuations = 0
		case separator(line) >= 1:
			seenText = true
			trailers++
			continuations = 0
		case isBlank(line[0]):
			seenText = true
			continuations++
		default:
			seenText = true
			others += 1 + continuations
			continuations = 0
		}
		next = at
	}
	return skipped + end, skipped + end
}

// blockEnd returns the offset of the comments, empty lines and list of
// conflicts that the text ends in.
func blockEnd(text []byte) int {
	end := 0 // Git's own zero: a run that starts on the first line is not one.
	inConflicts := false
	for at := 0; at < len(text); {
		line := text[at:]
		line = cutLine(&line)
		switch {
		case line[0] == '#' || line[0] == '\n':
			if end == 0 {
				end = at
			}
		case string(line) == "Conflicts:\n":
			inConflicts = true
			if end == 0 {
				end = at
			}
		case inConflicts && line[0] == '\t':
		case end != 0:
			end, inConflicts = 0, false
		}
		at += len(line)
	}
	if end == 0 {
		return len(text)
	}
	return end
}

// titleEnd returns the offset of the blank line that ends the first paragraph.
func titleEnd(text []byte) int {
	rest := text
	for len(rest) > 0 {
		at := len(text) - len(rest)
		line := cutLine(&rest)
		if line[0] != '#' && isBlankLine(line) {
			return at
		}
	}
	return len(text)
}

// lastTextLine returns the offset after the last line of text that is neither
// blank nor a comment.
func lastTextLine(text []byte) int {
	next := len(text)
	for next > 0 {
		at := lineStart(text, next)
		if line := text[at:next]; line[0] != '#' && !isBlankLine(line) {
			break
		}
		next = at
	}
	return next
}

// isGitTrailer reports whether git itself writes such lines.
func isGitTrailer(line []byte) bool {
	return bytes.HasPrefix(line, []byte("Signed-off-by: ")) ||
		bytes.HasPrefix(line, []byte("(cherry picked from commit "))
}

// separator returns the index of the colon behind a line's key; it is less
// than 1 where the line is no trailer.
func separator(line []byte) int {
	inKey := true
	for i, c := range line {
		switch {
		case c == ':':
			return i
		case inKey && isKeyByte(c):
		case i > 0 && (c == ' ' || c == '\t'):
			inKey = false
		default:
			return -1
		}
	}
	return -1
}

func isKeyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
}

// blanks are the bytes that git takes for white space.
const blanks = " \t\r\n"

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }

func isBlankLine(line []byte) bool { return len(bytes.TrimLeft(line, blanks)) == 0 }

// cutLine takes the first line, with its newline, from *rest.
func cutLine(rest *[]byte) []byte {
	line := *rest
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i+1]
	}
	*rest = (*rest)[len(line):]
	return line
}

// lineStart returns the start of the line that ends before text[next].
func lineStart(text []byte, next int) int {
	return bytes.LastIndexByte(text[:next-1], '\n') + 1
}

func trimLeadingBlankLines(text []byte) []byte {
	for rest := text; len(rest) > 0; text = rest {
		if !isBlankLine(cutLine(&rest)) {
			break
		}
	}
	return text
}

// trimBlankLines cuts off the blank lines at the end, but leaves blanks that
// belong to the last line of text.
func trimBlankLines(text []byte) []byte {
	n := len(bytes.TrimRight(text, blanks))
	if n == 0 {
		return nil
	}
	if i := bytes.IndexByte(text[n:], '\n'); i >= 0 {
		return text[:n+i+1]
	}
	return text
}

// equalFold compares without regard to ASCII case only.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
