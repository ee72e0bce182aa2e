package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// The go command starts this program, too, to start the tests that are tested with.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == inScratch {
		fail(runInScratch(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// twoModules is a public module and a staged one, each in a directory of its name.
const twoModules = `
-- go.work --
go 1.25
use ./staged
-- go.work.sum --
-- exemptions.txt --
# None yet.
-- public/go.mod --
module k8s.io/client-go
go 1.25
-- public/go.sum --
-- public/add/add.go --
package add

func Add(a, b int) int { return plus(a, b) }

func plus(a, b int) int { return a + b }
-- public/add/add_test.go --
package add

import (
	"os"
	"testing"
)

func TestAdd(t *testing.T) {
	if Add(1, 2) != 3 {
		t.Error("wrong sum")
	}
}

func TestPlus(t *testing.T) {
	if plus(1, 2) != 3 {
		t.Error("wrong sum")
	}
}

func TestCases(t *testing.T) {
	for _, name := range []string{"zero", "negative"} {
		t.Run(name, func(t *testing.T) {
			if Add(-1, 0) == 1 && name == "negative" {
				t.Error("the sign is lost")
			}
		})
	}
}

func TestData(t *testing.T) {
	if _, err := os.Stat("testdata/numbers"); err != nil {
		t.Error(err)
	}
}
-- public/add/testdata/numbers --
1 2 3
-- public/scale/scale_test.go --
package scale

import "testing"

func TestNothing(t *testing.T) {}
-- public/examples/program/main_test.go --
package main

import "testing"

func TestProgram(t *testing.T) { t.Error("programs are no clients") }
-- staged/go.mod --
module k8s.io/client-go
go 1.25
-- staged/add/add.go --
package add

func Add(a, b int) int { return a + b }
-- staged/add/own_test.go --
package add

import "testing"

func TestOwn(t *testing.T) { t.Error("a test of the staged module has run") }
`

// unpack writes twoModules. The changes replace files of it, or add some.
func unpack(t *testing.T, changes string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, archive := range []string{twoModules, changes} {
		for _, f := range txtar.Parse([]byte(archive)).Files {
			if err := writeFile(filepath.Join(dir, f.Name), f.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// upstreamTests runs the tool on twoModules with some changes, and returns what it
// prints, with its error at the end.
func upstreamTests(t *testing.T, changes string, only ...string) string {
	t.Helper()
	dir := unpack(t, changes)
	var out strings.Builder
	err := runThoseOf(t.Context(), filepath.Join(dir, "public"), filepath.Join(dir, "staged"),
		filepath.Join(dir, "go.work"), filepath.Join(dir, "exemptions.txt"), only, true, &out)
	if err != nil {
		fmt.Fprintln(&out, "error:", err)
	}
	return strings.ReplaceAll(out.String(), dir, "DIR")
}

// lost is a staged package in which one case fails.
const lost = `
-- staged/add/add.go --
package add

func Add(a, b int) int { return max(a+b, -a-b) }
`

func TestUpstreamTestsAreRun(t *testing.T) {
	const row = "package  passed  exempt  failed  skipped  left out"
	for _, tc := range []struct {
		name, changes string
		only          []string
		want, wantNot []string
	}{
		{
			name: "tests that need an unexported name are left out, and our own are not run",
			want: []string{
				"left out scale has nothing but tests", row,
				"add      3       0       0       0        1",
				"add: left out TestPlus",
			},
			wantNot: []string{"error", "TestOwn", "TestProgram"},
		},
		{
			name: "a package may be chosen", only: []string{"add"},
			want:    []string{"add      3       0       0       0        1"},
			wantNot: []string{"error", "scale"},
		},
		{
			name: "one that has no tests is an error", only: []string{"subtract"},
			want: []string{"error: reading the public module's tests: subtract has no tests"},
		},
		{
			name:    "a package that the staged module has not is an error",
			changes: "-- public/scale/scale.go --\npackage scale\n",
			want:    []string{"error: reading the public module's tests: package scale is not in the staged module"},
		},
		{
			name: "a test that fails is an error, and printed", changes: lost,
			want: []string{
				"add      2       0       1       0        1", "add TestCases/negative failed:", "the sign is lost",
				"error: 1 tests are not as exemptions.txt says",
			},
		},
		{
			name: "unless it is exempt", changes: lost + "-- exemptions.txt --\nadd TestCases/negative no sign\n",
			want:    []string{"add      2       1       0       0        1"},
			wantNot: []string{"error:"},
		},
		{
			name: "an exemption of a test that passes is an error", changes: "-- exemptions.txt --\nadd TestCases/negative no sign\n",
			want: []string{"add TestCases/negative is exempt, but does not fail", "error: 1 tests are not as"},
		},
		{
			name: "and so is one of a test that there is not", changes: "-- exemptions.txt --\nadd TestGone no sign\n",
			want: []string{"add TestGone is exempt, but there is no such test", "error: 1 tests are not as"},
		},
		{
			name: "those of other packages than the chosen ones do not count", only: []string{"add"},
			changes: "-- exemptions.txt --\nscale TestGone no sign\n",
			wantNot: []string{"error:"},
		},
		{
			name: "tests that come after a panic are missed", changes: "-- staged/add/add.go --\npackage add\n\nfunc Add(a, b int) int { panic(\"no sum\") }\n",
			want: []string{"add ran only 1 of 3 tests", "panic: no sum", "error: 2 tests are not as"},
		},
		{
			name: "a package that does not compile is an error", changes: "-- staged/add/add.go --\npackage add\n\nfunc Add(a, b int) int { return none }\n",
			want: []string{"error: leaving out what does not compile: add: nothing in its tests is to blame for", "undefined: none"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := upstreamTests(t, tc.changes, tc.only...)
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("there is no %q in:\n%s", want, got)
				}
			}
			for _, not := range tc.wantNot {
				if strings.Contains(got, not) {
					t.Errorf("there is %q in:\n%s", not, got)
				}
			}
		})
	}
}

func TestExemptionsNeedAReason(t *testing.T) {
	for content, want := range map[string]string{
		"# a comment\n\nrest TestA wording of\tan error\nrest TestB ours is better\n": "",
		"rest TestA\n":                   "1: want a package, a test and a reason",
		"\nrest TestA x\nrest TestA y\n": "3: TestA of rest is listed twice",
	} {
		file := filepath.Join(t.TempDir(), "list")
		if err := writeFile(file, []byte(content)); err != nil {
			t.Fatal(err)
		}
		list, err := readExemptions(file)
		if want != "" {
			if err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%q: got error %v, want %s", content, err, want)
			}
			continue
		}
		if err != nil || len(list) != 2 || list[key{"rest", "TestA"}] != "wording of an error" {
			t.Errorf("got %v, %v", list, err)
		}
	}
	if _, err := readExemptions(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("got error %v", err)
	}
}

// Where a subtest is exempt, its test counts as exempt only if nothing else below it
// fails.
func TestTestIsExemptIfAllThatFailsBelowItIs(t *testing.T) {
	results := []result{
		{pkg: "a", test: "TestX", outcome: failed},
		{pkg: "a", test: "TestX/1", outcome: failed, leaf: true},
		{pkg: "a", test: "TestX/2", outcome: failed, leaf: true},
		{pkg: "a", test: "TestXY", outcome: failed, leaf: true},
	}
	for listed, want := range map[string]int{"TestX/1": failed, "TestX/1 TestX/2": exempted, "TestX": failed, "TestXY TestX/2": failed} {
		exempt := exemptions{}
		for test := range strings.FieldsSeq(listed) {
			exempt[key{"a", test}] = "a reason"
		}
		if got := exempt.outcome(results[0], results); got != want {
			t.Errorf("%s: got %d, want %d", listed, got, want)
		}
	}
	// A line for the test itself is of no use: it would hide what fails below it.
	if got := (exemptions{key{"a", "TestX"}: ""}).unneeded(results); !slices.Equal(got, []string{"a TestX is exempt, but does not fail"}) {
		t.Errorf("got %v", got)
	}
}

func TestWhatIsLeftOutKeepsTheLinesOfTheRest(t *testing.T) {
	const source = `package a

import (
	"gone"
	"os"
)

// A doc comment goes, too.
func TestGone(t *testing.T) {
	gone.Do()
}

var (
	x = hidden
	y = os.Args
)

const (
	c = iota + hidden
	d
)

func TestStays() {}
`
	var offsets []int
	for _, at := range []string{`"gone"`, "gone.Do", "x = hidden", "iota"} {
		offsets = append(offsets, strings.Index(source, at))
	}
	got, names, n, err := blank("a.go", []byte(source), offsets)
	if err != nil || n != 4 || !slices.Equal(names, []string{"TestGone"}) {
		t.Errorf("left out %v, %d declarations, %v", names, n, err)
	}
	was, is := strings.Split(source, "\n"), strings.Split(string(got), "\n")
	if len(was) != len(is) {
		t.Fatalf("there are %d lines, want %d", len(is), len(was))
	}
	stays := []string{"package a", `	"os"`, "	y = os.Args", "func TestStays() {}"}
	for i, line := range was {
		switch want := slices.Contains(stays, line); {
		case want && is[i] != line:
			t.Errorf("line %d is %q, want %q", i+1, is[i], line)
		case !want && strings.TrimSpace(is[i]) != "" && !slices.Contains([]string{"import (", "var (", ")"}, line):
			t.Errorf("line %d is %q, want it blank", i+1, is[i])
		}
	}
}
