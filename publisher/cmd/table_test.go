package cmd

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
)

func TestTableFitsAndCutsNoCharacterInHalf(t *testing.T) {
	all := table{
		{"NAME", "REF", "NOTE"},
		{"lib", "branch master", "a note that is quite long and has to be broken into lines"},
		{"", "branch 日本語の長い名前", "日本語 and a wordthatisfartoolongforanyline and a 👩‍👩‍👧 family and so on, for much longer than any table has room for it"},
		{"e\u0301tude", "", ""},
	}
	for width := 12; width < 200; width++ {
		var b strings.Builder
		if err := all.write(&b, width); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		for _, line := range lines {
			// The headers stay whole: the narrowest table has their width.
			if w := uniseg.StringWidth(line); w > max(width, len("NAME  REF  NOTE")) {
				t.Errorf("width %d: a line is %d wide: %s", width, w, line)
			}
			if strings.ContainsRune(line, '\uFFFD') {
				t.Errorf("width %d: a character is cut: %q", width, line)
			}
		}
	}
	for width, want := range map[int]string{
		90: `NAME   REF                      NOTE
lib    branch master            a note that is quite long and has to be broken into lines
-      branch 日本語の長い名前  日本語 and a wordthatisfartoolongforanyline and a
                                👩\u200d👩\u200d👧 family and so on, for much longer than
                                any table has room for it
` + "e\u0301tude\n",
		54: `NAME   REF               NOTE
lib    branch master     a note that is quite long and
                         has to be broken into lines
-      branch            日本語 and a
       日本語の長い名前  wordthatisfartoolongforanyli…
                         and a 👩\u200d👩\u200d👧
                         family and so on, for much l…
` + "e\u0301tude\n",
	} {
		var b strings.Builder
		if err := all.write(&b, width); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", width, diff)
		}
	}
}

func TestSomeNamesAreListedAndTheRestCounted(t *testing.T) {
	for n, want := range []string{"", "a0", "a0, a1", "a0, a1, a2", "a0, a1 and 2 more", "a0, a1 and 3 more"} {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprint("a", i))
		}
		if got := some(names, 2); got != want {
			t.Errorf("%d names: %q, want %q", n, got, want)
		}
	}
}

func TestBranchesAreOrderedByInterest(t *testing.T) {
	names := []string{"feature", "release-1.9", "master", "release-1.36", "release-1.34"}
	for version, want := range map[string]string{
		"":                "master release-1.36 release-1.34 release-1.9 feature",
		"v1.34.1":         "release-1.34 master release-1.36 release-1.9 feature",
		"v1.34.0-alpha.1": "release-1.34 master release-1.36 release-1.9 feature",
		"refs/heads/x":    "master release-1.36 release-1.34 release-1.9 feature",
		"v1.3.0":          "master release-1.36 release-1.34 release-1.9 feature",
	} {
		if got := strings.Join(slices.SortedFunc(slices.Values(names), byInterest(version)), " "); got != want {
			t.Errorf("%q: %s, want %s", version, got, want)
		}
	}
}
