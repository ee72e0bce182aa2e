package projection_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
)

// history is a random history. Its commits are in the order in which they were
// made, so parents come first.
type history struct {
	repo    *gittest.Repo
	random  *rand.Rand
	commits []object.ID
	parents [][]int
	files   []gittest.Files
	// disjoint keeps the directories that are published together apart.
	disjoint bool
	// main and release are the commits that the two branches name.
	main, release int
}

var paths = []string{
	"a/f", "a/f", "a/b/g", "a/b/h", "a/b/c/d", "a/BUILD", "a/b/BUILD", "a/b.c", "a/b-c/x", "a/\xff\xfe", "a/ü", "a",
	"a/b", "a/f/deep", "x/f", "x/sub/1", "x/sub/deep/1", "x", "y/g", "y/sub/2", "y/sub/deep/2", "y/BUILD", "top", "BUILD", "docs/a",
}

// clashing are paths at which the directories x and y get into each other's way.
var clashing = []string{"y/f", "x/g", "x/sub", "y/sub/1", "y/sub/deep"}

func newHistory(repo *gittest.Repo, random *rand.Rand, disjoint bool) *history {
	h := &history{repo: repo, random: random, disjoint: disjoint}
	for range 3 + random.IntN(40) {
		h.grow()
	}
	h.main = len(h.commits) - 1
	h.release = random.IntN(len(h.commits))
	repo.Branch("main", h.commits[h.main])
	repo.Branch("release", h.commits[h.release])
	return h
}

// grow adds a commit.
func (h *history) grow() {
	parents := h.pickParents()
	files := make(gittest.Files)
	from := func(i int) { clear(files); maps.Copy(files, h.files[i]) }
	if len(parents) > 0 {
		from(parents[0])
	}
	changes := 1 + h.random.IntN(3)
	switch kind := h.random.IntN(12); {
	case len(parents) > 1 && kind < 3: // as the first parent
		changes = 0
	case len(parents) > 1 && kind < 5: // as the last one
		from(parents[len(parents)-1])
		changes = 0
	case len(parents) > 1 && kind < 10: // of each something, at times with a change that is in none
		for _, p := range parents[1:] {
			for _, path := range slices.Sorted(maps.Keys(h.files[p])) {
				if h.random.IntN(2) == 0 {
					files.Set(path, h.files[p][path])
				}
			}
		}
		changes = h.random.IntN(2)
	case kind == 10 && len(h.files) > 0: // back to what was before
		from(h.random.IntN(len(h.files)))
		changes = 0
	case kind == 11: // empty
		changes = 0
	}
	for range changes {
		h.change(files)
	}
	c := &object.Commit{Tree: h.repo.Tree(files)}
	for _, p := range parents {
		c.Parents = append(c.Parents, h.commits[p])
	}
	h.dress(c)
	h.commits = append(h.commits, h.repo.Commit(c))
	h.parents = append(h.parents, parents)
	h.files = append(h.files, files)
}

// pickParents takes mostly recent commits, so that histories get long and
// cross: 0 to 5 of them, at times one of them twice.
func (h *history) pickParents() []int {
	n := len(h.commits)
	if n == 0 || h.random.IntN(25) == 0 {
		return nil
	}
	count := 1
	switch k := h.random.IntN(20); {
	case k < 7:
		count = 2
	case k == 7:
		count = 2 + h.random.IntN(4)
	}
	var parents []int
	for range count {
		p := n - 1 - min(h.random.IntN(n), h.random.IntN(n), h.random.IntN(n))
		if !slices.Contains(parents, p) || h.random.IntN(3) == 0 {
			parents = append(parents, p)
		}
	}
	return parents
}

func (h *history) change(files gittest.Files) {
	pool := paths
	if !h.disjoint && h.random.IntN(30) == 0 {
		pool = clashing
	}
	path := pool[h.random.IntN(len(pool))]
	// Few texts, so that what was changed comes back to what it was.
	text := fmt.Sprint(h.random.IntN(3))
	mode := object.ModeRegular
	switch h.random.IntN(12) {
	case 0, 1, 2:
		if h.random.IntN(2) == 0 {
			path, _, _ = strings.Cut(path, "/")
		}
		files.Remove(path)
		return
	case 3:
		mode = object.ModeExecutable
	case 4:
		mode = object.ModeSymlink
	case 5:
		mode = object.ModeSubmodule
	case 6:
		mode = 0o100664
	}
	files.Set(path, gittest.File{Mode: mode, Text: text})
}

var messages = []string{
	"Title\n", "Title", "", "\n", "  \n\n", "Title\n\nBody.\n", "Title\n\nBody.\n\n\n", "Title\n\nSigned-off-by: A <a@b>\n",
	"Title\n\nBody\n\nSigned-off-by: A <a@b>\nKubernetes-commit: 0123456789012345678901234567890123456789\n",
	"Not UTF-8: \xff\xfe\n", "Title\r\n\r\nBody\r\n", "Title\n\nConflicts:\n\ta/f\n", "Title\n\nKey: value\n continued\n",
	"Title\n\n# comment\n", "net: looks like a trailer\n", "\n\nblank lines first\n", "Title\n---\ndivided\n",
	"Title\n# ------------------------ >8 ------------------------\ncut off\n", "Title\n\nKey: value\n\x00after NUL\n",
}

var people = []string{
	"A U Thor <author@example.com>", " <>", "<a@b>", "Ünï Cödé <u@example.com>", "Latin \xfc <l@example.com>", "A <a <b> c> <d>", "A <>",
}

var dates = []string{
	"0 +0000", "1 -0000", "1500000000 +0545", "1500000000 -1200", "1500000000 +9999", "4102444800 +0000", "2147483648 +0100",
	"1500000000 +051800", "99999999999 +0000", "1234567890 -0730",
}

// dress gives a commit its people, dates, headers and message.
func (h *history) dress(c *object.Commit) {
	pick := func(from []string) string {
		if h.random.IntN(2) == 0 {
			return from[0]
		}
		return from[h.random.IntN(len(from))]
	}
	// The number makes all commits differ, as a clock does.
	stamp := func() string {
		if h.random.IntN(4) > 0 {
			return fmt.Sprintf("%d +0100", 1400000000+len(h.commits))
		}
		return pick(dates)
	}
	c.Author = []byte(pick(people) + " " + stamp())
	c.Committer = []byte(pick(people) + " " + stamp())
	header := func(key, value string) {
		if h.random.IntN(8) == 0 {
			c.Headers = append(c.Headers, object.Header{Key: key, Value: []byte(value)})
		}
	}
	header("mergetag", "object 0123456789012345678901234567890123456789\n type commit\n tag v1\n tagger A <a@b> 1 +0000\n \n encoding x")
	header("encoding", pick([]string{"ISO-8859-1", "UTF-8", "made up"}))
	header("gpgsig", "-----BEGIN PGP SIGNATURE-----\n \n encoding ISO-8859-2\n parent x\n -----END PGP SIGNATURE-----")
	header("HG:extra", "rebase_source:0")
	c.Message = []byte(pick(messages))
	if h.random.IntN(30) == 0 {
		c.Message = nil
	}
}

// firstParents lists a commit and its first parents, the oldest first.
func (h *history) firstParents(at int) []int {
	line := []int{at}
	for len(h.parents[at]) > 0 {
		at = h.parents[at][0]
		line = append(line, at)
	}
	slices.Reverse(line)
	return line
}
