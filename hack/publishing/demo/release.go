package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/publisher/rules"
)

// release is a clone of the repository in which a release was tagged.
type release struct {
	repository        string // that was cloned
	dir, head, branch string
	rules             *rules.Rules
	rulesFile         string
}

// cutRelease clones a repository to scratch and tags its HEAD there. The rules
// are those in HEAD.
func cutRelease(ctx context.Context, repository, scratch string) (*release, error) {
	repository, err := output(ctx, repository, nil, "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("find the repository: %w", err)
	}
	shallow, err := output(ctx, repository, nil, "git", "rev-parse", "--is-shallow-repository")
	if err != nil {
		return nil, err
	}
	if shallow == "true" {
		return nil, fmt.Errorf("%s is a shallow clone, and publishing needs the whole history: run git fetch --unshallow there", repository)
	}

	r := &release{repository: repository, dir: filepath.Join(scratch, "source.git"), rulesFile: filepath.Join(scratch, "rules.yaml")}
	if err := show(ctx, scratch, nil, "git", "clone", "--quiet", "--bare", "--no-tags", repository, r.dir); err != nil {
		return nil, err
	}
	if r.head, err = output(ctx, r.dir, nil, "git", "rev-parse", "--verify", "HEAD^{commit}"); err != nil {
		return nil, fmt.Errorf("%s has no commit yet: %w", repository, err)
	}
	text, err := output(ctx, r.dir, nil, "git", "show", "HEAD:rules.yaml")
	if err != nil {
		return nil, fmt.Errorf("HEAD has no rules.yaml, and only what is committed is published: %w", err)
	}
	if r.rules, err = rules.Parse("rules.yaml", []byte(text)); err != nil {
		return nil, err
	}
	if err := writeFile(r.rulesFile, text+"\n"); err != nil {
		return nil, err
	}
	if r.branch, err = sourceBranch(r.rules); err != nil {
		return nil, err
	}
	// HEAD can be any branch, or none, as it is when a pull request is tested.
	if err := show(ctx, r.dir, nil, "git", "update-ref", "refs/heads/"+r.branch, r.head); err != nil {
		return nil, err
	}
	return r, r.tag(ctx)
}

// sourceBranch returns the branch that everything pinned is published from.
func sourceBranch(r *rules.Rules) (string, error) {
	var common []string
	for i, path := range append([]string{tool}, pinned...) {
		destination := strings.TrimPrefix(path, "k8s.io/")
		rule := r.Rule(destination)
		if rule == nil {
			return "", fmt.Errorf("rules.yaml has no destination %s", destination)
		}
		var branches []string
		for _, b := range rule.Branches {
			branches = append(branches, b.Source.Branch)
		}
		if i == 0 {
			common = branches
		}
		common = slices.DeleteFunc(common, func(b string) bool { return !slices.Contains(branches, b) })
	}
	switch {
	case len(common) == 0:
		return "", errors.New("rules.yaml names no source branch that all modules of the demo are published from")
	case slices.Contains(common, "main"):
		return "main", nil
	}
	return common[0], nil
}

// tag puts the annotated source tag on HEAD, dated as HEAD is, so that it
// depends on nothing else.
func (r *release) tag(ctx context.Context) error {
	date, err := output(ctx, r.dir, nil, "git", "log", "-1", "--format=%cd", "--date=raw", r.head)
	if err != nil {
		return err
	}
	identity := []string{"GIT_COMMITTER_NAME=Release Demo", "GIT_COMMITTER_EMAIL=demo@example.com", "GIT_COMMITTER_DATE=" + date}
	return show(ctx, r.dir, identity, "git", "tag", "--annotate", "--no-sign", "--message=Release "+sourceTag, sourceTag, r.head)
}
