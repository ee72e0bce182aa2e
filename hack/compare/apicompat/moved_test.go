package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// check type-checks packages that import each other, in order of imports.
func check(t *testing.T, sources ...[2]string) map[string]*types.Package {
	t.Helper()
	checked := importer{}
	fset := token.NewFileSet()
	for _, s := range sources {
		file, err := parser.ParseFile(fset, s[0], s[1], 0)
		if err != nil {
			t.Fatal(err)
		}
		config := types.Config{Importer: checked}
		if checked[s[0]], err = config.Check(s[0], fset, []*ast.File{file}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return checked
}

type importer map[string]*types.Package

func (i importer) Import(path string) (*types.Package, error) {
	if pkg, found := i[path]; found {
		return pkg, nil
	}
	return nil, fmt.Errorf("there is no package %s", path)
}

const (
	publicLamp = `package lamp
type Lamp struct { Watts int }
func (l *Lamp) On() {}
func New() *Lamp { return nil }
type Dimmable[T any] struct{}
func (d *Dimmable[T]) Dim(to T) {}
type Bulb struct{}
type Shaded struct { shade }
type shade struct{}
func (s *shade) Tilt(degrees int) {}
`
	publicRoom = `package room
import "m/lamp"
type Room interface { Lamp() *lamp.Lamp }
type Dark struct { *lamp.Lamp }
func (d Dark) Others(l ...*lamp.Lamp) *lamp.Dimmable[int] { return nil }
`
	aliases = `package lamp
import "m/internal/lamp"
type Lamp = lamp.Lamp
func New() *Lamp { return lamp.New() }
type Dimmable[T any] = lamp.Dimmable[T]
type Bulb struct{}
type Shaded = lamp.Shaded
`
	declared = `package lamp
type Lamp struct { Watts int }
func (l *Lamp) On() {}
func New() *Lamp { return nil }
type Dimmable[T any] struct{}
func (d *Dimmable[T]) Dim(to T) {}
` + shaded
	shaded = `type Shaded struct { cover }
type cover struct{}
func (c *cover) Tilt(degrees int) {}
`
	ourRoom = `package room
import "m/internal/lamp"
type Room interface { Lamp() *lamp.Lamp }
type Dark struct { *lamp.Lamp }
func (d Dark) Others(l ...*lamp.Lamp) *lamp.Dimmable[int] { return nil }
`
)

func TestTypesBehindAliasesAreComparedWhereTheyAreDeclared(t *testing.T) {
	public := check(t, [2]string{"m/lamp", publicLamp}, [2]string{"m/room", publicRoom})
	for name, c := range map[string]struct {
		declared, aliases, room string
		lamp, inRoom            []string // what is found incompatible
	}{
		"the same": {declared, aliases, ourRoom, nil, nil},
		"a method less": {
			`package lamp
type Lamp struct { Watts int }
func New() *Lamp { return nil }
type Dimmable[T any] struct{}
func (d *Dimmable[T]) Dim(to T) {}
` + shaded, aliases, ourRoom, []string{"(*Lamp).On: removed"}, []string{"m/lamp.(*Lamp).On, method set of *Dark: removed"},
		},
		"another field": {
			`package lamp
type Lamp struct { Watts string }
func (l *Lamp) On() {}
func New() *Lamp { return nil }
type Dimmable[T any] struct{}
func (d *Dimmable[T]) Dim(to T) {}
` + shaded, aliases, ourRoom, []string{"Lamp.Watts: changed from int to string"}, []string{"Dark.Watts: changed from int to string"},
		},
		"a method of a generic type less": {
			`package lamp
type Lamp struct { Watts int }
func (l *Lamp) On() {}
func New() *Lamp { return nil }
type Dimmable[T any] struct{}
` + shaded, aliases, ourRoom, []string{"(*Dimmable[T]).Dim: removed"}, nil,
		},
		"a type of another kind": {
			`package lamp
type Lamp int
func (l *Lamp) On() {}
func New() *Lamp { return nil }
type Dimmable[T any] struct{}
func (d *Dimmable[T]) Dim(to T) {}
` + shaded, aliases, ourRoom, []string{"Lamp: changed from struct{Watts int} to int"}, []string{"Dark.Watts: removed"},
		},
		"a type that is not behind its name": {
			declared, aliases, `package room
import "m/internal/lamp"
type Room interface { Lamp() *lamp.Dimmable[bool] }
type Dark struct { *lamp.Lamp }
func (d Dark) Others(l ...*lamp.Lamp) *lamp.Dimmable[int] { return nil }
`, nil, []string{"Room.Lamp: changed from func() *m/lamp.Lamp to func() *m/internal/lamp.Dimmable[bool]"},
		},
		"an alias less": {
			declared, `package lamp
import "m/internal/lamp"
type Lamp = lamp.Lamp
func New() *Lamp { return lamp.New() }
type Bulb struct{}
type Shaded = lamp.Shaded
`, ourRoom, []string{"Dimmable: removed"}, []string{
				"Dark.Others: changed from func(...*m/lamp.Lamp) *m/lamp.Dimmable[int] to func(...*m/internal/lamp.Lamp) *m/internal/lamp.Dimmable[int]",
			},
		},
		"a method of an embedded type less": {
			strings.Replace(declared, "func (c *cover) Tilt(degrees int) {}", "", 1), aliases, ourRoom,
			[]string{"(*shade).Tilt, method set of *Shaded: removed"}, nil,
		},
		"another method of an embedded type": {
			strings.Replace(declared, "degrees int", "degrees float64", 1), aliases, ourRoom,
			[]string{"(*shade).Tilt: changed from func(int) to func(float64)"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ours := check(t, [2]string{"m/internal/lamp", c.declared}, [2]string{"m/lamp", c.aliases}, [2]string{"m/room", c.room})
			delete(ours, "m/internal/lamp") // of which programs know nothing
			moved := findMoved("m", public, ours)
			if got := moved.incompatible(public["m/lamp"], ours["m/lamp"]); !slices.Equal(got, c.lamp) {
				t.Errorf("of the package with the aliases: %q", got)
			}
			if got := moved.incompatible(public["m/room"], ours["m/room"]); !slices.Equal(got, c.inRoom) {
				t.Errorf("of the package that uses them: %q", got)
			}
		})
	}
}
