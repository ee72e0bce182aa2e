package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"k8s.io/publisher/refusal"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
)

// problem is one thing that is wrong with a rules file. Line and column count
// from 1, and are 0 where the place is unknown.
type problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	// Field is a path such as rules[0].branches[1].source.dir; empty where
	// the problem is with the file as a whole.
	Field string `json:"field"`
	// Type is one of k8s.io/apimachinery/pkg/util/validation/field.
	Type     string `json:"type"`
	Message  string `json:"message"`
	Severity string `json:"severity"` // error or warning
}

const (
	severityError   = "error"
	severityWarning = "warning"
)

func newValidate(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the rules, alone and against the source",
		Long: `Check the rules, alone and against the source.

All problems are listed, one a line, as file:line:column: field: what is wrong.
Where the file is right in itself, it is held against the source: its branches
and directories must exist, and the modules that a go.mod requires and another
rule publishes must be named as dependencies. An empty --source leaves that out.

The exit code is 1 where there is any problem. Warnings, which are about keys
that have no effect, are none.`,
		Example: `  publisher validate
  publisher validate --source ""
  publisher validate --rules new-rules.yaml --source ~/src/monorepo -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			problems, summary, failed := f.validate(c.Context())
			if failed != nil && len(problems) == 0 {
				return failed
			}
			err := f.print(problems, func(w io.Writer) error {
				for _, p := range problems {
					fmt.Fprintln(w, oneLine(p.String()))
				}
				if summary != "" {
					fmt.Fprintln(w, summary)
				}
				return nil
			})
			return errors.Join(err, failed)
		},
	}
	f.addRepositories(c)
	f.addOutput(c)
	return c
}

// validate returns all problems and warnings. There is an error where any of
// them is a problem, or where it cannot be told; a summary where all is well.
func (f *flags) validate(ctx context.Context) (problems []problem, summary string, err error) {
	problems = []problem{}
	add := func(severity string, found []rules.Problem) {
		for _, p := range found {
			problems = append(problems, newProblem(severity, p))
		}
	}
	r, err := rules.LoadOrFetch(ctx, f.rules)
	var invalid *rules.InvalidError
	switch {
	case errors.As(err, &invalid):
		add(severityError, invalid.Problems)
	case err != nil:
		return nil, "", err
	default:
		add(severityWarning, r.Warnings)
		if f.source == "" {
			break
		}
		found, err := f.checkSource(ctx, r)
		if err != nil {
			return problems, "", err
		}
		add(severityError, found)
	}
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	bad := 0
	for _, p := range problems {
		if p.Severity == severityError {
			bad++
		}
	}
	if bad > 0 {
		return problems, "", fmt.Errorf("%s is not valid: it has %s", f.rules, count(bad, "problem"))
	}
	branches := 0
	for _, rule := range r.Rules {
		branches += len(rule.Branches)
	}
	summary = fmt.Sprintf("%s is valid: %s, %s", f.rules, count(len(r.Rules), "rule"), count(branches, "branch"))
	if f.source == "" {
		summary += "; not held against a source"
	}
	return problems, summary, nil
}

func (f *flags) checkSource(ctx context.Context, r *rules.Rules) ([]rules.Problem, error) {
	repo, err := session.OpenSource(ctx, f.options())
	if err != nil {
		return nil, err
	}
	defer repo.Close()
	found, err := refusal.Find(r, repo)
	var problems []rules.Problem
	for _, refused := range found {
		problems = append(problems, refused.Problem)
	}
	return problems, err
}

func newProblem(severity string, p rules.Problem) problem {
	message := p.Err.ErrorBody()
	if p.Err.Field == "" {
		message = p.Err.Detail
	}
	return problem{
		File: p.File, Line: p.Line, Column: p.Column,
		Field: p.Err.Field, Type: string(p.Err.Type), Message: message, Severity: severity,
	}
}

// String returns the problem in the form that editors and CI systems take for
// a link.
func (p problem) String() string {
	s := p.File + ":"
	if p.Line > 0 {
		s += fmt.Sprintf("%d:%d:", p.Line, p.Column)
	}
	if p.Severity != severityError {
		s += " " + p.Severity + ":"
	}
	if p.Field != "" {
		s += " " + p.Field + ":"
	}
	return s + " " + p.Message
}
