package projection_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/publisher/object"
	"k8s.io/publisher/pathspec"
	"k8s.io/publisher/projection"
)

// trees are objects in memory.
type trees map[object.ID][]byte

func (t trees) Tree(id object.ID) ([]byte, error) {
	if data, ok := t[id]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("there is no tree %s", id)
}

func (t trees) put(kind object.Type, data []byte) (object.ID, error) {
	id := object.Hash(kind, data)
	t[id] = data
	return id, nil
}

func (t trees) tree(entries ...object.Entry) object.ID {
	id, _ := t.put(object.TreeType, object.EncodeTree(entries))
	return id
}

// nest puts a tree into others, so many times in each.
func (t trees) nest(tree object.ID, levels, width int) object.ID {
	for range levels {
		var entries []object.Entry
		for i := range width {
			entries = append(entries, object.Entry{Mode: object.ModeDir, Name: fmt.Sprint("d", i), ID: tree})
		}
		tree = t.tree(entries...)
	}
	return tree
}

// TestTreeThatUnfoldsWithoutEndIsRefused combines and cleans trees that a few
// objects make large or deep.
func TestTreeThatUnfoldsWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	all := make(trees)
	blob := object.Hash(object.BlobType, nil)
	file := func(name string) object.Entry { return object.Entry{Mode: object.ModeRegular, Name: name, ID: blob} }
	x, y, empty := all.tree(file("x")), all.tree(file("y")), all.tree()
	for name, test := range map[string]struct {
		trees   []object.ID
		pattern string
		want    string // part of the error; empty where there is none
		make    object.ID
	}{
		"wide and cleaned":       {[]object.ID{all.nest(x, 20, 100)}, ":(glob)**/x", "more files than", object.ID{}},
		"wide and not looked at": {[]object.ID{all.nest(x, 20, 100)}, ":(glob)nowhere/x", "", all.nest(x, 20, 100)},
		"wide and combined":      {[]object.ID{all.nest(x, 20, 100), all.nest(y, 20, 100)}, "", "", all.nest(all.tree(file("x"), file("y")), 20, 100)},
		"wide, empty, combined":  {[]object.ID{all.nest(empty, 20, 100), all.nest(empty, 20, 100)}, "", "", all.nest(empty, 20, 100)},
		"wide in conflict":       {[]object.ID{all.nest(x, 20, 100), all.nest(x, 20, 100)}, "", "stands in both a and b", object.ID{}},
		"deep and cleaned":       {[]object.ID{all.nest(x, 100_000, 1)}, ":(glob)**/x", "inside one another", object.ID{}},
		"deep and combined":      {[]object.ID{all.nest(x, 100_000, 1), all.nest(y, 100_000, 1)}, "", "inside one another", object.ID{}},
		"as deep as it may be":   {[]object.ID{all.nest(all.tree(file("x"), file("y")), 1000, 1)}, ":(glob)**/x", "", all.nest(y, 1000, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := make(trees)
			for id, data := range all {
				own[id] = data
			}
			patterns := strings.Fields(test.pattern)
			remove, err := pathspec.Compile(patterns)
			if err != nil {
				t.Fatal(err)
			}
			d := projection.NewDirectory([]string{"a", "b"}[:len(test.trees)], remove, own, own.put)
			got, err := d.Tree(test.trees)
			if test.want == "" {
				if err != nil || got != test.make {
					t.Errorf("got %s, %.1000v; want %s", got, err, test.make)
				}
				return
			}
			_, limit := errors.AsType[*projection.LimitError](err)
			_, conflict := errors.AsType[*projection.ConflictError](err)
			if !limit && !conflict || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 1000 {
				t.Errorf("got %.2000v, want %q", err, test.want)
			}
		})
	}
}

// TestMalformedTreeIsNeverMendedInPassing makes trees out of one that is out of
// order: what is made would be in order.
func TestMalformedTreeIsNeverMendedInPassing(t *testing.T) {
	t.Parallel()
	all := make(trees)
	raw := strings.Repeat("\x01", 20)
	bad, _ := all.put(object.TreeType, []byte("100644 b\x00"+raw+"100644 a\x00"+raw))
	good := all.tree(object.Entry{Mode: object.ModeRegular, Name: "c"})
	for _, test := range []struct {
		trees    []object.ID
		patterns []string
	}{{[]object.ID{bad, good}, nil}, {[]object.ID{good, bad}, nil}, {[]object.ID{bad}, []string{":(glob)**/a"}}} {
		remove, err := pathspec.Compile(test.patterns)
		if err != nil {
			t.Fatal(err)
		}
		_, err = projection.NewDirectory([]string{"a", "b"}, remove, all, all.put).Tree(test.trees)
		if _, ok := errors.AsType[*object.FormatError](err); !ok || !strings.Contains(err.Error(), bad.String()) {
			t.Errorf("got %v", err)
		}
	}
}
