package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// exemptions are the tests that may fail, with the reasons.
type exemptions map[key]string

// readExemptions reads a file with a line for each test: the package's directory,
// the test, and the reason. Empty lines and those that begin with # are comments.
func readExemptions(file string) (exemptions, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	list := exemptions{}
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 3 {
			return nil, fmt.Errorf("%s:%d: want a package, a test and a reason", file, number)
		}
		k := key{fields[0], fields[1]}
		if _, twice := list[k]; twice {
			return nil, fmt.Errorf("%s:%d: %s of %s is listed twice", file, number, k.test, k.pkg)
		}
		list[k] = strings.Join(fields[2:], " ")
	}
	return list, nil
}

// in returns the exemptions in some packages, or all of them if none is named.
func (e exemptions) in(packages []string) exemptions {
	some := exemptions{}
	for k, reason := range e {
		if len(packages) == 0 || slices.Contains(packages, k.pkg) {
			some[k] = reason
		}
	}
	return some
}

// has reports whether a test is listed.
func (e exemptions) has(r result) bool {
	_, listed := e[key{r.pkg, r.test}]
	return listed
}

// outcome tells what a test counts as. One that failed only because of tests below
// it is exempt where these are.
func (e exemptions) outcome(r result, results []result) int {
	if r.outcome != failed {
		return r.outcome
	}
	for _, below := range results {
		if below.outcome == failed && below.leaf && (below == r || below.isBelow(r)) && !e.has(below) {
			return failed
		}
	}
	return exempted
}

// unneeded tells which lines of the list should go.
func (e exemptions) unneeded(results []result) []string {
	fail, there := map[key]bool{}, map[key]bool{}
	for _, r := range results {
		k := key{r.pkg, r.test}
		there[k] = true
		fail[k] = r.outcome == failed && r.leaf
	}
	var problems []string
	for k := range e {
		switch {
		case !there[k]:
			problems = append(problems, fmt.Sprintf("%s %s is exempt, but there is no such test", k.pkg, k.test))
		case !fail[k]:
			problems = append(problems, fmt.Sprintf("%s %s is exempt, but does not fail", k.pkg, k.test))
		}
	}
	slices.Sort(problems)
	return problems
}
