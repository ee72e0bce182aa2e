package rules

import (
	"os/exec"
	"testing"
)

// git is asked for its opinion of each pattern. It takes more than we do.
func TestPatternsThatAreAcceptedAreGits(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		pattern   string
		ok, inGit bool
	}{
		{"BUILD", true, true},
		{"*/BUILD", true, true},
		{"*.ext", true, true},
		{"dir/", true, true},
		{"a b", true, true},
		{"a[b", true, true},
		{`a\`, true, true},
		{"a:b", true, true},
		{"a..b", true, true},
		{":/a", true, true},
		{":!a", true, true},
		{":^a", true, true},
		{":/!a", true, true},
		{":^/:a", true, true},
		{"::a", true, true},
		{":é", true, true},
		{":(top)a", true, true},
		{":()a", true, true},
		{":(literal)*", true, true},
		{":(glob)**/a", true, true},
		{":(icase,exclude)a", true, true},
		{":(top,glob,icase,exclude)a", true, true},
		{":(glob,literal)a", false, false},
		{":(top", false, false},
		{":(nonsense)a", false, false},
		{":(Top)a", false, false},
		{":( top)a", false, false},
		{":(attr)a", false, true},
		{":(attr:x)a", false, true},
		{":#a", false, false},
		{":&a", false, false},
		{":-a", false, false},
		{"", false, false},
		{":", false, true},
		{":/", false, true},
		{":(top)", false, true},
		{"/a", false, false},
		{":(top)/a", false, true},
		{"..", false, false},
		{"../a", false, false},
		{"a/../b", false, true},
		{"a/../../b", false, false},
	} {
		err := checkPathspec(c.pattern)
		if (err == nil) != c.ok {
			t.Errorf("%q: got %v, want ok %t", c.pattern, err, c.ok)
		}
		out, err := exec.Command("git", "-C", dir, "ls-files", "--", c.pattern).CombinedOutput()
		if (err == nil) != c.inGit {
			t.Errorf("%q: git says %v %s, want ok %t", c.pattern, err, out, c.inGit)
		}
	}
}
