package pages

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/object"
)

// drawing has the source's mainline and beside it those of mirrors: a row for each source
// commit, the newest at the top, and a column for each mirror, with a dot where it has
// published that commit. Lengths are those of the picture.
type drawing struct {
	Title, Description string
	Width, Height      int
	// Top is where the lines begin, and SourceX where the source's is.
	Top, SourceX int
	Rows         []drawnRow
	Columns      []drawnColumn
	// TextX is where the subjects are.
	TextX int
}

type drawnRow struct {
	Y int
	// Hash is that of the source commit, in short.
	Hash, Subject string
	// ToX is how far the line goes that leads to the mirrors.
	ToX int
}

// Baseline is where text of the row stands.
func (r drawnRow) Baseline() int { return r.Y + 4 }

type drawnColumn struct {
	Label string
	// X is where its line is, from Y1 to Y2.
	X, Y1, Y2 int
	Dots      []drawnDot
}

type drawnDot struct {
	Y int
	// Title says what it is, and Tags that there are tags on it.
	Title string
	Tags  bool
}

const (
	rowHeight   = 30
	columnWidth = 46
	// mostDrawn is how many mirrors there is room for.
	mostDrawn = 24
)

// draw draws the newest commits of the mirrors' main branches. It is nil where there are
// none.
func (s *site) draw(modules []*mirrored, rows int) *drawing {
	modules = modules[:min(len(modules), mostDrawn)]
	lines := make([][]*catalog.Commit, len(modules))
	for i, m := range modules {
		for _, b := range m.Branches {
			if b.Main {
				lines[i] = published(b.Branch.Head, rows)
			}
		}
	}
	order := merged(lines, rows)
	if len(order) == 0 {
		return nil
	}
	d := &drawing{Top: headHeight(modules), SourceX: 110}
	at := make(map[object.ID]int)
	for i, c := range order {
		y := d.Top + rowHeight/2 + i*rowHeight
		at[c.Source] = i
		d.Rows = append(d.Rows, drawnRow{Y: y, Hash: short(c.Source.String()), Subject: cut(plain(c.Subject), 60), ToX: d.SourceX})
	}
	for i, m := range modules {
		column := drawnColumn{Label: cut(m.Name, 40), X: d.SourceX + (i+1)*columnWidth}
		for _, c := range lines[i] {
			n, drawn := at[c.Source]
			if !drawn {
				continue
			}
			row := &d.Rows[n]
			row.ToX = column.X
			dot := drawnDot{Y: row.Y, Title: fmt.Sprintf("%s in %s: %s", row.Hash, m.Name, short(c.ID.String()))}
			for _, r := range m.At[c] {
				dot.Tags, dot.Title = true, dot.Title+", "+strings.Join(r.Names, ", ")
			}
			column.Dots = append(column.Dots, dot)
		}
		if len(column.Dots) > 0 {
			column.Y1, column.Y2 = column.Dots[0].Y, d.Rows[len(d.Rows)-1].Y+rowHeight/2
		}
		d.Columns = append(d.Columns, column)
	}
	d.TextX = d.SourceX + len(modules)*columnWidth + 28
	d.Width, d.Height = d.TextX+490, d.Top+len(d.Rows)*rowHeight+rowHeight/2
	names := make([]string, len(modules))
	for i, m := range modules {
		names[i] = m.Name
	}
	d.Title = "The source's mainline, and beside it " + strings.Join(names, ", ")
	d.Description = fmt.Sprintf("The newest %s of the source that were published, one in a row, the newest at the top. "+
		"A dot in a mirror's column says that the mirror has a commit for it; a ring, that there are tags on that. "+
		"The tables of commits say the same in words.", count(len(d.Rows), "commit"))
	return d
}

// headHeight is what the names of columns need, which are written upwards.
func headHeight(modules []*mirrored) int {
	longest := len("source")
	for _, m := range modules {
		longest = max(longest, utf8.RuneCountInString(m.Name))
	}
	return 24 + 5*min(longest, 40)
}

// SourceY2 is where the source's line ends.
func (d *drawing) SourceY2() int { return d.Rows[len(d.Rows)-1].Y + rowHeight/2 }

// SourceY1 is where it begins.
func (d *drawing) SourceY1() int { return d.Rows[0].Y }

// LabelY is where the names of columns stand.
func (d *drawing) LabelY() int { return d.Top - 8 }

// published are the newest commits of a mainline that stand for source commits.
func published(head *catalog.Commit, most int) []*catalog.Commit {
	var all []*catalog.Commit
	for c := head; c != nil && len(all) < most; c = firstParent(c) {
		if !c.Source.IsZero() {
			all = append(all, c)
		}
	}
	return all
}

// merged is the order of the source's commits that fits the order in each of the
// mirrors, the newest first; where that leaves a choice, by date. For each source commit
// there is the commit of the first mirror that has it.
func merged(lines [][]*catalog.Commit, most int) []*catalog.Commit {
	next := make([]int, len(lines))
	var all []*catalog.Commit
	waits := func(source object.ID) bool { // for a newer one in some mirror
		for i, line := range lines {
			if j := slices.IndexFunc(line, func(c *catalog.Commit) bool { return c.Source == source }); j > next[i] {
				return true
			}
		}
		return false
	}
	for len(all) < most {
		var best *catalog.Commit
		bestWaits := false
		for i, line := range lines {
			if next[i] == len(line) {
				continue
			}
			c := line[next[i]]
			w := waits(c.Source)
			if best == nil || bestWaits && !w || bestWaits == w && c.Date.After(best.Date) {
				best, bestWaits = c, w
			}
		}
		if best == nil {
			break
		}
		all = append(all, best)
		for i, line := range lines {
			if next[i] < len(line) && line[next[i]].Source == best.Source {
				next[i]++
			}
		}
	}
	return all
}

// cut shortens a text.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
