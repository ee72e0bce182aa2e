package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// choice is the value of a flag that takes one of a few words.
type choice struct {
	value string
	from  []string
}

func (c *choice) String() string { return c.value }

// Type is what the help text calls the value.
func (c *choice) Type() string { return "format" }

// Set takes one of the words.
func (c *choice) Set(value string) error {
	if !slices.Contains(c.from, value) {
		return fmt.Errorf("must be %s", c.choices())
	}
	c.value = value
	return nil
}

// choices lists the words as a sentence does.
func (c *choice) choices() string {
	last := len(c.from) - 1
	return strings.Join(c.from[:last], ", ") + " or " + c.from[last]
}

// addOutput adds the flag that [flags.print] goes by.
func (f *flags) addOutput(c *cobra.Command) {
	c.Flags().VarP(&f.format, "output", "o", "how to report: "+f.format.choices())
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.format.from, cobra.ShellCompDirectiveNoFileComp))
}

// print writes a report to stdout as the -o flag says: as JSON, as YAML with
// the same names, or as what table writes. It is written at once, when the
// progress bar is gone.
func (f *flags) print(report any, table func(io.Writer) error) error {
	var out bytes.Buffer
	var err error
	if f.format.value == "table" {
		err = table(&out)
	} else {
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	}
	text := f.redact(out.String())
	if err == nil && f.format.value == "yaml" {
		text, err = toYAML(text)
	} else {
		text = printable(text)
	}
	if err == nil {
		f.screen.end()
		_, err = io.WriteString(f.stdout, text)
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// toYAML turns JSON into YAML. Raw control characters, which JSON allows in part,
// YAML does not; its own escapes for what is beyond 16 bits are not those of JSON.
func toYAML(text string) (string, error) {
	data, err := yaml.JSONToYAML([]byte(escape(text, func(r rune) bool { return r <= 0xffff && invisible(r) })))
	return string(data), err
}

// short abbreviates a commit's hash for tables.
func short(hash string) string { return hash[:min(len(hash), 12)] }

// indent sets the lines of a text that follow the first one off from what comes
// after the text.
func indent(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", "\n  "), "\n  \n", "\n\n")
}

// count is a number with its noun: "1 tag", "2 tags", "2 branches".
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"):
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
