package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/publisher/hack/publishing/monorepo"
	"k8s.io/publisher/rules"
)

// subject is a source repository to measure with, never written to.
type subject struct {
	source   string // git directory
	rules    string
	rulesOne string
	all      *rules.Rules
	dir      string // the one directory
	branch   string // and the source branch it is measured on
	commits  int    // on that branch
	// description says what there is of everything.
	description string
	subtree     bool     // measure git subtree, too, which takes minutes
	quarter     *subject // with a quarter of the history, for how cost grows; may be nil
}

// generated takes a generated monorepo.
func generated(ctx context.Context, r monorepo.Repository) (subject, error) {
	s := subject{source: r.Source, rules: r.Rules, rulesOne: r.RulesOne}
	return s, s.fill(ctx)
}

// existing takes a repository that is there, and writes the one directory's
// rules into scratch.
func existing(ctx context.Context, source, rulesFile, scratch string) (subject, error) {
	out, err := git(ctx, source, "rev-parse", "--path-format=absolute", "--git-common-dir")
	if err != nil {
		return subject{}, err
	}
	if rulesFile, err = filepath.Abs(rulesFile); err != nil {
		return subject{}, err
	}
	all, err := rules.Load(rulesFile)
	if err != nil {
		return subject{}, err
	}
	if r := all.Rules[0]; len(r.Branches) == 0 || len(r.Branches[0].Source.Directories()) == 0 {
		return subject{}, fmt.Errorf("%s: rules[0] has no branch with a directory to measure", rulesFile)
	}
	s := subject{source: out, rules: rulesFile, rulesOne: filepath.Join(scratch, "rules-one.yaml")}
	if err := monorepo.WriteRules(s.rulesOne, monorepo.OneDirectory(all.Rules[0])); err != nil {
		return subject{}, err
	}
	return s, s.fill(ctx)
}

func (s *subject) fill(ctx context.Context) error {
	one, err := rules.Load(s.rulesOne)
	if err != nil {
		return err
	}
	if s.all, err = rules.Load(s.rules); err != nil {
		return err
	}
	measured := one.Rules[0].Branches[0].Source
	s.branch, s.dir = measured.Branch, measured.Directories()[0]
	count, err := git(ctx, s.source, "rev-list", "--count", "refs/heads/"+s.branch)
	if err != nil {
		return err
	}
	if s.commits, err = strconv.Atoi(count); err != nil {
		return err
	}
	heads, err := git(ctx, s.source, "for-each-ref", "--format=%(refname)", "refs/heads")
	if err != nil {
		return err
	}
	tags, err := git(ctx, s.source, "for-each-ref", "--format=%(refname)", "refs/tags")
	if err != nil {
		return err
	}
	objects, err := git(ctx, s.source, "count-objects", "-v", "-H")
	if err != nil {
		return err
	}
	_, size, _ := strings.Cut(objects, "size-pack: ")
	size, _, _ = strings.Cut(size, "\n")
	s.description = fmt.Sprintf("%d commits on %s, %d branches, %d tags, packs of %s, %d destinations; the one directory is `%s`",
		s.commits, s.branch, len(strings.Fields(heads)), len(strings.Fields(tags)), size, len(s.all.Rules), s.dir)
	return nil
}

// link makes a copy of the source that shares its files. Git never writes to
// a file in place but for logs, which are left out, and so is what the
// repository's own configuration and hooks would do.
func (s *subject) link(ctx context.Context, to string) error {
	if err := runQuietly(ctx, "git", "init", "-q", "--bare", "--initial-branch="+s.branch, to); err != nil {
		return err
	}
	for _, name := range []string{"objects", "refs", "packed-refs", "shallow"} {
		from := filepath.Join(s.source, name)
		if _, err := os.Stat(from); err != nil {
			continue
		}
		if err := os.RemoveAll(filepath.Join(to, name)); err != nil {
			return err
		}
		if runQuietly(ctx, "cp", "-al", from, to) == nil {
			continue
		}
		// Another file system: no links.
		if err := runQuietly(ctx, "cp", "-a", from, to); err != nil {
			return err
		}
	}
	return nil
}

// news is how many commits there are when there is something new.
const news = 10

// addNews puts new commits on the measured branch of a copy of the source,
// the same ones every time, each in another published directory.
func (s *subject) addNews(ctx context.Context, copied string) error {
	return s.addCommits(ctx, copied, news)
}

// addCommits adds that many, of which the first is in the one directory.
func (s *subject) addCommits(ctx context.Context, copied string, count int) error {
	ref := "refs/heads/" + s.branch
	out, err := git(ctx, copied, "show", "-s", "--format=%H %ct", ref)
	if err != nil {
		return err
	}
	tip, seconds, _ := strings.Cut(out, " ")
	when, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return err
	}
	var dirs []string
	for _, dir := range append([]string{s.dir}, s.directories()...) {
		if _, err := git(ctx, copied, "rev-parse", "--verify", "--quiet", ref+":"+dir); err == nil {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return fmt.Errorf("no published directory exists on %s", s.branch)
	}
	var stream bytes.Buffer
	for i := range count {
		when += int64(time.Minute / time.Second)
		message := fmt.Sprintf("New commit %d\n", i+1)
		text := fmt.Sprintf("# Note\n\nRevision %d, of %d.\n", i+1, when)
		fmt.Fprintf(&stream, "commit %s\ncommitter News <news@example.test> %d +0000\ndata %d\n%s\n", ref, when, len(message), message)
		if i == 0 {
			fmt.Fprintf(&stream, "from %s\n", tip)
		}
		fmt.Fprintf(&stream, "M 100644 inline %s/BENCHMARK-NOTE.md\ndata %d\n%s\n", dirs[i%len(dirs)], len(text), text)
	}
	cmd := exec.CommandContext(ctx, "git", "-C", copied, "fast-import", "--quiet")
	cmd.Stdin = &stream
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("add new commits: %w\n%s", err, out)
	}
	return nil
}

// directories are those that are published from the measured branch.
func (s *subject) directories() (all []string) {
	for _, rule := range s.all.Rules {
		for _, b := range rule.Branches {
			if b.Source.Branch == s.branch {
				all = append(all, b.Source.Directories()...)
			}
		}
	}
	return all
}

// git returns what a git command in a repository prints, trimmed.
func git(ctx context.Context, repository string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", repository}, args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s in %s: %w\n%s", strings.Join(args, " "), repository, err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func runQuietly(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
