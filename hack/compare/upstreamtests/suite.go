package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A suite is the tests of the public module, in the place of the staged module's.
type suite struct {
	// packages are those with tests, by their directory in the module.
	packages map[string]*testPackage
}

// A testPackage is the tests of one package.
type testPackage struct {
	// files are the sources by the names that they have in the staged module.
	// Those that replace a test of its own have nothing that is compiled.
	files   map[string][]byte
	leftOut []string // names of tests and helpers
}

// nothing is a file that no build has in it.
const nothing = "//go:build ignore\n\npackage nothing\n"

// notClients are directories with tests that are not about the clients: copies of
// other projects' code, and programs.
var notClients = []string{"third_party", "examples"}

// collect reads the tests of all packages, or of those whose directories are named.
// It returns an error if a package is not in the staged module, and prints to out which
// ones need not be.
func collect(public, staged string, only []string, out io.Writer) (*suite, error) {
	s := &suite{packages: map[string]*testPackage{}}
	err := filepath.WalkDir(public, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(public, file)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains(notClients, name) || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		if !strings.HasSuffix(name, "_test.go") || len(only) > 0 && !slices.Contains(only, dir) {
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if s.packages[dir] == nil {
			s.packages[dir] = &testPackage{files: map[string][]byte{}}
		}
		s.packages[dir].files[filepath.Join(staged, name)] = content
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, dir := range only {
		if s.packages[dir] == nil {
			return nil, fmt.Errorf("%s has no tests", dir)
		}
	}
	if len(s.packages) == 0 {
		return nil, fmt.Errorf("there are none in %s", public)
	}
	for dir, p := range s.packages {
		switch here, err := here(public, staged, dir); {
		case err != nil:
			return nil, err
		case !here:
			fmt.Fprintln(out, "left out", dir, "has nothing but tests, and go test cannot run those where there is no directory")
			delete(s.packages, dir)
			continue
		}
		if err := p.hideOwn(filepath.Join(staged, dir)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// here reports whether the staged module has a package's directory. It returns an
// error for one that it should have: some in the public module have nothing but tests.
func here(public, staged, dir string) (bool, error) {
	if _, err := os.Stat(filepath.Join(staged, dir)); !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	files, err := os.ReadDir(filepath.Join(public, dir))
	if err != nil {
		return false, err
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			return false, fmt.Errorf("package %s is not in the staged module", dir)
		}
	}
	return false, nil
}

// hideOwn takes the tests out that the staged package has itself.
func (p *testPackage) hideOwn(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		file := filepath.Join(dir, f.Name())
		if strings.HasSuffix(f.Name(), "_test.go") && p.files[file] == nil {
			p.files[file] = []byte(nothing)
		}
	}
	return nil
}

// names returns the packages in order.
func (s *suite) names() []string { return slices.Sorted(maps.Keys(s.packages)) }

// overlay returns all files by their names.
func (s *suite) overlay() map[string][]byte {
	files := map[string][]byte{}
	for _, p := range s.packages {
		maps.Copy(files, p.files)
	}
	return files
}

func (s *suite) leftOut() int {
	n := 0
	for _, p := range s.packages {
		n += len(p.leftOut)
	}
	return n
}

func (s *suite) printLeftOut(out io.Writer) {
	for _, name := range s.names() {
		if names := s.packages[name].leftOut; len(names) > 0 {
			fmt.Fprintf(out, "%s: left out %s\n", name, strings.Join(names, ", "))
		}
	}
}
