package main

import (
	"os"
	"path/filepath"
	"testing"
)

const (
	before = `// Package a has aliases.
package a

import "example.test/m/b"

type (
	// Box holds things.
	Box[T any] = b.Box[T]

	// Shape is drawn.
	//
	// # Fields and methods
	//
	//	Old()
	Shape = b.Shape

	own = b.Shape
)

// Plain has nothing.
type Plain = b.Plain

// Text is not of this module.
type Text = string
`
	after = `// Package a has aliases.
package a

import "example.test/m/b"

type (
	// Box holds things.
	//
	// # Fields and methods
	//
	//	Things []T
	//	Add(T) (n int, err error)
	//	Len() int
	Box[T any] = b.Box[T]

	// Shape is drawn.
	//
	// # Fields and methods
	//
	//	Draw(on b.Plain)
	Shape = b.Shape

	own = b.Shape
)

// Plain has nothing.
type Plain = b.Plain

// Text is not of this module.
type Text = string
`
)

func TestAliasesShowWhatTheirTypesHave(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("GOWORK", "off")
	for name, text := range map[string]string{
		"go.mod": "module example.test/m\n\ngo 1.26\n",
		"a/a.go": before,
		"b/b.go": `package b

type length struct{}

func (length) Len() int { return 0 }

type Box[T any] struct {
	length
	Things []T
	hidden int
}

func (b *Box[T]) Add(T) (n int, err error) { return b.hidden, nil }
func (b *Box[T]) grow()                    {}

type Shape interface{ Draw(on Plain) }

type Plain struct{}
`,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // The second time nothing changes.
		if err := run([]string{"./a"}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("a/a.go")
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != after {
			t.Fatalf("got\n%s\nwant\n%s", got, after)
		}
	}
}
