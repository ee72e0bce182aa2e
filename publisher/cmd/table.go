package cmd

import (
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// table is text in columns. Its first row is the header.
type table [][]string

func (t *table) row(cells ...string) { *t = append(*t, cells) }

const (
	betweenColumns = 2
	// mostLines is how many lines a row takes, at the most.
	mostLines = 4
	// shortLine is how narrow the last column gets before others give way.
	shortLine = 24
)

// write aligns the columns within a width. Where they do not fit, their cells are
// wrapped: notes, which are in the last column, first, then what has spaces. Words
// are cut where nothing else is left; headers never are. Empty cells become dashes,
// but for those at the end of a row.
func (t table) write(out io.Writer, width int) error {
	last := len(t[0]) - 1
	widths, words := make([]int, len(t[0])), make([]int, len(t[0])) // of columns, and of their longest words
	rows := make(table, len(t))
	for r, cells := range t {
		rows[r] = make([]string, len(widths))
		rest := ""
		for i := last; i >= 0; i-- {
			if i < len(cells) && cells[i] != "" {
				rows[r][i], rest = oneLine(cells[i]), "-"
			} else {
				rows[r][i] = rest
			}
			widths[i] = max(widths[i], uniseg.StringWidth(rows[r][i]))
			for word := range strings.FieldsSeq(rows[r][i]) {
				words[i] = max(words[i], uniseg.StringWidth(word))
			}
		}
	}
	shrink(widths, width, func(i int) int {
		if i == last {
			return max(shortLine, words[i])
		}
		return widths[i]
	})
	shrink(widths, width, func(i int) int { return words[i] })
	shrink(widths, width, func(i int) int { return len(t[0][i]) })
	var b strings.Builder
	for _, cells := range rows {
		columns := make([][]string, len(widths))
		lines := 0
		for i, cell := range cells {
			columns[i] = wrap(cell, widths[i])
			lines = max(lines, len(columns[i]))
		}
		for n := range lines {
			line := ""
			for i, w := range widths {
				part := ""
				if n < len(columns[i]) {
					part = columns[i][n]
				}
				line += part + strings.Repeat(" ", w-uniseg.StringWidth(part)+betweenColumns)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// shrink makes the widest columns narrower until all fit, but none than its floor.
func shrink(widths []int, width int, floor func(i int) int) {
	total := betweenColumns * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := -1
		for i, w := range widths {
			if w > floor(i) && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// wrap breaks a text into lines between words.
func wrap(text string, width int) []string {
	if uniseg.StringWidth(text) <= width {
		return []string{text}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		longer := strings.TrimSpace(line + " " + word)
		switch {
		case uniseg.StringWidth(longer) <= width:
			line = longer
			continue
		case line != "" && len(lines) == mostLines-1:
			return append(lines, cut(longer, width))
		case line != "":
			lines = append(lines, line)
		}
		line = cut(word, width)
	}
	return append(lines, line)
}

// cut shortens a text that is too wide; an ellipsis tells.
func cut(text string, width int) string {
	if uniseg.StringWidth(text) <= width {
		return text
	}
	kept, state := "", -1
	for rest := text; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if uniseg.StringWidth(kept+cluster) >= width {
			break
		}
		kept += cluster
	}
	return kept + "…"
}

// width is how many columns stdout has: those of the terminal, else of the
// environment, else a number that suits logs.
func (f *flags) width() int {
	if file, ok := f.stdout.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	return 120
}
