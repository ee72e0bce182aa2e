package object_test

import (
	"bytes"
	"reflect"
	"testing"

	"k8s.io/publisher/object"
)

const (
	fuzzID   = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	fuzzHead = "tree " + fuzzID + "\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 2 -0130\n"
)

func FuzzParseCommit(f *testing.F) {
	for _, rest := range []string{
		"", "\n", "\nmessage\n", "gpgsig a\n b\n \n\nm", "none\n\n", "none\n cont\n\n", " x\n\n", "mergetag object x\n type commit\n\nm\n",
	} {
		f.Add([]byte(fuzzHead + rest))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, parents, linksErr := object.ParseLinks(data)
		c, err := object.ParseCommit(data)
		if err != nil {
			return
		}
		if linksErr != nil || tree != c.Tree || !reflect.DeepEqual(parents, c.Parents) {
			t.Errorf("ParseLinks gives %s, %s, %v", tree, parents, linksErr)
		}
		encoded := c.Encode()
		if want := lowerUntil(data, "author "); !bytes.Equal(encoded, want) {
			t.Errorf("encoded to %q\nwant       %q", encoded, want)
		}
		again, err := object.ParseCommit(encoded)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("parsed  %+v\nagain %+v, %v", c, again, err)
		}
		if when, err := c.CommitTime(); err == nil && when.IsZero() {
			t.Errorf("no time in %q", c.Committer)
		}
	})
}

func FuzzParseTag(f *testing.F) {
	const head = "object " + fuzzID + "\ntype commit\ntag v1\n"
	for _, rest := range []string{
		"", "\n", "\nmessage\n", "tagger A <a@b> 1 +0000\n\nm\n", "tagger \n", "tagger A\ngpgsig x\n y\n\nm",
	} {
		f.Add([]byte(head + rest))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tag, err := object.ParseTag(data)
		if err != nil {
			return
		}
		encoded := tag.Encode()
		if want := lowerUntil(data, "type "); !bytes.Equal(encoded, want) {
			t.Errorf("encoded to %q\nwant       %q", encoded, want)
		}
		again, err := object.ParseTag(encoded)
		if err != nil || !reflect.DeepEqual(again, tag) {
			t.Errorf("parsed  %+v\nagain %+v, %v", tag, again, err)
		}
	})
}

func FuzzParseTree(f *testing.F) {
	const id = "\x4b\x82\x5d\xc6\x42\xcb\x6e\xb9\xa0\x60\xe5\x4b\xf8\xd6\x92\x88\xfb\xee\x49\x04"
	f.Add([]byte(""))
	f.Add([]byte("100644 a.b\x00" + id + "40000 a\x00" + id + "120000 a0\x00" + id))
	f.Add([]byte("160000 b\x00" + id + "100755 a\x00" + id))
	f.Add([]byte("0100644 a\x00" + id))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := object.ParseTree(data)
		if err != nil {
			return
		}
		canonical := true
		for i, e := range entries {
			canonical = canonical && (i == 0 || inOrder(entries[i-1], e))
		}
		for rest := data; len(rest) > 0 && canonical; {
			canonical = rest[0] != '0'
			_, _, _, rest, _ = object.NextEntry(rest)
		}
		encoded := object.EncodeTree(entries)
		if canonical && !bytes.Equal(encoded, data) {
			t.Errorf("parsed from %q\nencoded to %q", data, encoded)
		}
		again, err := object.ParseTree(encoded)
		if err != nil || !reflect.DeepEqual(again, entries) {
			t.Errorf("parsed  %+v\nagain %+v, %v", entries, again, err)
		}
	})
}

// inOrder reports whether a stands before b, by git's definition: as whole
// paths, where that of a directory ends in a slash.
func inOrder(a, b object.Entry) bool {
	path := func(e object.Entry) string {
		if e.Mode.IsDir() {
			return e.Name + "/"
		}
		return e.Name
	}
	return path(a) < path(b)
}

// lowerUntil returns data with small letters before the first mark: the digits
// of the names that stand there may be capital, but not in canonical form.
func lowerUntil(data []byte, mark string) []byte {
	i := bytes.Index(data, []byte(mark))
	return append(bytes.ToLower(data[:i]), data[i:]...)
}
