package object

import (
	"bytes"
	"strconv"
	"time"
)

// Header is one line of a commit or tag header after the fixed ones, such as
// encoding or gpgsig. Value keeps continuation lines as they are stored: a
// newline, a space and the rest. It is nil where the line has no space at all.
type Header struct {
	Key   string
	Value []byte
}

// Commit is a parsed commit object.
type Commit struct {
	Tree    ID
	Parents []ID
	// Author and Committer are whole identity lines, "Name <mail> seconds
	// zone", in the bytes of the commit: any encoding, any oddity.
	Author    []byte
	Committer []byte
	// Headers follow the committer, in their order.
	Headers []Header
	// Message is everything after the blank line.
	Message []byte
}

// ParseCommit reads a commit's content.
func ParseCommit(data []byte) (*Commit, error) {
	c := new(Commit)
	rest, err := parseCommitLinks(data, &c.Tree, &c.Parents)
	if err != nil {
		return nil, err
	}
	var ok bool
	if c.Author, rest, ok = headerLine(rest, "author "); !ok {
		return nil, malformed(CommitType, "no author line")
	}
	if c.Committer, rest, ok = headerLine(rest, "committer "); !ok {
		return nil, malformed(CommitType, "no committer line")
	}
	c.Headers, c.Message, err = parseHeaders(CommitType, rest)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ParseLinks reads only the tree and the parents of a commit: what a walk
// needs of the many commits that it passes over.
func ParseLinks(data []byte) (tree ID, parents []ID, err error) {
	_, err = parseCommitLinks(data, &tree, &parents)
	return tree, parents, err
}

func parseCommitLinks(data []byte, tree *ID, parents *[]ID) (rest []byte, err error) {
	value, rest, ok := headerLine(data, "tree ")
	if !ok {
		return nil, malformed(CommitType, "no tree line")
	}
	if *tree, err = ParseID(value); err != nil {
		return nil, malformed(CommitType, "tree line: %v", err)
	}
	for {
		value, next, ok := headerLine(rest, "parent ")
		if !ok {
			return rest, nil
		}
		id, err := ParseID(value)
		if err != nil {
			return nil, malformed(CommitType, "parent line: %v", err)
		}
		*parents = append(*parents, id)
		rest = next
	}
}

// Encode returns the commit's content.
func (c *Commit) Encode() []byte {
	size := 48*(1+len(c.Parents)) + len(c.Author) + len(c.Committer) + len(c.Message) + 24
	for _, h := range c.Headers {
		size += len(h.Key) + len(h.Value) + 2
	}
	b := make([]byte, 0, size)
	b = append(b, "tree "...)
	b = AppendID(b, c.Tree)
	b = append(b, '\n')
	for _, p := range c.Parents {
		b = append(b, "parent "...)
		b = AppendID(b, p)
		b = append(b, '\n')
	}
	b = appendLine(b, "author ", c.Author)
	b = appendLine(b, "committer ", c.Committer)
	return appendHeaders(b, c.Headers, c.Message)
}

// Header returns the value of the first header called key, and whether there
// is one.
func (c *Commit) Header(key string) ([]byte, bool) { return findHeader(c.Headers, key) }

// SourceCommit returns the source commit that a mirror's commit stands for: the
// one that its last trailer with the given key names, if that is a whole ID.
func (c *Commit) SourceCommit(trailer string) (ID, bool) {
	value, ok := LastTrailer(c.Message, trailer)
	if !ok {
		return ID{}, false
	}
	id, err := ParseID([]byte(value))
	return id, err == nil
}

// CommitTime returns the committer's date.
func (c *Commit) CommitTime() (time.Time, error) { return IdentTime(c.Committer) }

// IdentTime returns the date at the end of an identity line, in UTC. A line
// that has none that can be read, which odd tools wrote, is a [FormatError].
func IdentTime(ident []byte) (time.Time, error) {
	stamp, err := IdentStamp(ident)
	if err != nil {
		return time.Time{}, err
	}
	seconds, _, _ := bytes.Cut(stamp, []byte(" "))
	n, err := strconv.ParseInt(string(seconds), 10, 64)
	if err != nil {
		return time.Time{}, malformed(CommitType, "date in %q: %v", ident, err)
	}
	return time.Unix(n, 0).UTC(), nil
}

// IdentStamp returns the "seconds zone" part of an identity line, for another
// identity to be given the same date. There is a [FormatError] where git sees
// none: a date without a zone or with a sign does not count.
func IdentStamp(ident []byte) ([]byte, error) {
	mail := bytes.LastIndexByte(ident, '>')
	seconds, text := cutDigits(bytes.TrimSpace(ident[mail+1:]))
	zone := bytes.TrimLeft(text, " \t")
	if mail < 0 || len(seconds) == 0 || len(zone) < 2 || zone[0] != '+' && zone[0] != '-' {
		return nil, malformed(CommitType, "no date in %q", ident)
	}
	digits, _ := cutDigits(zone[1:])
	if len(digits) == 0 {
		return nil, malformed(CommitType, "no date in %q", ident)
	}
	return append(append(bytes.Clone(seconds), ' '), zone[:1+len(digits)]...), nil
}

func cutDigits(b []byte) (digits, rest []byte) {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return b[:n], b[n:]
}

// headerLine returns the value of the line at the start of data if it begins
// with key, which includes the space.
func headerLine(data []byte, key string) (value, rest []byte, ok bool) {
	if len(data) < len(key) || string(data[:len(key)]) != key {
		return nil, data, false
	}
	data = data[len(key):]
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return nil, data, false
	}
	return data[:i], data[i+1:], true
}

func parseHeaders(t Type, data []byte) (headers []Header, message []byte, err error) {
	for len(data) > 0 && data[0] != '\n' {
		end := bytes.IndexByte(data, '\n')
		for end >= 0 && end+1 < len(data) && data[end+1] == ' ' {
			next := bytes.IndexByte(data[end+1:], '\n')
			if next < 0 {
				end = -1
				break
			}
			end += 1 + next
		}
		if end < 0 {
			return nil, nil, malformed(t, "header is cut short")
		}
		key, value, _ := bytes.Cut(data[:end], []byte(" "))
		headers = append(headers, Header{Key: string(key), Value: value})
		data = data[end+1:]
	}
	if len(data) > 0 {
		message = data[1:]
	} else {
		message = nil // An object may end with its header; see appendHeaders.
	}
	return headers, message, nil
}

func appendHeaders(b []byte, headers []Header, message []byte) []byte {
	for _, h := range headers {
		b = append(b, h.Key...)
		if h.Value != nil {
			b = append(b, ' ')
			b = append(b, h.Value...)
		}
		b = append(b, '\n')
	}
	if message == nil {
		return b
	}
	b = append(b, '\n')
	return append(b, message...)
}

func appendLine(b []byte, key string, value []byte) []byte {
	b = append(b, key...)
	b = append(b, value...)
	return append(b, '\n')
}

func findHeader(headers []Header, key string) ([]byte, bool) {
	for _, h := range headers {
		if h.Key == key {
			return h.Value, true
		}
	}
	return nil, false
}
