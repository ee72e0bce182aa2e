package checksumdb

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/tlog"
)

func logOf(t testing.TB, n int) *log {
	l := new(log)
	hash := "h1:" + strings.Repeat("A", 43) + "="
	for i := range n {
		r := Record{module.Version{Path: "example.com/m", Version: fmt.Sprintf("v0.0.%d", i)}, hash, hash}
		l.append(r)
	}
	return l
}

// The reader of tiles that clients have finds every hash in those that are written,
// across three levels of them.
func TestTilesOfThreeLevels(t *testing.T) {
	const n = 1<<16 + 300
	l := logOf(t, n)
	reader := tlog.TileHashReader(l.tree(), tiles{l})
	for _, id := range []int64{0, 255, 256, 1<<16 - 1, 1 << 16, n - 1} {
		index := tlog.StoredHashIndex(0, id)
		hashes, err := reader.ReadHashes([]int64{index})
		if err != nil || hashes[0] != l.hashes[index] {
			t.Errorf("record %d: %v", id, err)
		}
	}
	written := make(map[tlog.Tile]bool)
	for _, tile := range l.tilesSince(0) {
		written[tile] = true
	}
	if want := (tlog.Tile{H: 8, L: 2, N: 0, W: 1}); !written[want] {
		t.Errorf("%v is not written", want)
	}
}

// tiles serves what is written for a log, and nothing else.
type tiles struct{ *log }

func (tiles) Height() int { return tileHeight }

func (t tiles) ReadTiles(asked []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range asked {
		if !t.has(tile) {
			return nil, fmt.Errorf("there is no %s", tile.Path())
		}
		data = append(data, t.tile(tile))
	}
	return data, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// Whatever name a file has, the log either has no such tile, or knows its content.
func FuzzTilePath(f *testing.F) {
	l := logOf(f, 600)
	for _, t := range l.tilesSince(0) {
		f.Add(t.Path())
	}
	f.Add("tile/8/0/x009/x223/x372/x036/x854/x775/807")
	f.Add("tile/8/63/000.p/1")
	f.Add("tile/3/data/000")
	f.Fuzz(func(t *testing.T, name string) {
		tile, err := tlog.ParseTilePath(name)
		if err != nil || !l.has(tile) {
			return
		}
		data := l.tile(tile)
		if tile.L == -1 && strings.Count(string(data), "\n\n") != tile.W || tile.L >= 0 && len(data) != tile.W*tlog.HashSize {
			t.Errorf("%s has %d bytes", name, len(data))
		}
	})
}

// What is taken for a record is exactly as records are written.
func FuzzCutRecord(f *testing.F) {
	l := logOf(f, 3)
	f.Add(string(l.tile(l.tilesSince(0)[1])))
	f.Add("a v1 h1:x\na v1/go.mod h1:y\n\n")
	f.Add("a v1 h1:x\nb v1/go.mod h1:y\n\n")
	f.Add("a  h1:x\na /go.mod h1:y\n\n\n")
	f.Fuzz(func(t *testing.T, tile string) {
		r, text, rest, err := cutRecord(tile)
		if err == nil && (string(r.text()) != text || text+"\n"+rest != tile || strings.Count(text, "\n") != 2) {
			t.Errorf("%q is taken for the record %v, before %q", text, r, rest)
		}
	})
}
