package main

import (
	"bytes"
	"io"
	"regexp"
	"slices"

	"k8s.io/gengo/v2/generator"
	"k8s.io/gengo/v2/types"
)

// checkedAnswers is a generator of fakes in which an answer of the wrong type is an
// error. Theirs panic where a method of a kind's own, such as GetScale, is answered so.
type checkedAnswers struct {
	generator.Generator
	any bool // there was one
}

// unchecked is how theirs get an answer. Its parts are the action, what is returned if
// no reactor handles it, and the type.
var unchecked = regexp.MustCompile(`obj, err := c\.Fake\.\s+Invokes\((.*), (emptyResult|&[\w.]+\{\})\)\s+if obj == nil \{\s+return emptyResult, err\s+\}\s+return obj\.\((\*[\w.]+)\), err`)

func (g *checkedAnswers) GenerateType(context *generator.Context, t *types.Type, out io.Writer) error {
	var code bytes.Buffer
	if err := g.Generator.GenerateType(context, t, &code); err != nil {
		return err
	}
	g.any = g.any || unchecked.Match(code.Bytes())
	_, err := out.Write(unchecked.ReplaceAll(code.Bytes(), []byte("return answer.Of(c.Fake, $1, $2, emptyResult)")))
	return err
}

// Imports is asked for when all types have been generated.
func (g *checkedAnswers) Imports(context *generator.Context) []string {
	imports := g.Generator.Imports(context)
	if g.any {
		imports = append(slices.Clip(imports), `"k8s.io/client-go/internal/answer"`)
	}
	return imports
}
