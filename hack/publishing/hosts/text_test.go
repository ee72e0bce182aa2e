package hosts

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// text is docs/serving.md.
type text struct {
	testing.TB
	all string
}

func readText(t testing.TB) text {
	t.Helper()
	data, err := os.ReadFile("../../../docs/serving.md")
	if err != nil {
		t.Fatal(err)
	}
	return text{t, string(data)}
}

// section is what follows a heading, up to the next one.
func (d text) section(heading string) string {
	d.Helper()
	var section strings.Builder
	found, code := false, false
	for line := range strings.Lines(d.all) {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if !code && strings.HasPrefix(line, "#") {
			if found {
				break
			}
			found = strings.TrimSpace(line) == heading
			continue
		}
		if found {
			section.WriteString(line)
		}
	}
	if !found {
		d.Fatalf("docs/serving.md has no %q", heading)
	}
	return section.String()
}

// block is the first block of code below a heading, in which placeholders are replaced.
// Each of them has to be there.
func (d text) block(heading string, replace ...string) string {
	d.Helper()
	_, rest, _ := strings.Cut(d.section(heading), "\n```")
	_, rest, _ = strings.Cut(rest, "\n")
	code, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		d.Fatalf("%q has no block of code", heading)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(code, replace[i]) {
			d.Errorf("the code below %q has no %q", heading, replace[i])
		}
		code = strings.ReplaceAll(code, replace[i], replace[i+1])
	}
	return code + "\n"
}

// row is a row of the table of headers.
type row struct {
	patterns    []*regexp.Regexp
	cache, mime string
}

var quoted = regexp.MustCompile("`([^`]+)`")

// rows reads the table.
func (d text) rows() (rows []row) {
	d.Helper()
	for line := range strings.Lines(d.section("## Headers")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || !strings.HasPrefix(cells[0], " `") {
			continue
		}
		var r row
		for _, m := range quoted.FindAllStringSubmatch(cells[0], -1) {
			r.patterns = append(r.patterns, regexp.MustCompile(pattern(m[1])))
		}
		r.cache, r.mime = strings.Trim(cells[1], " `"), strings.Trim(cells[2], " `")
		rows = append(rows, r)
	}
	if len(rows) < 8 {
		d.Fatalf("the table of headers has %d rows", len(rows))
	}
	return rows
}

// pattern is a pattern of the table as a regular expression: two asterisks match
// everything, one what is within a folder.
func pattern(glob string) string {
	return "^" + strings.NewReplacer(`\*\*/`, "(.*/)?", `\*\*`, ".*", `\*`, "[^/]*", `\?`, "[^/]", `\[0-9\]`, "[0-9]").Replace(regexp.QuoteMeta(glob)) + "$"
}

// of is the row that counts for a file: the first that fits.
func of(rows []row, file string) *row {
	for i := range rows {
		for _, p := range rows[i].patterns {
			if p.MatchString(file) {
				return &rows[i]
			}
		}
	}
	return nil
}

// policies are the headers that pages and drawings have beside those of the table.
func (d text) policies() (headers [][2]string) {
	d.Helper()
	for line := range strings.Lines(d.block("## Headers")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			d.Errorf("%q is no header", line)
		}
		headers = append(headers, [2]string{name, value})
	}
	return headers
}

// isPage reports whether the policies are for a file.
func isPage(file string) bool {
	ext := path.Ext(file)
	return (ext == ".html" || ext == ".svg") && !strings.HasPrefix(file, "mod/")
}
