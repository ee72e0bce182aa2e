package object_test

import (
	"bytes"
	"iter"
	"strconv"
	"testing"

	"k8s.io/publisher/object"
)

// stored is one object as git cat-file --batch prints it.
type stored struct {
	name    string
	kind    object.Type
	content []byte
}

// batch reads the output of git cat-file --batch.
func batch(t *testing.T, output []byte) iter.Seq[stored] {
	return func(yield func(stored) bool) {
		for len(output) > 0 {
			line, rest, _ := bytes.Cut(output, []byte("\n"))
			fields := bytes.Fields(line)
			if len(fields) != 3 {
				t.Fatalf("git cat-file printed %q", line)
			}
			kind, ok := object.ParseType(string(fields[1]))
			size, err := strconv.Atoi(string(fields[2]))
			if !ok || err != nil || len(rest) < size+1 {
				t.Fatalf("git cat-file printed %q", line)
			}
			if !yield(stored{string(fields[0]), kind, rest[:size]}) {
				return
			}
			output = rest[size+1:]
		}
	}
}
