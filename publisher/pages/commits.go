package pages

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"path"
	"slices"

	"k8s.io/publisher/catalog"
	"k8s.io/publisher/pages/find"
)

// perPage is how many commits a page has.
const perPage = 250

// commitsPage is a page of a module's commits, the newest first.
type commitsPage struct {
	frame
	M       *mirrored
	Number  int
	Newest  bool // there is none after it
	Commits []commitRow
}

// Older is the number of the page before; zero where there is none.
func (p *commitsPage) Older() int { return p.Number - 1 }

// Newer is the number of the page after; zero where there is none.
func (p *commitsPage) Newer() int {
	if p.Newest {
		return 0
	}
	return p.Number + 1
}

// commitRow is a commit in a table.
type commitRow struct {
	*catalog.Commit
	From string // empty where it stands for no source commit
	At   []*released
}

func (m *mirrored) row(c *catalog.Commit) commitRow {
	row := commitRow{Commit: c, At: m.At[c]}
	if !c.Source.IsZero() {
		row.From = c.Source.String()
	}
	return row
}

// ordered returns all commits, the oldest first. Commits of one date are in the order of
// their names.
func (m *mirrored) ordered() []*catalog.Commit {
	all := make([]*catalog.Commit, 0, len(m.Commits))
	for _, c := range m.Commits {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *catalog.Commit) int {
		return cmp.Or(a.Date.Compare(b.Date), slices.Compare(a.ID[:], b.ID[:]))
	})
	return all
}

// LastCommitsPage is the number of the page with the newest commits.
func (m *mirrored) LastCommitsPage() int { return max(1, (len(m.Commits)+perPage-1)/perPage) }

// commitsName is the file of a page of commits.
func commitsName(number int) string { return fmt.Sprintf("commits-%d.html", number) }

func (s *site) writeCommits(m *mirrored) error {
	number := 0
	for page := range slices.Chunk(m.Ordered, perPage) {
		number++
		p := &commitsPage{
			frame: s.frame(fmt.Sprintf("Commits of %s, page %d", m.Name, number), path.Join(m.Folder, commitsName(number)), "modules"),
			M:     m, Number: number, Newest: number == m.LastCommitsPage(),
		}
		if s.out.has(p.Name, m.commitsDigest(page, p.Newest)) {
			continue
		}
		for _, c := range slices.Backward(page) {
			p.Commits = append(p.Commits, m.row(c))
		}
		if err := s.render("commits", p.Name, p); err != nil {
			return err
		}
	}
	return nil
}

// commitsDigest is of what a page of commits shows.
func (m *mirrored) commitsDigest(page []*catalog.Commit, newest bool) digest {
	d := newDigest()
	d.text(fmt.Sprint(newest))
	for _, c := range page {
		d.id(c.ID)
		d.number(len(m.At[c]))
		for _, r := range m.At[c] {
			d.text(r.Name(), r.Page())
		}
	}
	return d
}

// finderPage is where commits are looked up: without a script, by choosing how their
// hashes begin.
type finderPage struct {
	frame
	find.Index
	// Rows have the names of pieces, in a square where there are many.
	Rows [][]string
}

// piecePage has the commits that begin alike.
type piecePage struct {
	frame
	Body template.HTML
}

func (s *site) writeFinder(ctx context.Context) error {
	var pairs []find.Pair
	for _, m := range s.modules {
		for i, c := range m.Ordered {
			pair := find.Pair{Destination: m.Name, Mirror: c.ID.String(), Page: i/perPage + 1}
			if !c.Source.IsZero() {
				pair.Source = c.Source.String()
			}
			pairs = append(pairs, pair)
		}
	}
	index, pieces := find.Build(pairs)
	page := &finderPage{frame: s.frame("Find a commit", "commits/index.html", "commits"), Index: index}
	for _, piece := range pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		last := len(page.Rows) - 1
		if last < 0 || len(page.Rows[last]) == 16 {
			page.Rows = append(page.Rows, nil)
			last++
		}
		page.Rows[last] = append(page.Rows[last], piece.Name)
		if err := s.writePiece(piece, index.Digits); err != nil {
			return err
		}
	}
	if err := s.render("finder", page.Name, page); err != nil {
		return err
	}
	return s.writeJSON("commits/index.json", index, "")
}

// writePiece writes a piece for tools, and for people.
func (s *site) writePiece(piece find.Piece, digits int) error {
	data, name := "commits/"+piece.Name+".json", "commits/"+piece.Name+".html"
	d := pieceDigest(piece, digits)
	if !s.out.has(data, d) {
		if err := s.writeJSON(data, piece, ""); err != nil {
			return err
		}
	}
	if s.out.has(name, d) {
		return nil
	}
	title := "Commits that begin with " + piece.Name
	if digits == 0 {
		title = "All commits by their hashes"
	}
	page := &piecePage{frame: s.frame(title, name, "commits")}
	page.Body = pieceRows(piece, page.Root(), digits)
	return s.render("piece", name, page)
}

// pieceDigest is of what a piece has.
func pieceDigest(piece find.Piece, digits int) digest {
	d := newDigest()
	d.number(digits)
	for _, p := range piece.Commits {
		d.text(p.Destination, p.Source, p.Mirror)
		d.number(p.Page)
	}
	return d
}

func (s *site) writeJSON(name string, value any, indent string) error {
	data, err := json.MarshalIndent(value, "", indent)
	if indent == "" {
		data, err = json.Marshal(value)
	}
	if err != nil {
		return err
	}
	return s.out.write(name, append(data, '\n'))
}
