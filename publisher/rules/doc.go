// Package rules is the format of rules.yaml: which directory of which source
// branch is published to which mirror, and how its tags are named.
//
// # The file
//
// A rules file is one YAML document. Files written for kubernetes/publishing-bot
// load unchanged.
//
//	recursive-delete-patterns:
//	- BUILD
//	- "*/BUILD"
//	default-go-version: 1.26.0
//	rules:
//	- destination: apimachinery
//	  branches:
//	  - name: master
//	    source:
//	      branch: master
//	      dirs:
//	      - staging/src/k8s.io/apimachinery
//	- destination: client-go
//	  branches:
//	  - name: master
//	    dependencies:
//	    - repository: apimachinery
//	      branch: master
//	    source:
//	      branch: master
//	      dirs:
//	      - staging/src/k8s.io/client-go
//	    smoke-test: |
//	      go build ./...
//	  ended-branches:
//	  - release-1.0
//
// # The whole file
//
//   - rules: the mirrors, in any order. Required.
//   - skip-source-branches: source branches that nothing is published from,
//     whatever the rules below say.
//   - skip-gomod: when true, go.mod and go.sum are published as they are in the
//     source.
//   - skip-tags: when true, no tags are published.
//   - recursive-delete-patterns: files that no mirror gets, as pathspecs of git
//     relative to the published directory (see gitglossary(7)). A star matches
//     slashes too, so "*/BUILD" is a BUILD file at any depth but the top. The
//     magic words top, literal, glob, icase and exclude are understood.
//   - default-go-version: the Go version of branches that name none, as in
//     "go version" but without the go in front: 1.26.0, 1.20 or 1.27rc1.
//   - trailer: the key of the commit message trailer that holds the source
//     commit's hash. Kubernetes-commit unless said otherwise. Changing it makes
//     commits that were published before unrecognisable.
//   - tags: which tags a source tag yields, see below.
//   - committer: name and email of the publisher itself, for commits and tags
//     that stand for no source commit. Mirror Publisher
//     <publisher@localhost> unless said otherwise.
//
// # A rule
//
//   - destination: the mirror's name, and the directory it lives in, so slashes
//     are allowed: "client-go" or "org/client-go". Required; unique.
//   - branches: the branches of the mirror that follow the source.
//   - ended-branches: names of branches that were published once and stay as
//     they are. A branch moves here from branches when its release reaches the
//     end of its life.
//   - past-dependencies: destinations that ended branches depended on. Commits
//     that other branches share with those may pin them, and have to stay as
//     they are. A destination that a branch depends on need not be here.
//   - skipped: when true, the mirror is left alone. Nothing else can depend on
//     it then.
//   - smoke-test: a shell script that must succeed in a check-out of any of the
//     mirror's branches.
//
// # A branch
//
//   - name: the branch's name in the mirror. Required; unique in the rule.
//   - source: where it comes from. Its branch is required. Its dirs are
//     directories of the source repository, with slashes and without a
//     slash at either end; dir is the older way to give just one. Without
//     either, the whole repository is published.
//   - go: the Go version to use where it is not the default one.
//   - dependencies: the mirror branches that this one's go.mod names. Each has a
//     repository, which is the destination of a rule, and a branch, which must be built from
//     the same source branch as this one: the two are pinned at one source
//     commit. They must not form a circle. What a mirror's commits may pin is
//     what any of its branches depends on or, by past-dependencies, did.
//   - smoke-test: as for the rule, for this branch alone.
//
// # Tags
//
// Each entry of tags has a constraint on the version of the source tag, in the
// language of github.com/Masterminds/semver/v3, and a name, which is a
// text/template. A source tag yields one tag per entry whose constraint it
// meets. Left out, tags are:
//
//	tags:
//	- constraint: ">=1.8.0-0"
//	  name: kubernetes-{{.Version}}
//	- constraint: ">=1.17.0-0"
//	  name: v0.{{.Minor}}.{{.Patch}}{{.Suffix}}
//
// A constraint without a pre-release, such as >=1.8.0, is met by no pre-release;
// the -0 above lets them in. See [TagVersion] for the template's fields. For the tag
// v1.36.0-rc.1+build.7, .Version is 1.36.0-rc.1+build.7, .Suffix is
// -rc.1+build.7, .Prerelease is rc.1 and .Metadata is build.7.
//
// # What is not accepted
//
// Unknown fields, anchors, aliases, merge keys and further documents are errors:
// a reader must be able to trust that a line says what it seems to say. Keys of
// publishing-bot that mean nothing to this publisher (library,
// required-packages, source.repository, publish-script, remove-git-attributes)
// are accepted with a warning.
//
// # Editing
//
// [AddBranch] and [RemoveBranch] start and end a branch in all rules at once.
// They edit the text, not the values, so that a review shows only the lines
// that mean something.
package rules
