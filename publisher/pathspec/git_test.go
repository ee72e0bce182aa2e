package pathspec_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// oracle is a repository whose indexes hold many nasty paths. There are several
// as one index cannot hold both a file and a directory of the same name.
type oracle struct {
	dir     string
	indexes []index
}

type index struct {
	file  string
	paths []string
}

func newOracle(t testing.TB) *oracle {
	t.Helper()
	o := &oracle{dir: t.TempDir(), indexes: partition(nastyPaths())}
	o.must(t, nil, "", "init", "--quiet")
	blob := strings.TrimSpace(string(o.must(t, nil, "", "hash-object", "-w", "--stdin")))
	for i := range o.indexes {
		ix := &o.indexes[i]
		ix.file = filepath.Join(o.dir, fmt.Sprintf("index-%d", i))
		var info bytes.Buffer
		for _, p := range ix.paths {
			fmt.Fprintf(&info, "100644 %s\t%s\x00", blob, p)
		}
		o.must(t, info.Bytes(), ix.file, "update-index", "-z", "--index-info")
		if listed := strings.Count(string(o.must(t, nil, ix.file, "ls-files", "-z")), "\x00"); listed != len(ix.paths) {
			t.Fatalf("the index holds %d of %d paths", listed, len(ix.paths))
		}
	}
	return o
}

// exclusion recognises a pattern with the magic of that name.
var exclusion = regexp.MustCompile(`^:(/*[!^]|\(([^)]*,)?exclude[,)])`)

// match returns the paths of the index that git matches with the patterns; err
// is set where git refuses them.
//
// It is not git rm that is asked, as that takes a pattern for used up once it
// was a file's very name: "git rm 'a*'" leaves "ab" where there is a file "a*".
// And git ls-files gets one more pattern, as it would cut the common prefix of
// the others off the paths, and as many bytes off the exclusions.
func (o *oracle) match(ix index, patterns ...string) (matched map[string]bool, err error) {
	args := append([]string{"ls-files", "-z", "--"}, patterns...)
	if slices.ContainsFunc(patterns, func(p string) bool { return !exclusion.MatchString(p) }) {
		args = append(args, ":(literal)\x02no such file")
	}
	out, err := o.git(nil, ix.file, args...)
	if err != nil {
		return nil, err
	}
	matched = map[string]bool{}
	for path := range strings.SplitSeq(string(out), "\x00") {
		if path != "" {
			matched[path] = true
		}
	}
	return matched, nil
}

func (o *oracle) must(t testing.TB, stdin []byte, indexFile string, args ...string) []byte {
	t.Helper()
	out, err := o.git(stdin, indexFile, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (o *oracle) git(stdin []byte, indexFile string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = o.dir
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	if indexFile != "" {
		cmd.Env = append(cmd.Env, "GIT_INDEX_FILE="+indexFile)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %q: %w\n%s", args, err, stderr.Bytes())
	}
	return out, nil
}

// nastyPaths returns all short paths over an alphabet of letters, wildcards
// and slashes, and some that look real.
func nastyPaths() []string {
	paths := strings.Fields(`
		BUILD pkg/BUILD pkg/api/BUILD BUILDER/x pkg/BUILD.bazel/y pkg/build Makefile vendor/x/y.go vendor.go
		Godeps/Godeps.json a/docs/README.md docs/README.md docs/a/b/c/d.md docs/a/.hidden .gitattributes a/.import-restrictions
		ä/ö.txt \xff/\xfe x/y/z/a*b x/y/z/[a] x/[:alpha:]/y -dash :colon :(top) !bang ^caret tail~ aa/bb/aa/bb/aa/bb AA/Bb/aA`)
	paths = append(paths, "with space", "n\nl", "t\tab", "\x01", "\x7f", "\xff", "a\xffb/\xfe", "a\v", "a\f", "a\r")
	for c := byte(1); c != 0; c++ {
		if c != '/' && c != '.' {
			paths = append(paths, "class-"+string([]byte{c}))
		}
	}
	const alphabet = `abA*[]\!-/?.`
	var extend func(prefix string)
	extend = func(prefix string) {
		if valid(prefix) {
			paths = append(paths, prefix)
		}
		if len(prefix) < 4 {
			for _, c := range alphabet {
				extend(prefix + string(c))
			}
		}
	}
	extend("")
	// Longer ones for what needs several directories, a random part of them.
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		b := make([]byte, 5+random.IntN(6))
		for i := range b {
			b[i] = "aabbA//*"[random.IntN(8)]
		}
		if valid(string(b)) {
			paths = append(paths, string(b))
		}
	}
	return paths
}

// valid reports whether an index can hold the path.
func valid(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// partition spreads the paths over two sets without a file that is also a
// directory; a few of them fit nowhere.
func partition(paths []string) []index {
	indexes := make([]index, 2)
	random := rand.New(rand.NewPCG(5, 6))
	random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	isDir := []map[string]bool{{}, {}} // by name: whether it is a directory
	for _, path := range paths {
		for i, names := range isDir {
			if fits(names, path) {
				indexes[i].paths = append(indexes[i].paths, path)
				break
			}
		}
	}
	return indexes
}

func fits(isDir map[string]bool, path string) bool {
	if _, ok := isDir[path]; ok {
		return false
	}
	for _, dir := range parents(path) {
		if is, ok := isDir[dir]; ok && !is {
			return false
		}
	}
	isDir[path] = false
	for _, dir := range parents(path) {
		isDir[dir] = true
	}
	return true
}

// parents returns the directories above a path, without the root.
func parents(path string) []string {
	var dirs []string
	for i := range len(path) {
		if path[i] == '/' {
			dirs = append(dirs, path[:i])
		}
	}
	return dirs
}
