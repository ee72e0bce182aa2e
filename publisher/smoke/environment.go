package smoke

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/version"
	"net/url"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// environment is the user's, with settings for the go command that let it find
// the siblings. dir is any folder outside of modules.
//
//   - GOPROXY has the siblings' proxy in front of the user's.
//   - GONOPROXY loses the patterns that would keep siblings away from it.
//   - GONOSUMDB has the siblings' paths too: no checksum database knows them yet.
//   - GOTOOLCHAIN is the Go version that the rules name.
//   - GOWORK is off, lest a go.work in a folder above matters.
func (t *Test) environment(ctx context.Context, dir, proxy string, m modules) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOPROXY", "GONOPROXY", "GONOSUMDB", "GOTOOLCHAIN")
	cmd.Dir = dir
	env := append(slices.DeleteFunc(cmd.Environ(), directsGit), "GOWORK=off")
	cmd.Env = env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var user struct{ GOPROXY, GONOPROXY, GONOSUMDB, GOTOOLCHAIN string }
	if err := json.Unmarshal(out, &user); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	if t.Go != "" {
		env = append(env, "GOTOOLCHAIN="+toolchain(t.Go, user.GOTOOLCHAIN))
	}
	if len(m.siblings) == 0 {
		return env, nil
	}
	direct, private := splitPatterns(user.GONOPROXY, m)
	rest := user.GOPROXY
	if private {
		rest = "direct"
	}
	return append(env,
		"GOPROXY="+(&url.URL{Scheme: "file", Path: proxy}).String()+","+rest,
		"GONOPROXY="+direct,
		"GONOSUMDB="+strings.TrimPrefix(user.GONOSUMDB+","+strings.Join(m.siblings, ","), ","),
	), nil
}

// directsGit reports whether a variable ties git to a repository. There are
// some where the publisher is run by a git hook.
func directsGit(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	switch name {
	case "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE",
		"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE":
		return true
	}
	return false
}

// splitPatterns returns GONOPROXY without the patterns that match siblings.
// private reports whether one of those matches another required module too:
// then no proxy but the siblings' may be used, lest it learns a private name.
func splitPatterns(patterns string, m modules) (kept string, private bool) {
	var keep []string
	for pattern := range strings.SplitSeq(patterns, ",") {
		matches := func(path string) bool { return module.MatchPrefixPatterns(pattern, path) }
		if !slices.ContainsFunc(m.siblings, matches) {
			keep = append(keep, pattern)
			continue
		}
		private = private || slices.ContainsFunc(m.others, matches)
	}
	if kept = strings.Join(keep, ","); kept == "" {
		// An empty value would mean GOPRIVATE.
		kept = "none"
	}
	return kept, private
}

// toolchain returns the GOTOOLCHAIN for a Go version of the rules
// (https://go.dev/doc/toolchain#select). The version is meant: a go.mod that
// asks for a newer one fails the test, since the rules are out of date then.
// Where the user does not want toolchains to be downloaded, none is.
func toolchain(goVersion, user string) string {
	if user == "local" {
		return user
	}
	name := "go" + goVersion
	// From 1.21 on, a version of two numbers is a language's, and the first
	// release is .0.
	if version.Lang(name) == name && version.Compare(name, "go1.21") >= 0 {
		name += ".0"
	}
	if user == "path" || strings.HasSuffix(user, "+path") {
		name += "+path"
	}
	return name
}
