package cmd

import (
	"strings"
	"testing"
)

// chunks are what was passed on.
type chunks chan string

func (c chunks) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

// What is written arrives in its order and whole, whether there is much of it, little, or an end.
func TestABatchLosesNothing(t *testing.T) {
	out := make(chunks, 10)
	b := &batch{out: out}
	write := func(line string) {
		t.Helper()
		if n, err := b.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	write("one\n")
	write("two\n")
	if got := <-out; got != "one\ntwo\n" {
		t.Errorf("after a while there is %q", got)
	}

	line := strings.Repeat("x", 99) + "\n"
	for range batchSize/len(line) + 1 {
		write(line)
	}
	if got := <-out; len(got) < batchSize || len(got) >= batchSize+len(line) || !strings.HasSuffix(got, line) {
		t.Errorf("of much there are %d bytes at once", len(got))
	}

	write("three\n")
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := <-out; got != "three\n" {
		t.Errorf("at the end there is %q", got)
	}
	if err := b.Flush(); err != nil || len(out) > 0 {
		t.Errorf("%d more, %v", len(out), err)
	}
}
