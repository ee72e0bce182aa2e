package site_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestChangedByteIsFoundOut changes one byte of what a consumer reads. Whoever has the
// database's key alone sees it.
func TestChangedByteIsFoundOut(t *testing.T) {
	w := newWorld(t)
	const module = "example.com/group/Client@v0.20.1"
	const at = "example.com/group/!client/@v/v0.20.1"
	const lookup = "sumdb/lookup/example.com/group/!client@v0.20.1"
	find := func(prefix string) string {
		for name := range w.files() {
			if strings.HasPrefix(name, prefix) {
				return name
			}
		}
		t.Fatalf("there is no %s", prefix)
		return ""
	}
	for _, test := range []struct {
		file   string
		change func([]byte)
	}{
		{"mod/" + at + ".zip", func(data []byte) { data[len(data)/2] ^= 1 }},
		// The name of a file, in both headers of it.
		{"mod/" + at + ".zip", func(data []byte) {
			copy(data, strings.ReplaceAll(string(data), "client.go", "CLIENT.go"))
		}},
		{"mod/" + at + ".mod", func(data []byte) { copy(data[len(data)-2:], "9\n") }},
		// The record of its hashes, the tree head that contains it, and the signature.
		{lookup, func(data []byte) { flipBase64(data, 1) }},
		{lookup, func(data []byte) { flipBase64(data, 6) }},
		{lookup, func(data []byte) { flipBase64(data, 8) }},
		{find("sumdb/tile/8/0/"), func(data []byte) {
			for i := range data {
				data[i] ^= 1
			}
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			name := filepath.Join(w.dir, filepath.FromSlash(test.file))
			was, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			changed := append([]byte(nil), was...)
			test.change(changed)
			if string(changed) == string(was) {
				t.Fatal("nothing is changed")
			}
			if err := os.WriteFile(name, changed, 0o666); err != nil {
				t.Fatal(err)
			}
			defer func() { w.Must(os.WriteFile(name, was, 0o666)) }()
			if out, err := w.consumer().Try("get", module); err == nil {
				t.Errorf("nobody noticed: %s", out)
			} else if said := err.Error(); !slices.ContainsFunc(alarms, func(alarm string) bool { return strings.Contains(said, alarm) }) {
				t.Errorf("the go command failed for another reason: %v", err)
			}
		})
	}
}

// alarms are what the go command says.
var alarms = []string{"SECURITY ERROR", "zip: checksum error", "cannot authenticate record data", "malformed", "inconsistent", "invalid signature"}

// flipBase64 changes a character in the middle of a line, of which the first is line 0.
func flipBase64(data []byte, line int) {
	for i, c := range data {
		switch {
		case line > 0 && c == '\n':
			line--
		case line == 0:
			at := i + 30
			if data[at] = 'A' + data[at]%26; data[at] == 'A' {
				data[at] = 'B'
			}
			return
		}
	}
}
