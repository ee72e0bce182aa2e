package pin

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Sum is a go.sum, read once to be given many versions' checksums.
type Sum struct {
	text  string
	lines []sumLine // without blank ones
	// sorted tells that the lines are in the go command's order and that
	// nothing lies between them.
	sorted bool
}

type sumLine struct {
	start, end int // in the text, with the newline
	path       string
	version    string // may end in /go.mod
}

// checksum is what go.sum says of a module version. An empty hash has no line.
type checksum struct {
	mod   module.Version
	zip   string
	goMod string
}

// ParseSum reads a go.sum. It may be unsorted, repeat itself and have blank
// lines, any line ending and none at its end, as the go command allows. The
// error, for a line that does not have three fields, is a [*SyntaxError].
func ParseSum(data []byte) (*Sum, error) {
	s := &Sum{text: string(data), sorted: true}
	s.lines = make([]sumLine, 0, strings.Count(s.text, "\n")+1)
	for start, number := 0, 1; start < len(s.text); number++ {
		end := len(s.text)
		if i := strings.IndexByte(s.text[start:], '\n'); i >= 0 {
			end = start + i + 1
		}
		switch fields := strings.Fields(s.text[start:end]); len(fields) {
		case 0:
			s.sorted = false
		case 3:
			line := sumLine{start, end, fields[0], fields[1]}
			if n := len(s.lines); n > 0 && compareSums(s.lines[n-1].path, s.lines[n-1].version, line.path, line.version) > 0 {
				s.sorted = false
			}
			s.lines = append(s.lines, line)
		default:
			return nil, &SyntaxError{File: "go.sum", Line: number, Err: fmt.Errorf("line of %d fields, want 3: module path, version, hash", len(fields))}
		}
		start = end
	}
	return s, nil
}

// compareSums orders lines as [module.Sort] does: by path, version and what
// follows a slash in the version. Versions that it does not tell apart, which
// differ in their build tag, are ordered as strings.
func compareSums(aPath, aVersion, bPath, bVersion string) int {
	if c := strings.Compare(aPath, bPath); c != 0 {
		return c
	}
	aVersion, aFile, _ := strings.Cut(aVersion, "/")
	bVersion, bFile, _ := strings.Cut(bVersion, "/")
	if aVersion != bVersion {
		return cmp.Or(semver.Compare(aVersion, bVersion), strings.Compare(aVersion, bVersion))
	}
	return strings.Compare(aFile, bFile)
}

// is reports whether the line is about m: its zip, or its go.mod.
func (l *sumLine) is(m module.Version) bool {
	return l.path == m.Path && strings.HasPrefix(l.version, m.Version) &&
		(len(l.version) == len(m.Version) || l.version[len(m.Version)] == '/')
}

// edit replaces a range of the text by the lines of a checksum, if there is one.
type edit struct {
	start, end int
	sum        *checksum
}

// with returns the text with these checksums, which must be sorted, in place
// of what it has for the same versions.
func (s *Sum) with(sums []checksum) []byte {
	if len(sums) == 0 {
		return []byte(s.text)
	}
	var edits []edit
	if s.sorted {
		edits = s.search(sums)
	} else {
		edits = s.scan(sums)
	}

	size := len(s.text) + 1
	for i := range sums {
		size += sums[i].size()
	}
	b := make([]byte, 0, size)
	done := 0
	for _, e := range edits {
		b = append(b, s.text[done:e.start]...)
		done = e.end
		if e.sum == nil {
			continue
		}
		if len(b) > 0 && b[len(b)-1] != '\n' {
			b = append(b, '\n')
		}
		b = e.sum.append(b)
	}
	return append(b, s.text[done:]...)
}

// search finds the places of sums in sorted lines.
func (s *Sum) search(sums []checksum) []edit {
	edits := make([]edit, len(sums))
	for i := range sums {
		mod := sums[i].mod
		first := sort.Search(len(s.lines), func(i int) bool {
			return compareSums(s.lines[i].path, s.lines[i].version, mod.Path, mod.Version) >= 0
		})
		after := first
		for after < len(s.lines) && s.lines[after].is(mod) {
			after++
		}
		edits[i] = edit{s.offset(first), s.offset(after), &sums[i]}
	}
	return edits
}

// scan finds the places of sums in lines of any order: before the first line
// that sorts after them.
func (s *Sum) scan(sums []checksum) []edit {
	var edits []edit
	var rest []*sumLine
	for i := range s.lines {
		line := &s.lines[i]
		if slices.ContainsFunc(sums, func(c checksum) bool { return line.is(c.mod) }) {
			edits = append(edits, edit{line.start, line.end, nil})
		} else {
			rest = append(rest, line)
		}
	}
	for i := range sums {
		mod := sums[i].mod
		at := s.offset(len(s.lines))
		for _, line := range rest {
			if compareSums(line.path, line.version, mod.Path, mod.Version) > 0 {
				at = line.start
				break
			}
		}
		edits = append(edits, edit{at, at, &sums[i]})
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	return edits
}

// offset returns where in the text a line starts, or the last one ends.
func (s *Sum) offset(line int) int {
	switch {
	case line < len(s.lines):
		return s.lines[line].start
	case line > 0:
		return s.lines[line-1].end
	}
	return len(s.text)
}

func (c *checksum) size() int {
	return 2*(len(c.mod.Path)+len(c.mod.Version)+len("  \n")) + len("/go.mod") + len(c.zip) + len(c.goMod)
}

func (c *checksum) append(b []byte) []byte {
	if c.zip != "" {
		b = append(b, c.mod.Path...)
		b = append(b, ' ')
		b = append(b, c.mod.Version...)
		b = append(b, ' ')
		b = append(b, c.zip...)
		b = append(b, '\n')
	}
	if c.goMod != "" {
		b = append(b, c.mod.Path...)
		b = append(b, ' ')
		b = append(b, c.mod.Version...)
		b = append(b, "/go.mod "...)
		b = append(b, c.goMod...)
		b = append(b, '\n')
	}
	return b
}
