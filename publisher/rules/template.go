package rules

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxRefName is the most bytes that the name of a branch or tag may have: git writes it
// to a file of that name, with ".lock" at its end, and file systems have a limit of 255.
const maxRefName = 240

// A rules file must not keep a reader busy. So templates have no loops, and no value in
// them grows: each step takes time in proportion to the template's length.

// checkSteps returns an error where a template may have more steps than nodes.
func checkSteps(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, n := range list.Nodes {
		var branches *parse.BranchNode
		switch n := n.(type) {
		case *parse.RangeNode:
			return errors.New("must not have a range; a name needs no loops")
		case *parse.TemplateNode:
			return errors.New("must not use other templates")
		case *parse.IfNode:
			branches = &n.BranchNode
		case *parse.WithNode:
			branches = &n.BranchNode
		default:
			continue
		}
		if err := errors.Join(checkSteps(branches.List), checkSteps(branches.ElseList)); err != nil {
			return err
		}
	}
	return nil
}

// boundedBuilder has no more bytes than most, or than a name where that is zero.
type boundedBuilder struct {
	strings.Builder
	most int
}

var errLongName = fmt.Errorf("has more than %d bytes", maxRefName)

func (b *boundedBuilder) Write(p []byte) (int, error) {
	if most := cmp.Or(b.most, maxRefName); b.Len()+len(p) > most {
		return 0, fmt.Errorf("has more than %d bytes", most)
	}
	return b.Builder.Write(p)
}

// boundedFuncs are the functions of text/template that make strings.
var boundedFuncs = template.FuncMap{
	"html":     bounded(template.HTMLEscaper),
	"js":       bounded(template.JSEscaper),
	"urlquery": bounded(template.URLQueryEscaper),
	"print":    bounded(fmt.Sprint),
	"println":  bounded(fmt.Sprintln),
	"printf": func(format string, args ...any) (string, error) {
		if wideVerb.MatchString(format) {
			return "", errors.New("widths in printf must be numbers below 100")
		}
		return bounded(func(args ...any) string { return fmt.Sprintf(format, args...) })(args...)
	},
}

// wideVerb finds, in a format, an argument as width and numbers that make a long string.
var wideVerb = regexp.MustCompile(`%[^a-zA-Z%]*(\*|[0-9]{3})`)

func bounded(f func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		s := f(args...)
		if len(s) > maxRefName {
			return "", errLongName
		}
		return s, nil
	}
}
