package cmd

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable is a text with escapes in the place of what a terminal obeys and
// does not show, or shows as something else: control characters, marks that turn
// the direction of writing, and what is not UTF-8. Newlines and tabs stay.
//
// Names and messages come from repositories that anyone may write to. All text
// goes through here on its way out: [flags.print] for stdout, [screen.Write] for
// stderr. The escapes are those of JSON, so that JSON stays what it was.
func printable(text string) string {
	for i := range len(text) {
		if c := text[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return escape(text, invisible)
		}
	}
	return text // As most of it is. An access log is much text.
}

func invisible(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsGraphic(r) }

func escape(text string, which func(rune) bool) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, which) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case !which(r):
			b.WriteString(text[:size])
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
		text = text[size:]
	}
	return b.String()
}

// oneLine is a printable text for a place that has room for a line.
func oneLine(text string) string {
	return printable(strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(text))
}
