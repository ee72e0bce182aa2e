package monorepo

import "fmt"

// Shape is what a generated repository looks like, in its tree and its history.
type Shape struct {
	Name string
	// Commits is how many there are on all branches, unless it is said
	// otherwise.
	Commits int
	// Deep asks for what only history makes slow: tools that need minutes for it,
	// and how cost grows with it.
	Deep bool

	modules    int // staged, of graph
	packages   int // of a module, at least
	slots      int // files of a package, at least
	others     int // areas beside the modules, in dozens
	thirdParty int // modules that go.mod requires from elsewhere

	firstMinor, releases int
	alphas, betas        int // tags of each minor before its branch is forked
	candidates, patches  int // and after that
	alive                int // release branches at a time
}

// Shapes are those that there are. Deep has much history and little else. Wide is
// of the kind of Kubernetes: many modules, branches and tags, and large trees.
var Shapes = []Shape{
	{
		Name: "deep", Commits: 20000, Deep: true,
		modules: 8, packages: 5, slots: 8, others: 1, thirdParty: 5,
		firstMinor: 20, releases: 5, alphas: 4, patches: 16, alive: 5,
	},
	{
		Name: "wide", Commits: 32000,
		modules: 14, packages: 26, slots: 12, others: 5, thirdParty: 60,
		firstMinor: 8, releases: 30, alphas: 3, betas: 2, candidates: 3, patches: 22, alive: 4,
	},
}

// tags lists the tags of a minor version, in their order: those that stand on
// main before its branch is forked, and those that stand on the branch.
func (s Shape) tags(release int) (before, after []string) {
	minor := s.firstMinor + release
	for i := range s.alphas {
		before = append(before, fmt.Sprintf("v1.%d.0-alpha.%d", minor, i+1))
	}
	for i := range s.betas {
		before = append(before, fmt.Sprintf("v1.%d.0-beta.%d", minor, i+1))
	}
	for i := range s.candidates {
		after = append(after, fmt.Sprintf("v1.%d.0-rc.%d", minor, i+1))
	}
	for i := range s.patches {
		after = append(after, fmt.Sprintf("v1.%d.%d", minor, i))
	}
	return before, after
}
