package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"k8s.io/publisher/modules"
	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/verify"
)

func TestEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"plain, \"quoted\" \\ and naïve 日本語": "plain, \"quoted\" \\ and naïve 日本語",
		"two\nlines\tand a tab":              "two\nlines\tand a tab",
		"\x1b[31mred\x1b]0;title\a":          `\u001b[31mred\u001b]0;title\u0007`,
		"over\rwritten\b\x00\x7f":            `over\u000dwritten\u0008\u0000\u007f`,
		"\u009b31m and \u0085":               `\u009b31m and \u0085`,
		"user\u202etxt.go\u2066\u200b\ufeff": `user\u202etxt.go\u2066\u200b\ufeff`,
		"\U000e0041":                         `\udb40\udc41`,
		"\x9b31m \xff":                       `\x9b31m \xff`,
		"\ufffd stays":                       "\ufffd stays",
	} {
		if got := printable(text); got != want {
			t.Errorf("printable(%q) = %q, want %q", text, got, want)
		}
		if got, want := oneLine(text), strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(want); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", text, got, want)
		}
	}
}

// evil is a name as a source or a mirror can have it.
const evil = "a\x1b[2J\x1b]0;x\a\r\u009b1m\u202eb\x7f\u0085\u2028\U000e0041c"

// raw finds what must never be written to a terminal.
func raw(text string) string {
	var found []string
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
			found = append(found, fmt.Sprintf("%q", text[i:i+size]))
		}
	}
	return strings.Join(found, " ")
}

// TestControlCharactersAreNeverWrittenRaw has all verbs report on names that are
// full of them, in all formats and to both streams.
func TestControlCharactersAreNeverWrittenRaw(t *testing.T) {
	p := &plan.Plan{Destinations: []*plan.Destination{{
		Name:     evil,
		Err:      errors.New(evil),
		Branches: []plan.Branch{{Name: evil, Source: evil, Action: plan.Update, Note: evil}},
		Tags:     []plan.Tag{{Source: evil, Names: []string{evil, evil}, Action: plan.Create, Note: evil}},
		Warnings: []modules.Warning{{What: evil, Commit: object.ID{1}, Err: errors.New(evil)}},
	}}}
	proof := &verify.Report{Destinations: []*verify.Destination{{
		Name: evil, Notes: []string{evil}, Mismatches: []verify.Mismatch{{Kind: verify.StrayRef, Ref: evil, Detail: evil}},
	}}}
	answers := []mapping{
		{Argument: evil, Source: evil, Mirrors: []mirrorPlace{{Destination: evil, Branches: []string{evil}, Tags: []string{evil}, Note: evil}}},
		{Argument: evil, Origins: []origin{{Destination: evil, Commit: evil, SourceTags: []string{evil}, Note: evil}}},
	}
	problems := []problem{{File: evil, Line: 1, Field: evil, Message: evil}}
	reports := map[string]func(*flags) error{
		"plan": func(f *flags) error {
			r := f.report(p, nil)
			return errors.Join(f.print(r, r.table(false, 120)), r.failure())
		},
		"verify": func(f *flags) error { return f.print(proof, verifyTable(proof, nil, 120)) },
		"map": func(f *flags) error {
			return f.print(answers, func(w io.Writer) error { return writeMappings(w, answers, 120) })
		},
		"map, no": func(*flags) error { return answers[1].failure() },
		"validate": func(f *flags) error {
			return f.print(problems, func(w io.Writer) error { _, err := fmt.Fprintln(w, problems[0]); return err })
		},
		"progress": func(f *flags) error {
			f.screen.terminal = true
			f.screen.progress(evil, 1, 2)
			f.screen.end()
			return nil
		},
		"log": func(f *flags) error { f.log.Error(evil, evil, evil, "error", errors.New(evil)); return nil },
		"any": func(*flags) error { return errors.New(evil) },
	}
	for verb, report := range reports {
		for _, format := range []string{"table", "json", "yaml"} {
			var stdout, stderr bytes.Buffer
			f := newFlags(&stdout, &stderr)
			f.format.value = format
			if format == "json" {
				f.logFormat.value = "json"
			}
			f.log = f.logger()
			if err := report(f); err != nil {
				fmt.Fprintln(f.screen, "publisher:", f.message(t.Context(), err))
			}
			if stdout.Len()+stderr.Len() == 0 {
				t.Errorf("%s, %s: nothing is written", verb, format)
			}
			out := stdout.String()
			if format == "yaml" { // It has no escapes for marks of direction outside of quotes.
				out = strings.NewReplacer("\u202e", "", "\u2028", "").Replace(out)
			}
			if found := raw(out); found != "" {
				t.Errorf("%s, %s: stdout has %s in %q", verb, format, found, out)
			}
			// The bar itself is drawn with returns and escape sequences.
			bar := strings.NewReplacer("\r", "", "\x1b[2K", "").Replace(stderr.String())
			if found := raw(bar); found != "" {
				t.Errorf("%s, %s: stderr has %s in %q", verb, format, found, bar)
			}
			var got []mapping
			switch {
			case verb != "map":
				continue
			case format == "json":
				if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
			case format == "yaml":
				if err := yaml.Unmarshal(stdout.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
			default:
				continue
			}
			if diff := cmp.Diff(answers, got); diff != "" {
				t.Errorf("%s: names are not what they were (-want +got):\n%s", format, diff)
			}
		}
	}
}

// TestNamesNeverMakeLinesOfTheirOwn: whoever names a file cannot write lines that
// look like the publisher's.
func TestNamesNeverMakeLinesOfTheirOwn(t *testing.T) {
	r := &report{Destinations: []destinationReport{{
		Name: "lib", Error: "file a\nlib: proven", Branches: []branchReport{{Name: "x\nlib  branch y", Action: plan.Create}},
		Warnings: []warningReport{{What: "file b\nlib: proven"}},
	}}}
	var b strings.Builder
	if err := r.table(false, 120)(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "lib: proven") || strings.HasPrefix(line, "lib  branch y") {
			t.Errorf("a name has made a line of its own: %s", b.String())
		}
	}
}
