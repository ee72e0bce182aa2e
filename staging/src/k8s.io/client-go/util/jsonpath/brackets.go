package jsonpath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// brackets parses what follows an opening bracket, and the closing one: a
// filter, or one or more keys, indices and slices.
func (p *Parser) brackets() ([]Node, error) {
	if p.skip("?(") {
		return p.filter()
	}
	end := indexOutsideQuotes(p.source[p.pos:], "]")
	if end < 0 {
		return nil, errors.New("unterminated array")
	}
	inside := p.source[p.pos : p.pos+end]
	p.pos += end + 1
	parts := splitOutsideQuotes(inside, ',')
	if len(parts) == 1 {
		return subscript(inside)
	}
	union := &UnionNode{NodeType: NodeUnion}
	for _, part := range parts {
		nodes, err := subscript(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		query := newList()
		query.append(nodes...)
		union.Nodes = append(union.Nodes, query)
	}
	return []Node{union}, nil
}

// subscript parses one key, index or slice.
func subscript(text string) ([]Node, error) {
	invalid := fmt.Errorf("invalid array index %s", text)
	switch {
	case text == "*":
		return []Node{&ArrayNode{NodeType: NodeArray}}, nil
	case text != "" && (text[0] == '\'' || text[0] == '"'):
		if quotedLen(text) != len(text) {
			return nil, invalid
		}
		if text[0] == '\'' {
			return path(text[1 : len(text)-1]), nil
		}
		key, err := UnquoteExtend(text)
		if err != nil {
			return nil, invalid
		}
		return []Node{newField(key)}, nil
	}
	bounds := strings.Split(text, ":")
	if len(bounds) > 3 {
		return nil, invalid
	}
	array := &ArrayNode{NodeType: NodeArray}
	for i, bound := range bounds {
		if bound == "" {
			continue
		}
		value, err := strconv.Atoi(bound)
		if err != nil || bound[0] == '+' {
			return nil, invalid
		}
		array.Params[i] = ParamsEntry{Value: value, Known: true}
	}
	if len(bounds) == 1 {
		array.Params[1] = ParamsEntry{Value: array.Params[0].Value + 1, Known: true, Derived: true}
	}
	return []Node{array}, nil
}

// path parses a key in single quotes, which can be a path of several fields.
func path(key string) []Node {
	var nodes []Node
	for start, i := 0, 0; i <= len(key); i++ {
		switch {
		case i == len(key) || key[i] == '.':
			nodes = append(nodes, newField(unescape(key[start:i])))
			start = i + 1
		case key[i] == '\\' && i+1 < len(key):
			i++
		}
	}
	return nodes
}

// filter parses what follows "[?(", up to and with ")]".
func (p *Parser) filter() ([]Node, error) {
	end := closingParenthesis(p.source[p.pos:])
	if end < 0 {
		return nil, errors.New("unterminated filter")
	}
	condition := p.source[p.pos : p.pos+end]
	p.pos += end + 1
	if !p.skip("]") {
		return nil, errors.New("unclosed array expect ]")
	}

	node := &FilterNode{NodeType: NodeFilter, Operator: "exists", Right: newList()}
	left := condition
	if at := indexOutsideQuotes(condition, "!<>="); at > 0 {
		rest := strings.TrimLeft(condition[at:], "!<>=")
		if rest != "" {
			left, node.Operator = condition[:at], condition[at:len(condition)-len(rest)]
			right, err := operand(rest)
			if err != nil {
				return nil, err
			}
			node.Right = right
		}
	}
	var err error
	node.Left, err = operand(left)
	return []Node{node}, err
}

// operand parses a side of a comparison, which is a query without braces.
func operand(text string) (*ListNode, error) {
	p := &Parser{source: text + "}"}
	list, err := p.query()
	if err == nil && !p.done() {
		err = fmt.Errorf("unrecognized character in action: %#U", '}')
	}
	return list, err
}

// indexOutsideQuotes returns the index of the first byte of s that is one of
// chars and neither in quotes nor escaped, or -1.
func indexOutsideQuotes(s, chars string) int {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case strings.IndexByte(chars, c) >= 0:
			return i
		case c == '\\':
			i++
		case c == '"' || c == '\'':
			n := quotedLen(s[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		}
	}
	return -1
}

func splitOutsideQuotes(s string, separator byte) []string {
	var parts []string
	for {
		at := indexOutsideQuotes(s, string(separator))
		if at < 0 {
			return append(parts, s)
		}
		parts = append(parts, s[:at])
		s = s[at+1:]
	}
}

// closingParenthesis returns the index of the one that closes what was opened
// before s, or -1.
func closingParenthesis(s string) int {
	depth, from := 1, 0
	for {
		at := indexOutsideQuotes(s[from:], "()")
		if at < 0 {
			return -1
		}
		from += at + 1
		if s[from-1] == '(' {
			depth++
		} else {
			depth--
		}
		if depth == 0 {
			return from - 1
		}
	}
}
