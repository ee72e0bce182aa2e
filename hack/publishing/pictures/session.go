package main

import (
	"context"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// columns is how wide the terminal is.
const columns = 116

// typed are the commands of the session. What they log is left out.
var typed = []string{
	"publisher sync",
	"git -C controller/mirror.git show v0.36.1:go.mod",
	"publisher verify",
	"publisher map v1.36.1",
}

// session is what was typed, and what came.
type session []exchange

type exchange struct{ typed, output string }

// session runs the commands.
func (w *world) session(ctx context.Context) (session, error) {
	var s session
	for _, line := range typed {
		out, err := w.run(w.command(ctx, "sh", "-c", line))
		if err != nil {
			return nil, err
		}
		s = append(s, exchange{line, out})
	}
	return s, nil
}

// scheme has the colours of a picture. They are those of the site's pages.
type scheme struct{ name, ground, line, text, quiet, accent string }

var schemes = []scheme{
	{"light", "#f4f6f8", "#d5dce3", "#17212b", "#55626f", "#0a5a94"},
	{"dark", "#11171d", "#33404c", "#e3e9ef", "#a3b0bc", "#82c4f8"},
}

// How a terminal's cells lie in the picture, in pixels.
const (
	cellWidth, lineHeight = 8.4, 20.0
	fontSize              = 14
	margin                = 18.0
)

// draw draws a session. Each line says how wide it is, so that columns stand below each
// other with whatever font there is. Nothing but attributes says what it looks like: the
// content security policy of a site allows SVG no style.
func (s session) draw(c scheme) []byte {
	var lines strings.Builder
	y, widest := margin+fontSize, 0
	line := func(parts ...span) {
		at := margin
		for _, p := range parts {
			n := utf8.RuneCountInString(p.text)
			if strings.TrimSpace(p.text) != "" {
				fmt.Fprintf(&lines, `<text x="%.1f" y="%.0f" textLength="%.1f" fill="%s" xml:space="preserve"`, at, y, float64(n)*cellWidth, p.colour)
				if p.bold {
					lines.WriteString(` font-weight="600"`)
				}
				fmt.Fprintf(&lines, ">%s</text>\n", html.EscapeString(p.text))
			}
			at += float64(n) * cellWidth
		}
		widest = max(widest, int((at-margin)/cellWidth+0.5))
		y += lineHeight
	}
	for i, e := range s {
		if i > 0 {
			y += lineHeight / 2
		}
		line(span{"$ ", c.quiet, false}, span{e.typed, c.accent, true})
		for text := range strings.Lines(e.output) {
			text = strings.ReplaceAll(strings.TrimRight(text, " \n"), "\t", "        ")
			colour := c.text
			if heading(text) {
				colour = c.quiet
			}
			line(span{text, colour, false})
		}
	}
	width, height := 2*margin+float64(widest)*cellWidth, y-lineHeight+margin
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %[1]f %[2]f" font-family="ui-monospace, 'SF Mono', 'Cascadia Mono', 'Roboto Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%d">
<title>A session in a terminal</title>
<rect x="0.5" y="0.5" width="%.0f" height="%.0f" rx="8" fill="%s" stroke="%s"/>
%s</svg>
`, width, height, fontSize, width-1, height-1, c.ground, c.line, lines.String())
}

// span is a part of a line.
type span struct {
	text, colour string
	bold         bool
}

// heading tells whether a line is the head of a table.
func heading(line string) bool {
	return line != "" && strings.ToUpper(line) == line && strings.Contains(line, "  ")
}
