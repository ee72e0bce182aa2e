package monorepo

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/publisher/rules"
)

var deep, wide = Shapes[0], Shapes[1]

func generate(t *testing.T, shape Shape, commits int) Repository {
	t.Helper()
	dir := t.TempDir()
	if err := Generate(t.Context(), dir, Params{Shape: shape, Commits: commits}); err != nil {
		t.Fatal(err)
	}
	return At(dir)
}

// lines returns what git prints, less its trailing newline.
func lines(t *testing.T, r Repository, args ...string) []string {
	t.Helper()
	out, err := gitIn(t.Context(), r.Source)(args...).Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	text := strings.TrimSuffix(string(out), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func count(t *testing.T, r Repository, args ...string) int {
	t.Helper()
	n, err := strconv.Atoi(lines(t, r, append([]string{"rev-list", "--count"}, args...)...)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSameParametersGiveSameHashes(t *testing.T) {
	one, two := lines(t, generate(t, deep, 1000), "for-each-ref"), lines(t, generate(t, deep, 1000), "for-each-ref")
	if !slices.Equal(one, two) {
		t.Errorf("refs differ:\n%s\n\n%s", strings.Join(one, "\n"), strings.Join(two, "\n"))
	}
}

func TestRepositoryIsSoundAndItsModulesBuild(t *testing.T) {
	r := generate(t, deep, 1000)
	check(t, r, "v1.20.0-alpha.1", "v1.22.7", "v1.24.15", "main")
}

func TestTooShortAHistoryIsRefused(t *testing.T) {
	if err := Generate(t.Context(), t.TempDir(), Params{Shape: deep, Commits: MinCommits - 1}); err == nil {
		t.Error("no error")
	}
}

func TestHistoryHasItsShape(t *testing.T) {
	r := generate(t, deep, 4000)

	t.Run("refs", func(t *testing.T) {
		heads := lines(t, r, "for-each-ref", "--format=%(refname:short)", "refs/heads")
		want := []string{"main", "release-1.20", "release-1.21", "release-1.22", "release-1.23", "release-1.24"}
		if !slices.Equal(heads, want) {
			t.Errorf("branches %v, want %v", heads, want)
		}
		tags := lines(t, r, "for-each-ref", "--format=%(objecttype) %(refname:short)", "refs/tags")
		if len(tags) != 100 {
			t.Errorf("%d tags, want 100", len(tags))
		}
		annotated := regexp.MustCompile(`^tag v1\.2[0-4]\.(\d+|0-alpha\.\d)$`)
		for _, tag := range tags {
			if !annotated.MatchString(tag) {
				t.Errorf("tag %q", tag)
			}
		}
		if all := lines(t, r, "for-each-ref"); len(all) != 106 {
			t.Errorf("%d refs, want only branches and tags", len(all))
		}
	})

	t.Run("tags are on mainlines", func(t *testing.T) {
		mainline := lines(t, r, "rev-list", "--first-parent", "--branches")
		for _, tagged := range lines(t, r, "for-each-ref", "--format=%(*objectname)", "refs/tags") {
			if !slices.Contains(mainline, tagged) {
				t.Errorf("%s is on no mainline", tagged)
			}
		}
	})

	t.Run("merges", func(t *testing.T) {
		all := count(t, r, "--all")
		between(t, "commits", all, 4000, 4010)
		between(t, "commits on side branches", (all-count(t, r, "--first-parent", "--branches"))*100/all, 57, 63)
		between(t, "octopus merges", count(t, r, "--min-parents=3", "--all"), 2, 50)
		between(t, "merges into release-1.22", count(t, r, "--first-parent", "--merges", "main..release-1.22"), 5, 1000)
		between(t, "merges into release-1.23", count(t, r, "--first-parent", "--merges", "main..release-1.23"), 0, 0)
	})

	t.Run("changes", func(t *testing.T) {
		all := count(t, r, "--no-merges", "main")
		staged := count(t, r, "--no-merges", "main", "--full-history", "--", "staging")
		between(t, "share of commits in modules, percent", staged*100/all, 45, 55)
		for m := range deep.modules {
			dir := ModuleDir(m)
			changes := count(t, r, "--no-merges", "--full-history", "main", "--", dir)
			between(t, "share of commits in "+dir+", percent", changes*100/all, 1, 15)
			files := len(lines(t, r, "ls-tree", "-r", "--name-only", "main", dir))
			between(t, "files in "+dir, files, 40, 90)
		}
		between(t, "changes of a go.mod", count(t, r, "--no-merges", "main", "--", "staging/src/example.test/*/go.mod"), 10, 200)
		for _, line := range lines(t, r, "ls-tree", "-r", "-l", "main", ModuleDir(0)) {
			size, err := strconv.Atoi(strings.Fields(line)[3])
			if err != nil || size > 12<<10 {
				t.Errorf("file out of size: %s", line)
			}
		}
	})

	t.Run("dates", func(t *testing.T) {
		dates := map[string]string{}
		for _, line := range lines(t, r, "log", "--all", "--reverse", "--topo-order", "--format=%H %ct %P") {
			fields := strings.Fields(line)
			dates[fields[0]] = fields[1]
			for _, parent := range fields[2:] {
				if dates[parent] >= fields[1] {
					t.Errorf("%s is not younger than its parent %s", fields[0], parent)
				}
			}
		}
	})

	t.Run("rules name every requirement", func(t *testing.T) {
		all, err := rules.Load(r.Rules)
		if err != nil {
			t.Fatal(err)
		}
		required := regexp.MustCompile(`\texample\.test/(mod\d) v0\.0\.0`)
		for _, rule := range all.Rules {
			for _, branch := range []rules.Branch{rule.Branches[0], rule.Branches[3]} {
				var named []string
				for _, d := range branch.Dependencies {
					named = append(named, d.Repository)
				}
				path := branch.Source.Directories()[0] + "/go.mod"
				for _, revision := range lines(t, r, "rev-list", branch.Source.Branch, "--", path) {
					text := strings.Join(lines(t, r, "show", revision+":"+path), "\n")
					for _, match := range required.FindAllStringSubmatch(text, -1) {
						if !slices.Contains(named, match[1]) {
							t.Errorf("%s of %s at %s requires %s, the rules do not know", path, branch.Name, revision, match[1])
						}
					}
				}
			}
		}
	})
}

func between(t *testing.T, what string, got, low, high int) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %d, want %d to %d", what, got, low, high)
	}
}

// TestMergeIsWhatGitMerges compares where the two sides changed different
// files: git's merge of the same commits must then be ours.
func TestMergeIsWhatGitMerges(t *testing.T) {
	r := generate(t, deep, 1000)
	compared := 0
	for _, line := range lines(t, r, "log", "--merges", "--max-parents=2", "--format=%T %P", "-100", "main") {
		fields := strings.Fields(line)
		tree, ours, theirs := fields[0], fields[1], fields[2]
		changed := lines(t, r, "diff", "--name-only", ours+"..."+theirs)
		if slices.ContainsFunc(lines(t, r, "diff", "--name-only", theirs+"..."+ours), func(path string) bool {
			return slices.Contains(changed, path)
		}) {
			continue
		}
		compared++
		// Renames are not simulated; similar new files are just that.
		if got := lines(t, r, "-c", "merge.renames=false", "merge-tree", "--write-tree", ours, theirs)[0]; got != tree {
			t.Errorf("merge of %s and %s has the tree %s, git makes %s", ours, theirs, tree, got)
		}
	}
	if compared < 50 {
		t.Errorf("only %d merges of different files", compared)
	}
}

func TestWideHasManyOfEverything(t *testing.T) {
	r := generate(t, wide, 2000)
	if got := len(lines(t, r, "for-each-ref", "refs/heads")); got != 31 {
		t.Errorf("%d branches, want 31", got)
	}
	tags := lines(t, r, "for-each-ref", "--format=%(refname:short)", "refs/tags")
	kinds := map[string]int{}
	kind := regexp.MustCompile(`^v1\.\d+\.\d+-?([a-z]*)`)
	for _, tag := range tags {
		kinds[kind.FindStringSubmatch(tag)[1]]++
	}
	if want := map[string]int{"alpha": 90, "beta": 60, "rc": 90, "": 660}; !maps.Equal(kinds, want) {
		t.Errorf("tags %v, want %v", kinds, want)
	}
	between(t, "picks onto release branches, in all", count(t, r, "--branches", "^main", "--grep=^Automated cherry pick"), 5, 100)
	modules := lines(t, r, "ls-tree", "--name-only", "main:staging/src/example.test")
	if len(modules) != 14 {
		t.Errorf("modules %v, want 14", modules)
	}
	for m := range modules {
		between(t, "files in "+ModuleDir(m), len(lines(t, r, "ls-tree", "-r", "main", ModuleDir(m))), 200, 500)
		between(t, "lines of go.mod in "+ModuleDir(m), len(lines(t, r, "show", "main:"+ModuleDir(m)+"/go.mod")), 30, 120)
		between(t, "lines of go.sum in "+ModuleDir(m), len(lines(t, r, "show", "main:"+ModuleDir(m)+"/go.sum")), 60, 120)
	}
	check(t, r, "main")
}
