package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Problem is a field error and where in the file the field is.
type Problem struct {
	File string
	// Line and Column count from 1, columns in characters. Both are 0 where
	// the place is unknown.
	Line, Column int
	// Err has an empty Field where the problem is with the file as a whole.
	Err *field.Error
}

// Error returns the problem in the form that editors and CI systems take for a
// link: file:line:column: message.
func (p Problem) Error() string {
	message := p.Err.Error()
	if p.Err.Field == "" {
		message = p.Err.Detail
	}
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, message)
}

// Unwrap returns the field error.
func (p Problem) Unwrap() error {
	return p.Err
}

// InvalidError lists all that is wrong with a rules file, from top to bottom.
type InvalidError struct {
	Problems []Problem
}

// Error returns the problems, one a line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong with a file. Of very many the first are kept, so that
// neither time nor messages grow with the file squared.
type problems struct {
	file string
	list []Problem
	more int
}

// maxProblems is the most that a user wants to read.
const maxProblems = 100

func (p *problems) full() bool { return len(p.list) >= maxProblems }

func (p *problems) add(at position, err *field.Error) {
	if p.full() {
		p.more++
		return
	}
	err.Detail = clip(err.Detail)
	if value, ok := err.BadValue.(string); ok {
		err.BadValue = clip(value)
	}
	p.list = append(p.list, Problem{File: p.file, Line: at.line, Column: at.column, Err: err})
}

// err returns an [*InvalidError], or nil.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if p.more > 0 {
		last := p.list[len(p.list)-1]
		p.list = append(p.list, fileProblem(p.file, position{last.Line, last.Column}, "and %d problems more", p.more))
	}
	return &InvalidError{Problems: p.list}
}

// clip shortens what is too long for a message.
func clip(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Problem gives an error about a field of r its place in the file. The error's
// path is in the terms of the file; see [BranchPath]. An error about a field
// that the file does not have gets the place of the nearest field around it.
func (r *Rules) Problem(err *field.Error) Problem {
	at := r.positions.find(err.Field)
	return Problem{File: r.file, Line: at.line, Column: at.column, Err: err}
}

// positions are the places of values by their field path. The root has an
// empty path.
type positions map[string]position

type position struct {
	line, column int
}

func (p positions) find(path string) position {
	for {
		if at, ok := p[path]; ok || path == "" {
			return at
		}
		path = parentPath(path)
	}
}

// parentPath is the path of what the field is in; that of a top-level field is
// empty.
func parentPath(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

func positionOf(n *yaml.Node) position {
	return position{line: n.Line, column: n.Column}
}

// fileProblem is about the file as a whole.
func fileProblem(file string, at position, format string, args ...any) Problem {
	return Problem{File: file, Line: at.line, Column: at.column, Err: &field.Error{
		Type:     field.ErrorTypeInvalid,
		BadValue: field.OmitValueType{},
		Detail:   fmt.Sprintf(format, args...),
	}}
}
