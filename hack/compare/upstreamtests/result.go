package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a test can come to.
const (
	passed = iota
	failed
	skipped
	exempted // failed, and listed
)

// A result is what came of a test or a subtest.
type result struct {
	pkg     string // its directory in the module
	test    string // "" for what failed outside of tests
	outcome int
	leaf    bool // no test below it has failed
	output  string
}

func (r result) topLevel() bool { return !strings.Contains(r.test, "/") }

// isBelow reports whether r is of a subtest of the other one.
func (r result) isBelow(other result) bool {
	return r.pkg == other.pkg && strings.HasPrefix(r.test, other.test+"/")
}

// A key names a test.
type key struct{ pkg, test string }

// A collector makes results of what go test -json prints.
type collector struct {
	outcomes map[key]int
	output   map[key]*strings.Builder
	builds   map[string]*strings.Builder // by import path
	failed   []string                    // builds
}

func newCollector() *collector {
	return &collector{outcomes: map[key]int{}, output: map[key]*strings.Builder{}, builds: map[string]*strings.Builder{}}
}

// add takes a line.
func (c *collector) add(line []byte) error {
	var event struct{ Action, ImportPath, Package, Test, Output string }
	if err := json.Unmarshal(line, &event); err != nil {
		return fmt.Errorf("go test printed %q: %w", line, err)
	}
	name := strings.TrimPrefix(strings.TrimPrefix(event.Package, path), "/")
	if name == "" {
		name = "."
	}
	k := key{name, event.Test}
	switch event.Action {
	case "build-output":
		write(c.builds, event.ImportPath, event.Output)
	case "build-fail":
		c.failed = append(c.failed, event.ImportPath)
	case "output":
		write(c.output, k, event.Output)
	case "pass":
		c.outcomes[k] = passed
	case "fail":
		c.outcomes[k] = failed
	case "skip":
		c.outcomes[k] = skipped
	}
	return nil
}

func write[K comparable](to map[K]*strings.Builder, k K, text string) {
	if to[k] == nil {
		to[k] = new(strings.Builder)
	}
	to[k].WriteString(text)
}

// missing tells which packages of a suite were not built, and which have not run
// all their tests.
func (c *collector) missing(s *suite, anyFailed bool) (problems []string, err error) {
	for _, build := range c.failed {
		problem := "building " + build + " failed"
		if out := c.builds[build]; out != nil {
			problem += ":\n" + out.String()
		}
		problems = append(problems, problem)
	}
	failures := 0
	for _, name := range s.names() {
		outcome, ended := c.outcomes[key{name, ""}]
		if !ended {
			problems = append(problems, name+" has not run")
			continue
		}
		if outcome == failed {
			failures++
		}
		declared, err := s.packages[name].tests()
		if err != nil {
			return nil, err
		}
		ran := 0
		for _, test := range declared {
			if _, ended := c.outcomes[key{name, test}]; ended {
				ran++
			}
		}
		// A panic ends all tests of a package; that is a failure of the one which
		// it was in, and those that come after it must not go unseen.
		if ran < len(declared) {
			problem := fmt.Sprintf("%s ran only %d of %d tests", name, ran, len(declared))
			if out := c.output[key{name, ""}]; out != nil {
				problem += ":\n" + out.String()
			}
			// It is in the output of one of the tests, or of one that these are below.
			for k, outcome := range c.outcomes {
				if k.pkg == name && k.test != "" && outcome == failed && c.output[k] != nil && strings.Contains(c.output[k].String(), "panic: ") {
					problem += c.output[k].String()
				}
			}
			problems = append(problems, problem)
		}
	}
	if anyFailed && failures == 0 && len(problems) == 0 {
		problems = append(problems, "go test failed, but no package has")
	}
	return problems, nil
}

// tests returns the names of the test functions that are left.
func (p *testPackage) tests() ([]string, error) {
	var names []string
	for file, content := range p.files {
		if string(content) == nothing {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, content, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && isTest(fn.Name.Name) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names, nil
}

func isTest(name string) bool {
	rest, ok := strings.CutPrefix(name, "Test")
	r, _ := utf8.DecodeRuneInString(rest)
	return ok && name != "TestMain" && !unicode.IsLower(r)
}

// all returns the results in order.
func (c *collector) all() []result {
	parents := map[key]bool{} // of what failed
	packages := map[string]bool{}
	for k, outcome := range c.outcomes {
		if outcome != failed || k.test == "" {
			continue
		}
		packages[k.pkg] = true
		for i, r := range k.test {
			if r == '/' {
				parents[key{k.pkg, k.test[:i]}] = true
			}
		}
	}
	var results []result
	for k, outcome := range c.outcomes {
		if k.test == "" && (outcome != failed || packages[k.pkg]) {
			continue
		}
		r := result{pkg: k.pkg, test: k.test, outcome: outcome, leaf: !parents[k]}
		if out := c.output[k]; out != nil {
			r.output = out.String()
		}
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b result) int {
		return strings.Compare(a.pkg+" "+a.test, b.pkg+" "+b.test)
	})
	return results
}
