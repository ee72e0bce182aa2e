// Package find is the index in which a commit of the source, or of a mirror, is looked
// up by how its hash begins, by a script in a browser or by whoever can read files.
//
// The index is in pieces, so that a search reads one small file:
//
//	commits/index.json   {"digits": 2, "commits": 70123}
//	commits/2b.json      {"commits": [{"destination": "client-go", "source": "2b0d…",
//	                      "mirror": "91c4…", "page": 12}, …]}
//
// A piece has all commits whose hashes begin with its name, which has as many
// hexadecimal digits as the index says; where these are none, the one piece is named
// all. A pair of commits is in the piece of the source's hash and in that of the
// mirror's. Within a piece, pairs are in order. Pieces in which nothing would be are not
// there.
//
// A pair's page is that of the mirror's commits, modules/D/commits-N.html.
package find

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pair is a commit of a mirror, and the one of the source that it stands for.
type Pair struct {
	Destination string `json:"destination"`
	// Source is empty where the mirror's commit stands for none.
	Source string `json:"source,omitempty"`
	Mirror string `json:"mirror"`
	// Page is the number of the page that the mirror's commit is on.
	Page int `json:"page"`
}

// Index says which pieces there may be.
type Index struct {
	Digits  int `json:"digits"`
	Commits int `json:"commits"`
}

// Piece has the pairs of which one hash begins with its name.
type Piece struct {
	Name    string `json:"-"`
	Commits []Pair `json:"commits"`
}

const (
	// perPiece is how many pairs a piece has, about, before there are more pieces.
	perPiece = 400
	// maxDigits bounds how many pieces there are.
	maxDigits = 4
	// minQuery is the shortest beginning that is looked up.
	minQuery = 4
	hashSize = 40
)

// whole is the name of the only piece.
const whole = "all"

// Build makes the index of some pairs, whose hashes are in full, and in lower case.
func Build(pairs []Pair) (Index, []Piece) {
	index := Index{Commits: len(pairs)}
	for places := 2 * len(pairs) / perPiece; places > 0 && index.Digits < maxDigits; places /= 16 {
		index.Digits++
	}
	pieces := make(map[string]*Piece)
	add := func(p Pair, name string) {
		if pieces[name] == nil {
			pieces[name] = &Piece{Name: name}
		}
		pieces[name].Commits = append(pieces[name].Commits, p)
	}
	for _, p := range pairs {
		of := index.piece(p.Mirror)
		add(p, of)
		if p.Source != "" && index.piece(p.Source) != of {
			add(p, index.piece(p.Source))
		}
	}
	all := make([]Piece, 0, len(pieces))
	for _, p := range pieces {
		slices.SortFunc(p.Commits, func(a, b Pair) int {
			return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Destination, b.Destination), strings.Compare(a.Mirror, b.Mirror))
		})
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Piece) int { return strings.Compare(a.Name, b.Name) })
	return index, all
}

// piece is the name of the piece that a hash is in.
func (i Index) piece(hash string) string {
	if i.Digits == 0 {
		return whole
	}
	return hash[:i.Digits]
}

// ErrQuery is the error for what is no beginning of a hash.
var ErrQuery = errors.New("give at least 4 of the 40 hexadecimal digits of a commit's hash")

// Query is what is looked up: the beginning of a hash in lower case.
type Query string

// ParseQuery reads what somebody typed or pasted.
func ParseQuery(text string) (Query, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if len(text) < minQuery || len(text) > hashSize || strings.Trim(text, "0123456789abcdef") != "" {
		return "", ErrQuery
	}
	return Query(text), nil
}

// Piece is the name of the piece that has what is looked for.
func (q Query) Piece(i Index) string { return i.piece(string(q)) }

// In returns the pairs of a piece of which one hash begins as the query says.
func (q Query) In(p Piece) []Pair {
	var found []Pair
	for _, pair := range p.Commits {
		if strings.HasPrefix(pair.Source, string(q)) || strings.HasPrefix(pair.Mirror, string(q)) {
			found = append(found, pair)
		}
	}
	return found
}

// ParseIndex reads an index from JSON.
func ParseIndex(data []byte) (Index, error) {
	var i Index
	if err := json.Unmarshal(data, &i); err != nil {
		return Index{}, fmt.Errorf("index of commits: %w", err)
	}
	if i.Digits < 0 || i.Digits > maxDigits {
		return Index{}, fmt.Errorf("index of commits: %d digits", i.Digits)
	}
	return i, nil
}

// ParsePiece reads a piece from JSON.
func ParsePiece(name string, data []byte) (Piece, error) {
	p := Piece{Name: name}
	if err := json.Unmarshal(data, &p); err != nil {
		return Piece{}, fmt.Errorf("index of commits, %s: %w", name, err)
	}
	return p, nil
}
