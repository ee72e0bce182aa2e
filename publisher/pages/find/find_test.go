package find_test

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/pages/find"
)

func hash(seed string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(seed))) }

func pairs(n int) []find.Pair {
	all := make([]find.Pair, n)
	for i := range all {
		all[i] = find.Pair{Destination: fmt.Sprint("d", i%3), Source: hash(fmt.Sprint("s", i/3)), Mirror: hash(fmt.Sprint("m", i)), Page: i/10 + 1}
		if i%7 == 0 {
			all[i].Source = ""
		}
	}
	return all
}

// site is the index as files have it.
type site map[string][]byte

func write(t testing.TB, all []find.Pair) site {
	index, pieces := find.Build(all)
	files := make(site)
	put := func(name string, value any) {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	put("index", index)
	for _, p := range pieces {
		put(p.Name, p)
	}
	return files
}

// look finds as a reader does who has the files alone.
func (s site) look(t testing.TB, text string) []find.Pair {
	index, err := find.ParseIndex(s["index"])
	if err != nil {
		t.Fatal(err)
	}
	q, err := find.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	name := q.Piece(index)
	if s[name] == nil {
		return nil
	}
	p, err := find.ParsePiece(name, s[name])
	if err != nil {
		t.Fatal(err)
	}
	return q.In(p)
}

// TestEachCommitIsFoundByHowItBegins in indexes of all sizes of pieces.
func TestEachCommitIsFoundByHowItBegins(t *testing.T) {
	for _, n := range []int{0, 1, 150, 3000, 60000} {
		all := pairs(n)
		files := write(t, all)
		for i := 0; i < n; i += 1 + n/100 {
			for _, h := range []string{all[i].Mirror, all[i].Source} {
				if h == "" {
					continue
				}
				if found := files.look(t, " "+strings.ToUpper(h[:12])+"\n"); !slices.Contains(found, all[i]) {
					t.Errorf("of %d, %s is not found; found are %v", n, h, found)
				}
			}
		}
		for name, data := range files {
			if len(data) > 400<<10 {
				t.Errorf("of %d, the piece %s has %d bytes", n, name, len(data))
			}
		}
	}
}

// FuzzQuery holds what is found beside a look at each pair.
func FuzzQuery(f *testing.F) {
	all := pairs(3000)
	files := write(f, all)
	f.Add(all[7].Mirror[:5])
	f.Add(" " + all[8].Source)
	f.Add("../index")
	f.Add("zzzz")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := find.ParseQuery(text)
		if err != nil {
			return
		}
		found := files.look(t, text)
		n := 0
		for _, p := range all {
			if strings.HasPrefix(p.Mirror, string(q)) || strings.HasPrefix(p.Source, string(q)) {
				n++
				if !slices.Contains(found, p) {
					t.Fatalf("%q: %v is not found", text, p)
				}
			}
		}
		if n != len(found) {
			t.Fatalf("%q: %d found, want %d", text, len(found), n)
		}
	})
}

// FuzzParse reads what may be no index at all.
func FuzzParse(f *testing.F) {
	files := write(f, pairs(10))
	f.Add(files["index"], files["all"], "abcd")
	f.Add([]byte(`{"digits":9}`), []byte(`{"commits":[{"source":"ab"}]}`), "0123")
	f.Fuzz(func(t *testing.T, index, piece []byte, text string) {
		i, err := find.ParseIndex(index)
		if err != nil {
			return
		}
		q, err := find.ParseQuery(text)
		if err != nil {
			return
		}
		name := q.Piece(i)
		if strings.Trim(name, "0123456789abcdefl") != "" {
			t.Fatalf("%q leads to the file %q", text, name)
		}
		p, err := find.ParsePiece(name, piece)
		if err != nil {
			return
		}
		for _, pair := range q.In(p) {
			if !strings.HasPrefix(pair.Source, string(q)) && !strings.HasPrefix(pair.Mirror, string(q)) {
				t.Fatalf("%q finds %v", text, pair)
			}
		}
	})
}
