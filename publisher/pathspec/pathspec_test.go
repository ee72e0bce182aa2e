package pathspec_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/publisher/pathspec"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		patterns string // separated by blanks
		matches  string
		others   string
	}{
		{"BUILD", "BUILD BUILD/x BUILD/x/y", "pkg/BUILD BUILD.bazel build"},
		{"*/BUILD", "pkg/BUILD pkg/api/BUILD */BUILD/x", "BUILD pkg/BUILD/x pkg/XBUILD"},
		{"BUILD */BUILD", "BUILD a/BUILD a/b/BUILD", "a/BUILD.bazel"},
		{"docs/", "docs/a docs/a/b", "docs docs.md a/docs/b"},
		{"docs/*", "docs/a docs/a/b", "docs docs.md"},
		{"*.go", "a.go a/b.go .go", "a.go/b"},
		{"a?b", "a/b a.b", "ab a//b"},
		{"a[.-0]b", "a/b a.b a0b", "a1b"},
		{`a\*b`, "a*b", "aab"},
		{"a[b", "a[b a[b/c", "ab"},
		{".", "a a/b", ""},
		{"./a//b/../c", "a/c a/c/d", "a/b/c"},
		{":/a", "a a/b", "b/a"},
		{":(literal)a*", "a* a*/b", "ab"},
		{":(glob)*.go", "a.go", "a/b.go"},
		{":(glob)**/b", "b a/b a/a/b", "b/c ab"},
		{":(glob)a/**", "a/b a/b/c", "a ab"},
		{":(glob)a/**/b", "a/b a/x/b a/x/y/b", "a/bb axb"},
		{":(icase)makefile :(icase)*/OWNERS", "Makefile MAKEFILE/x a/owners", "amakefile"},
		{"* :!vendor :^*.md", "a a/b vendored", "vendor vendor/x a.md a/b.md"},
		{":(exclude)a", "b b/a", "a a/b"},
		{"\xff*", "\xff \xff\xfe", "\xc3\xbf"},
	} {
		set, err := pathspec.Compile(strings.Fields(test.patterns))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, path := range strings.Fields(test.matches) {
			if !set.Match(path) {
				t.Errorf("%q does not match %q", test.patterns, path)
			}
			for _, dir := range append(parents(path), "") {
				if !set.MayMatchUnder(dir) {
					t.Errorf("%q matches %q but nothing under %q", test.patterns, path, dir)
				}
			}
		}
		for _, path := range strings.Fields(test.others) {
			if set.Match(path) {
				t.Errorf("%q matches %q", test.patterns, path)
			}
		}
	}
}

func TestMayMatchUnderSkipsWhatCannotMatch(t *testing.T) {
	for _, test := range []struct {
		patterns, dir string
		want          bool
	}{
		{"", "", false},
		{"BUILD", "", true},
		{"BUILD", "pkg", false},
		{"BUILD", "BUILD", true},
		{"BUILD", "BUILD/a", true},
		{"BUILD", "BUILDER", false},
		{"a/b/c", "a", true},
		{"a/b/c", "a/b", true},
		{"a/b/c", "a/c", false},
		{"a/b/", "a/b", true},
		{"*/BUILD", "pkg/api", true},
		{"docs/*.md", "docs/a", true},
		{"docs/*.md", "doc", false},
		{"docs/*.md", "src", false},
		{"docs*", "docs", true},
		{":(glob)*.md", "docs", false},
		{":(glob)docs/*.md", "docs", true},
		{":(glob)docs/*.md", "docs/a", false},
		{":(glob)docs/**/*.md", "docs/a/b", true},
		{":(icase)DOCS", "docs/a", true},
		{"* :!vendor", "vendor/x", false},
		{"* :!vendor/", "vendor", false},
		{"* :!vendor/x", "vendor", true},
		{":!.", "", false},
		{"* :!/", "a", false},
	} {
		set, err := pathspec.Compile(strings.Fields(test.patterns))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := set.MayMatchUnder(test.dir); got != test.want {
			t.Errorf("%q: MayMatchUnder(%q) = %v", test.patterns, test.dir, got)
		}
	}
}

func TestEmptySetMatchesNothing(t *testing.T) {
	compiled, err := pathspec.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*pathspec.Set{compiled, {}} {
		if !set.Empty() || set.Match("a") || set.MayMatchUnder("") {
			t.Errorf("%v, %v, %v", set.Empty(), set.Match("a"), set.MayMatchUnder(""))
		}
	}
	if set, _ := pathspec.Compile([]string{":!a"}); set.Empty() {
		t.Error("a set with an exclusion is empty")
	}
}

func TestBadPatternIsNamed(t *testing.T) {
	for pattern, want := range map[string]error{
		"":                     pathspec.ErrEmpty,
		":(attr:x)a":           pathspec.ErrMagic,
		":(prefix:1)a":         pathspec.ErrMagic,
		":(glob,literal)a":     pathspec.ErrMagic,
		":(top":                pathspec.ErrMagic,
		":(GLOB)a":             pathspec.ErrMagic,
		":%a":                  pathspec.ErrMagic,
		"/a":                   pathspec.ErrOutside,
		"../a":                 pathspec.ErrOutside,
		"a/../../b":            pathspec.ErrOutside,
		":(exclude)../a":       pathspec.ErrOutside,
		":(icase,exclude)a/..": nil,
	} {
		_, err := pathspec.Compile([]string{"fine", pattern})
		var named *pathspec.PatternError
		switch {
		case want == nil && err != nil:
			t.Errorf("%q: %v", pattern, err)
		case want != nil && (!errors.Is(err, want) || !errors.As(err, &named) || named.Pattern != pattern):
			t.Errorf("%q: got the error %v, want %v", pattern, err, want)
		}
	}
}

// TestSetAgreesWithGit compares random sets of patterns with git.
func TestSetAgreesWithGit(t *testing.T) {
	o := newOracle(t)
	random := rand.New(rand.NewPCG(1, 2))
	hits := 0
	for range 500 {
		patterns := make([]string, 1+random.IntN(4)/3*random.IntN(3))
		for i := range patterns {
			patterns[i] = randomPattern(random)
		}
		hits += o.compare(t, patterns)
		if t.Failed() {
			break
		}
	}
	t.Logf("%d matches", hits)
}

func FuzzSetAgreesWithGit(f *testing.F) {
	for _, patterns := range []string{
		"BUILD", "*/BUILD", "docs/\n*.md", ":(glob)**/b\n:!a", ":(icase)[[:upper:]a-]*", `a\*[!\]b-c]?`, "***/a", ":/a\n:(exclude,glob)*/b",
	} {
		f.Add(patterns)
	}
	o := newOracle(f)
	f.Fuzz(func(t *testing.T, patterns string) {
		if strings.IndexByte(patterns, 0) < 0 {
			o.compare(t, strings.Split(patterns, "\n"))
		}
	})
}

// compare checks Compile, Match and MayMatchUnder against git and returns the
// number of matches.
func (o *oracle) compare(t *testing.T, patterns []string) (hits int) {
	t.Helper()
	set, compileErr := pathspec.Compile(patterns)
	if errors.Is(compileErr, pathspec.ErrMagic) && usesForeignMagic(patterns) {
		return 0
	}
	for _, ix := range o.indexes {
		want, err := o.match(ix, patterns...)
		if (err != nil) != (compileErr != nil) {
			t.Fatalf("%q: got the error %v, git has %v", patterns, compileErr, err)
		}
		if err != nil {
			return 0
		}
		hits += len(want)
		may := map[string]bool{}
		for _, path := range ix.paths {
			if got := set.Match(path); got != want[path] {
				t.Fatalf("%q: Match(%q) = %v", patterns, path, got)
			}
			if !want[path] {
				continue
			}
			for _, dir := range append(parents(path), "") {
				if !may[dir] && !set.MayMatchUnder(dir) {
					t.Fatalf("%q match %q but nothing under %q", patterns, path, dir)
				}
				may[dir] = true
			}
		}
	}
	return hits
}

// usesForeignMagic reports whether a pattern may have magic that git knows and
// this package does not.
func usesForeignMagic(patterns []string) bool {
	for _, p := range patterns {
		if strings.HasPrefix(p, ":(") && (strings.Contains(p, "prefix:") || strings.Contains(p, "attr:")) {
			return true
		}
	}
	return false
}

func randomPattern(random *rand.Rand) string {
	parts := []string{
		"a", "b", "A", "a", "b", "A", "/", "/", "*", "*", "?", "**", "**/", "/**", "***", "[ab]", "[!a]", "[^b]", "[a-", "[]-a]", "[A-B]",
		"[[:upper:]]", "[[:punct:]a]", "[[:x:]]", "[[:a]", `[\]a]`, "[a", "]", "[", `\*`, `\`, `\/`, `\A`, "-", "!", ".", "..", "./", "../", "\xff",
	}
	magic := []string{
		":(glob)", ":(icase)", ":(glob,icase)", ":(top,glob)", ":/", ":!", ":^", ":/!:", ":(literal)", ":(exclude,glob)", ":(exclude,icase)",
		":(literal,icase)", ":", ":()", ":(glob", ":(literal,glob)", ":%",
	}
	var b strings.Builder
	if random.IntN(2) == 0 {
		b.WriteString(magic[min(random.IntN(len(magic)), random.IntN(len(magic)))])
	}
	if random.IntN(16) == 0 {
		classes := strings.Fields("alnum alpha blank cntrl digit graph lower print punct space upper xdigit")
		return b.String() + "class-[" + []string{"", "!"}[random.IntN(2)] + "[:" + classes[random.IntN(len(classes))] + ":]]"
	}
	for range 1 + random.IntN(6) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

func BenchmarkMatch(b *testing.B) {
	path := "staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/zz_generated.deepcopy.go"
	for _, bench := range []struct{ name, patterns string }{
		{"name", "BUILD"},
		{"any_dir_name", "*/BUILD"},
		{"usual_set", "BUILD */BUILD BUILD.bazel */BUILD.bazel Godeps vendor/"},
		{"stars", "*/apis/*/zz_*.bazel"},
		{"stars_late", "*/apis/*/yy_*.go"},
		{"glob", ":(glob)**/zz_*.bazel"},
		{"icase", ":(icase)*/build"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			set, err := pathspec.Compile(strings.Fields(bench.patterns))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if set.Match(path) {
					b.Fatal("matches")
				}
			}
		})
	}
}
