// Package monorepo generates a Go monorepo for measurements: a bare git
// repository whose history has the shape of a large project's. Most commits
// are on side branches that true merge commits bring in; about half of all
// changes touch none of its staged modules; release branches are forked along the
// way and tagged. The same parameters always give the same hashes.
package monorepo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// version is raised whenever the same parameters give another repository, so
// that no cached one is taken for it.
const version = 2

// MinCommits is the shortest history in which a shape can be seen.
const MinCommits = 1000

// sideRef is where side branches are built. It does not outlive Generate.
const sideRef = "refs/pull/head"

// Params are what a generated repository depends on.
type Params struct {
	Shape Shape
	// Commits is how many there are on all branches; the shape's own number if
	// it is 0, and at least MinCommits.
	Commits int
}

func (p Params) withDefaults() Params {
	if p.Commits == 0 {
		p.Commits = p.Shape.Commits
	}
	return p
}

// Repository is a generated repository and the rules that publish it.
type Repository struct {
	Source   string // bare git repository
	Rules    string // all modules, branches and tags
	RulesOne string // one directory of one branch, as it is
}

// At names the files of a repository generated in dir.
func At(dir string) Repository {
	return Repository{
		Source:   filepath.Join(dir, "source.git"),
		Rules:    filepath.Join(dir, "rules.yaml"),
		RulesOne: filepath.Join(dir, "rules-one.yaml"),
	}
}

// Cached generates the repository below root unless it is there already.
func Cached(ctx context.Context, root string, p Params) (Repository, error) {
	p = p.withDefaults()
	name := fmt.Sprintf("monorepo-v%d-%s-%d", version, p.Shape.Name, p.Commits)
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err == nil {
		return At(dir), nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return Repository{}, err
	}
	// A generation that was interrupted must not be taken for a whole one.
	unfinished, err := os.MkdirTemp(root, "unfinished-")
	if err != nil {
		return Repository{}, err
	}
	defer os.RemoveAll(unfinished)
	if err := Generate(ctx, unfinished, p); err != nil {
		return Repository{}, err
	}
	if err := os.Rename(unfinished, dir); err != nil {
		return Repository{}, err
	}
	return At(dir), nil
}

// Generate writes the repository and its rules to dir.
func Generate(ctx context.Context, dir string, p Params) error {
	if p = p.withDefaults(); p.Commits < MinCommits {
		return fmt.Errorf("generate monorepo: %d commits are too few, %d is the least", p.Commits, MinCommits)
	}
	repository := At(dir)
	all := p.Shape.rules()
	if err := WriteRules(repository.Rules, all); err != nil {
		return fmt.Errorf("generate monorepo: %w", err)
	}
	if err := WriteRules(repository.RulesOne, OneDirectory(all.Rules[measured])); err != nil {
		return fmt.Errorf("generate monorepo: %w", err)
	}
	git := gitIn(ctx, repository.Source)
	if err := run(exec.CommandContext(ctx, "git", "init", "-q", "--bare", "--initial-branch=main", repository.Source)); err != nil {
		return fmt.Errorf("generate monorepo: %w", err)
	}
	if err := importHistory(git("fast-import", "--quiet", "--depth=20"), p); err != nil {
		return fmt.Errorf("generate monorepo: %w", err)
	}
	// The state in which a server leaves a clone: one well-packed pack,
	// packed refs, nothing loose.
	steps := [][]string{
		{"update-ref", "-d", sideRef},
		{"repack", "-adfq", "--window=10", "--depth=50"},
		{"pack-refs", "--all"},
	}
	for _, args := range steps {
		if err := run(git(args...)); err != nil {
			return fmt.Errorf("generate monorepo: %w", err)
		}
	}
	return nil
}

func importHistory(fastImport *exec.Cmd, p Params) error {
	stdin, err := fastImport.StdinPipe()
	if err != nil {
		return err
	}
	var complaint strings.Builder
	fastImport.Stderr = &complaint
	if err := fastImport.Start(); err != nil {
		return err
	}
	l := newLayout(p.Shape)
	out := newStream(stdin, l)
	writeHistory(out, l, p.Commits)
	written := out.w.Flush()
	if err := stdin.Close(); written == nil {
		written = err
	}
	// git's own complaint says more than the broken pipe it leaves.
	if err := fastImport.Wait(); err != nil {
		return fmt.Errorf("git fast-import: %w\n%s", err, complaint.String())
	}
	return written
}

// gitIn makes git commands in a repository that no configuration of the
// user's or the machine's has a say in.
func gitIn(ctx context.Context, repository string) func(args ...string) *exec.Cmd {
	return func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-C", repository}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		return cmd
	}
}

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
