package checksumdb

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is that of the tiles that the go command asks for: 2⁸ hashes are in one.
const tileHeight = 8

// DamageError reports a file of a database that is not as the signed head has it.
type DamageError struct {
	File string
	Err  error
}

func (e *DamageError) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }
func (e *DamageError) Unwrap() error { return e.Err }

// ForkError reports two signed heads of which none contains the other: the log was
// rewritten.
type ForkError struct {
	Head tlog.Tree // the one that the log does not contain
	Hash tlog.Hash // of the log's first records, as many as the head has
}

func (e *ForkError) Error() string {
	return fmt.Sprintf("the log was rewritten: the signed head of %d records has the hash %s, but the first records of the log now have %s", e.Head.N, e.Head.Hash, e.Hash)
}

// log is a log in memory. It is not changed any more.
type log struct {
	records []Record
	places  map[module.Version]int64
	hashes  []tlog.Hash // of the Merkle tree's complete subtrees, in the order that tlog defines
	// edge has the hashes of the largest complete subtrees that the records fall into, from
	// the left: for 13 records, those of 8, 4 and 1.
	edge []tlog.Hash
}

// text is how a record is hashed and served: as lines of go.sum.
func (r Record) text() []byte {
	m := r.Module
	return []byte(m.Path + " " + m.Version + " " + r.Zip + "\n" + m.Path + " " + m.Version + "/go.mod " + r.GoMod + "\n")
}

// cutRecord reads the record at the beginning of a tile, and returns the rest. A record is
// exactly as [Record.text] writes it, and an empty line is behind it.
func cutRecord(tile string) (r Record, text, rest string, err error) {
	var ok [4]bool
	rest = tile
	r.Module.Path, rest, ok[0] = strings.Cut(rest, " ")
	r.Module.Version, rest, ok[1] = strings.Cut(rest, " ")
	r.Zip, rest, ok[2] = strings.Cut(rest, "\n")
	for _, again := range []string{r.Module.Path, " ", r.Module.Version, "/go.mod "} {
		if rest, ok[3] = strings.CutPrefix(rest, again); !ok[3] {
			break
		}
	}
	var end bool
	r.GoMod, rest, end = strings.Cut(rest, "\n\n")
	if !end || ok != [4]bool{true, true, true, true} {
		return r, "", "", errors.New("there is no record")
	}
	for _, field := range []string{r.Module.Path, r.Module.Version, r.Zip, r.GoMod} {
		if field == "" || strings.ContainsAny(field, " \t\r\n") {
			return r, "", "", fmt.Errorf("the record of %q is not as it should be written", r.Module)
		}
	}
	return r, tile[:len(tile)-len(rest)-1], rest, nil
}

// check tells what keeps a record out of the log.
func (r Record) check() error {
	if err := module.Check(r.Module.Path, r.Module.Version); err != nil {
		return err
	}
	for _, hash := range []string{r.Zip, r.GoMod} {
		text, ok := strings.CutPrefix(hash, "h1:")
		sum, err := base64.StdEncoding.Strict().DecodeString(text)
		if !ok || err != nil || len(sum) != tlog.HashSize {
			return fmt.Errorf("%s: %q is not a hash as in go.sum", r.Module, hash)
		}
	}
	return nil
}

func (l *log) size() int64 { return int64(len(l.records)) }

// ReadHashes implements [tlog.HashReader].
func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(l.hashes)) {
			return nil, fmt.Errorf("the log has no hash %d", index)
		}
		hashes[i] = l.hashes[index]
	}
	return hashes, nil
}

// append adds a record that is new.
func (l *log) append(r Record) { l.appendHashed(r, tlog.RecordHash(r.text())) }

// appendHashed is append for who has the hash of the record's text.
func (l *log) appendHashed(r Record, hash tlog.Hash) {
	id := l.size()
	if l.places == nil {
		l.places = make(map[module.Version]int64)
	}
	l.records, l.places[r.Module] = append(l.records, r), id
	l.hashes = append(l.hashes, hash)
	// Each subtree that is complete now has its left half at the edge.
	for n := id; n%2 == 1; n /= 2 {
		last := len(l.edge) - 1
		hash = tlog.NodeHash(l.edge[last], hash)
		l.hashes, l.edge = append(l.hashes, hash), l.edge[:last]
	}
	l.edge = append(l.edge, hash)
}

// with returns the log with those of the records behind it that are new.
func (l *log) with(records []Record) (*log, error) {
	grown := &log{slices.Clone(l.records), maps.Clone(l.places), slices.Clone(l.hashes), slices.Clone(l.edge)}
	for _, r := range records {
		if err := r.check(); err != nil {
			return nil, err
		}
		if id, ok := grown.places[r.Module]; ok {
			if have := grown.records[id]; have != r {
				return nil, &ChangedError{have, r, id}
			}
			continue
		}
		grown.append(r)
	}
	return grown, nil
}

// tree is the head that is to be signed.
func (l *log) tree() tlog.Tree { return l.first(l.size()) }

// first is what was the head when there were n records, of which there are more now.
func (l *log) first(n int64) tlog.Tree {
	hash, err := tlog.TreeHash(n, l)
	if err != nil {
		panic(err) // All hashes are there.
	}
	return tlog.Tree{N: n, Hash: hash}
}

// contains returns a [*ForkError] where the log is not one that has grown from a head.
func (l *log) contains(head tlog.Tree) error {
	if head.N > l.size() {
		return fmt.Errorf("a head of %d records is signed, but the log has %d", head.N, l.size())
	}
	if is := l.first(head.N); is != head {
		return &ForkError{head, is.Hash}
	}
	return nil
}

// tilesSince returns the tiles that there are more of, or more in, than when the log had n
// records: of hashes and of records.
func (l *log) tilesSince(n int64) []tlog.Tile {
	tiles := tlog.NewTiles(tileHeight, n, l.size())
	for _, t := range tiles {
		if t.L == 0 {
			t.L = -1
			tiles = append(tiles, t)
		}
	}
	return tiles
}

// has tells whether the log has all that belongs into a tile.
func (l *log) has(t tlog.Tile) bool {
	n := l.size() >> (tileHeight * max(t.L, 0)) // at its level
	return t.H == tileHeight && t.N >= 0 && t.N <= n>>tileHeight && t.N<<tileHeight+int64(t.W) <= n
}

// tile returns the content of a tile that it has.
func (l *log) tile(t tlog.Tile) []byte {
	if t.L == -1 {
		var data []byte
		for _, r := range l.records[t.N<<tileHeight:][:t.W] {
			data = append(append(data, r.text()...), '\n')
		}
		return data
	}
	data, err := tlog.ReadTileData(t, l)
	if err != nil {
		panic(err) // All hashes are there.
	}
	return data
}

// readLog reads the records that a head has, and makes sure that it has them.
func readLog(fsys fs.FS, head tlog.Tree) (*log, error) {
	l := new(log)
	var leaf []byte     // what is hashed of a record: a zero, and its text (RFC 6962, section 2.1)
	if head.N < 1<<20 { // That is true of all but those that nobody should believe.
		l.records, l.places, l.hashes = make([]Record, 0, head.N), make(map[module.Version]int64, head.N), make([]tlog.Hash, 0, 2*head.N)
	}
	for l.size() < head.N {
		t := tlog.Tile{H: tileHeight, L: -1, N: l.size() >> tileHeight, W: int(min(head.N-l.size(), 1<<tileHeight))}
		name := t.Path()
		data, err := fs.ReadFile(fsys, name)
		if errors.Is(err, fs.ErrNotExist) && t.W < 1<<tileHeight {
			full := t
			full.W = 1 << tileHeight
			if all, fullErr := fs.ReadFile(fsys, full.Path()); fullErr == nil {
				name, data, err = full.Path(), all, nil
			}
		}
		if err != nil {
			return nil, &DamageError{name, err}
		}
		rest := string(data)
		for range t.W {
			r, text, after, err := cutRecord(rest)
			if id, ok := l.places[r.Module]; err == nil && ok {
				err = fmt.Errorf("%s is in records %d and %d", r.Module, id, l.size())
			}
			if err != nil {
				return nil, &DamageError{name, fmt.Errorf("record %d: %w", l.size(), err)}
			}
			leaf = append(append(leaf[:0], 0), text...)
			l.appendHashed(r, sha256.Sum256(leaf))
			rest = after
		}
	}
	if err := l.contains(head); err != nil {
		return nil, &DamageError{latestFile, err}
	}
	return l, nil
}
