package jsonpath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrSyntax is returned for a quoted string that is not one.
var ErrSyntax = errors.New("invalid syntax")

// A Parser turns the source of a template into nodes.
type Parser struct {
	Name string
	Root *ListNode

	source string // what is parsed
	pos    int    // how far
}

// NewParser returns a parser that has parsed nothing yet.
func NewParser(name string) *Parser {
	return &Parser{Name: name}
}

// Parse returns a parser that has parsed text. On an error it has no root.
func Parse(name, text string) (*Parser, error) {
	p := NewParser(name)
	return p, p.Parse(text)
}

// Parse parses text and sets Root to what it is, or to nil on an error.
func (p *Parser) Parse(text string) error {
	p.Root, p.source, p.pos = nil, text, 0
	root := newList()
	for !p.done() {
		before, _, action := strings.Cut(p.source[p.pos:], "{")
		if before != "" {
			root.append(newText(before))
		}
		p.pos += len(before)
		if !action {
			break
		}
		p.pos++
		query, err := p.query()
		if err != nil {
			return err
		}
		root.append(query)
	}
	p.Root = root
	return nil
}

func (p *Parser) done() bool { return p.pos >= len(p.source) }

func (p *Parser) peek() rune {
	r, _ := utf8.DecodeRuneInString(p.source[p.pos:])
	return r
}

func (p *Parser) skip(prefix string) bool {
	if !strings.HasPrefix(p.source[p.pos:], prefix) {
		return false
	}
	p.pos += len(prefix)
	return true
}

// while returns the text from here on of which all runes are as wanted.
func (p *Parser) while(wanted func(rune) bool) string {
	rest := p.source[p.pos:]
	end := strings.IndexFunc(rest, func(r rune) bool { return !wanted(r) })
	if end < 0 {
		end = len(rest)
	}
	p.pos += end
	return rest[:end]
}

// query parses what follows an opening brace, and the closing one.
func (p *Parser) query() (*ListNode, error) {
	list := newList()
	for {
		p.while(isSpace)
		if p.done() {
			return nil, errors.New("unclosed action")
		}
		if p.skip("}") {
			return list, nil
		}
		nodes, err := p.element()
		if err != nil {
			return nil, err
		}
		list.append(nodes...)
	}
}

// element parses one element of a query, which can amount to several nodes or
// to none.
func (p *Parser) element() ([]Node, error) {
	switch r := p.peek(); {
	case r == '$' || r == '@':
		p.pos++
		return nil, nil
	case r == '[':
		p.pos++
		return p.brackets()
	case r == '"' || r == '\'':
		text, err := p.quoted()
		return []Node{newText(text)}, err
	case p.skip(".."):
		if p.skip("..") { // all of all: it grows beyond measure, and says no more
			return nil, errors.New("invalid multiple recursive descent")
		}
		nodes := []Node{&RecursiveNode{NodeRecursive}}
		switch {
		case p.skip("*"):
			nodes = append(nodes, &WildcardNode{NodeWildcard})
		case !p.done() && isWord(p.peek()):
			nodes = append(nodes, newField(p.fieldName()))
		}
		return nodes, nil
	case p.skip(".*"):
		return []Node{&WildcardNode{NodeWildcard}}, nil
	case p.skip("."):
		return []Node{newField(p.fieldName())}, nil
	case r == '+' || r == '-' || unicode.IsDigit(r):
		return p.number()
	case isWord(r):
		return []Node{word(p.while(isWord))}, nil
	default:
		return nil, fmt.Errorf("unrecognized character in action: %#U", r)
	}
}

func word(name string) Node {
	if name == "true" || name == "false" {
		return &BoolNode{NodeBool, name == "true"}
	}
	return &IdentifierNode{NodeIdentifier, name}
}

func (p *Parser) number() ([]Node, error) {
	start := p.pos
	if !p.skip("+") {
		p.skip("-")
	}
	p.while(func(r rune) bool { return r == '.' || unicode.IsDigit(r) })
	text := p.source[start:p.pos]
	if value, err := strconv.Atoi(text); err == nil {
		return []Node{&IntNode{NodeInt, value}}, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("cannot parse number %s", text)
	}
	return []Node{&FloatNode{NodeFloat, value}}, nil
}

// quoted parses a string in quotes of either sort.
func (p *Parser) quoted() (string, error) {
	end := quotedLen(p.source[p.pos:])
	if end < 0 {
		return "", errors.New("unterminated quoted string")
	}
	text := p.source[p.pos : p.pos+end]
	p.pos += end
	unquoted, err := UnquoteExtend(text)
	if err != nil {
		return "", fmt.Errorf("unquote string %s error %w", text, err)
	}
	return unquoted, nil
}

// quotedLen returns the length of the quoted string that s starts with, quotes
// included, or -1 if it does not end.
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return -1
}

// fieldName parses the name of a field, in which a backslash makes the next
// character a part of the name.
func (p *Parser) fieldName() string {
	escaped := false
	return unescape(p.while(func(r rune) bool {
		if escaped {
			escaped = false
			return true
		}
		escaped = r == '\\'
		return !endsField(r)
	}))
}

func unescape(name string) string {
	if !strings.Contains(name, `\`) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+1 < len(name) {
			i++
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func endsField(r rune) bool { return isSpace(r) || strings.ContainsRune(".,[]$@{}", r) }

// UnquoteExtend returns the string that a quoted string stands for. It is like
// [strconv.Unquote], but takes strings of any length in single quotes, and none
// in backquotes. What is not a quoted string is [ErrSyntax].
func UnquoteExtend(s string) (string, error) {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return "", ErrSyntax
	}
	quote, rest := s[0], s[1:len(s)-1]
	if !strings.ContainsRune(rest, '\\') && !strings.ContainsRune(rest, rune(quote)) {
		return rest, nil
	}
	var b strings.Builder
	for rest != "" {
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			return "", ErrSyntax
		}
		rest = tail
		if multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
	}
	return b.String(), nil
}
