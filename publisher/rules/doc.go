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
//   - remote: where mirrors are pushed to, see below.
//   - consumers: for which of the tags that it makes a run proves, before it publishes
//     them, that a new module which requires them builds: none; new, which is the
//     default; or all. New are the versions that are newer than what the mirror has of
//     the same minor version, and of a minor version that it does not have, the newest
//     one. A tag that cannot be consumed is withheld, and the run fails; an entry of
//     tags whose constraint leaves it out ends that. This decides when a tag is
//     published, and nothing about what it is.
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
//   - remote: where this mirror is pushed to, see below.
//   - tags: rules for tags of this mirror, beside those for all; see below.
//   - destination-tag-base: a major version such as v2. The mirror then has one
//     more tag for each source tag: v2.36.1 for v1.36.1. It is the same as the
//     entry {constraint: ">=0.0.0-0", name: "v2.{{.Minor}}.{{.Patch}}{{.Suffix}}"}
//     in the rule's tags. (From kcp-dev's fork of publishing-bot.)
//   - taken-over: what somebody else had published in the mirror, see below.
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
//     commit. They may form a circle, see below, but no branch depends on itself.
//     What a mirror's commits may pin is what any of its branches depends on or,
//     by past-dependencies, did.
//   - smoke-test: as for the rule, for this branch alone.
//
// # Tags
//
// Each entry of tags has a constraint on the version of the source tag, in the
// language of github.com/Masterminds/semver/v3, and a name, which is a
// text/template without range and template. A source tag yields one tag per entry
// whose constraint it meets. Source tags that are no versions yield none. Left out,
// tags are:
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
// A mirror has the tags of the file and those of its rule. Only where the file has
// no tags, and the ones above are its default, a rule with tags or a
// destination-tag-base does without them. An empty list, tags: [], is no tags.
//
// Names must differ, and git can hold no name that is a directory of another, such
// as v1.20.0 beside v1.20.0/x. What sample versions show of that is an error here;
// see [RefNames] for the rest.
//
// # Remotes
//
// A mirror may have a remote: the repository on a server that consumers fetch from.
// What the rules say of it is a URL, as a text/template like that of a tag's name:
//
//	remote: https://git.example.org/mirrors/{{.Destination}}.git
//	rules:
//	- destination: client-go
//	- destination: sample-controller
//	  remote: ssh://git@git.example.com/samples/{{.Destination}}
//	- destination: internal
//	  remote: none
//
// The one of the file is for all rules that have none of their own; none in the
// place of a URL is for a mirror that stays on this machine. The schemes are https,
// ssh, git and file. No two mirrors may have one remote. A URL has no password, nor,
// but for ssh, a user name: a rules file is for everyone to read, and credentials are
// given to the publisher itself; see package k8s.io/publisher/credential.
//
// # Taking over
//
// A mirror that some other bot filled is continued on top of what is there. The
// rule says what that is, as nobody with push rights to the mirror can then
// pretend that more of it was there before:
//
//	rules:
//	- destination: client-go
//	  branches:
//	  - name: master
//	    source:
//	      branch: master
//	      dir: staging/src/k8s.io/client-go
//	  ended-branches:
//	  - legacy
//	  taken-over:
//	    branches:
//	    - branch: master
//	      commit: 9a1c4f0d2b3e5a6978c0d1e2f3a4b5c6d7e8f901
//	    - branch: legacy
//	      commit: 04f1b2a3c4d5e6f708192a3b4c5d6e7f8091a2b3
//	    tags: 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
//
// Each entry of branches has a branch, one of the rule's branches or
// ended-branches, and a commit of the mirror, in 40 hexadecimal digits: it and all
// behind it is somebody else's. The order matters: the first is where branches
// without an entry of their own look first for the source commits that trailers name.
// The value of tags is what
//
//	git for-each-ref --format='%(objectname) %(refname)' refs/tags | LC_ALL=C sort | sha256sum
//
// printed when the mirror was taken over; left out, it had no tags. The command
// "publisher rules take-over" writes all of this.
//
// # Circles
//
// Modules may require each other:
//
//	rules:
//	- destination: api
//	  branches:
//	  - name: master
//	    dependencies:
//	    - repository: client
//	      branch: master
//	    source: {branch: master, dir: staging/api}
//	- destination: client
//	  branches:
//	  - name: master
//	    dependencies:
//	    - repository: api
//	      branch: master
//	    source: {branch: master, dir: staging/client}
//
// Two modules cannot name each other's hashes at one commit: each hash would
// depend on the other. So within a circle, a commit on a branch pins a sibling
// to its newest projection among the ancestors of the source commit other than
// itself, which is one change behind where one commit changed both. At a tag, it
// pins the sibling to the tag, and go.sum leaves out the one line that cannot be
// known: the sibling's hash at that tag. The go command adds it, or checks it by the
// checksum database. Siblings outside the circle are pinned as always.
//
// A circle is of destinations: it counts what any of their branches depends on, or
// did. [Rules.Groups] finds them.
//
// # What is not accepted
//
// Unknown fields, anchors, aliases, merge keys and further documents are errors:
// a reader must be able to trust that a line says what it seems to say. Keys of
// publishing-bot and its forks that mean nothing to this publisher (library,
// required-packages, source.repository, publish-script, remove-git-attributes,
// skip-non-semver-tags) are accepted with a warning.
//
// A file must not keep its reader busy either: it has 16 MiB at most, names and
// paths have limits, and so have lists of tag rules. Of very many problems,
// the first hundred are told.
//
// # Editing
//
// [AddBranch] and [RemoveBranch] start and end a branch in all rules at once, and
// [TakeOver] says where mirrors were taken over. They edit the text, not the
// values, so that a review shows only the lines that mean something.
package rules
