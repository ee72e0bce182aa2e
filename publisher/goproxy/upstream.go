package goproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/module"
)

// GoCommand is the upstream that the user's go command has: it fetches what it is
// asked for with the user's settings and credentials, checks it against the
// checksum database that they name, and keeps it in the user's module cache.
type GoCommand struct {
	// Dir is a folder outside of modules, which takes answers.
	Dir string
	// Env is the user's environment.
	Env []string

	mu    sync.Mutex
	cache string
}

// goModule is what the go command prints about a module.
type goModule struct {
	Path, Version         string
	Info, GoMod, Zip, Dir string
	Time                  *string
	Versions              []string
	Error                 json.RawMessage
}

// File implements [Upstream].
func (g *GoCommand) File(ctx context.Context, path, version, ext string) (string, error) {
	if name, err := g.cached(ctx, path, version, ext); name != "" || err != nil {
		return name, err
	}
	switch {
	case version == "list":
		m, err := g.ask(ctx, path, version, "list", "-m", "-versions", "-json", path)
		if err != nil {
			return "", err
		}
		return g.answer("list-*", []byte(strings.Join(append(m.Versions, ""), "\n")))
	case ext == ".zip":
		m, err := g.ask(ctx, path, version, "mod", "download", "-json", path+"@"+version)
		return m.Zip, err
	}
	query := version
	if version == "@latest" {
		query = "latest"
	}
	m, err := g.ask(ctx, path, version, "list", "-m", "-json", path+"@"+query)
	if err != nil {
		return "", err
	}
	if ext == ".mod" {
		return m.GoMod, nil
	}
	info, err := json.Marshal(struct {
		Version string
		Time    *string `json:",omitempty"`
	}{m.Version, m.Time})
	if err != nil {
		return "", err
	}
	return g.answer("info-*", info)
}

// cached finds what the user's module cache has. Versions never change.
func (g *GoCommand) cached(ctx context.Context, path, version, ext string) (string, error) {
	if ext == "" || version != module.CanonicalVersion(version) {
		return "", nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cache == "" {
		out, err := g.run(ctx, "env", "GOMODCACHE")
		if err != nil {
			return "", err
		}
		g.cache = strings.TrimSpace(string(out))
	}
	escapedPath, err := module.EscapePath(path)
	if err != nil {
		return "", err
	}
	escapedVersion, err := module.EscapeVersion(version)
	if err != nil {
		return "", err
	}
	name := filepath.Join(g.cache, "cache", "download", filepath.FromSlash(escapedPath), "@v", escapedVersion+ext)
	if _, err := os.Stat(name); err == nil {
		// The go command lays a checksum beside each zip that it has checked.
		if _, err := os.Stat(strings.TrimSuffix(name, ext) + ".ziphash"); err == nil || ext != ".zip" {
			return name, nil
		}
	}
	return "", nil
}

func (g *GoCommand) answer(pattern string, data []byte) (name string, err error) {
	f, err := os.CreateTemp(g.Dir, pattern)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	return f.Name(), errors.Join(err, f.Close())
}

// ask runs the go command for a module.
func (g *GoCommand) ask(ctx context.Context, path, version string, args ...string) (m goModule, err error) {
	out, err := g.run(ctx, args...)
	if err != nil {
		err = fmt.Errorf("fetch %s@%s: %w", path, version, err)
		if said := strings.ToLower(err.Error()); slices.ContainsFunc(unknowns, func(words string) bool { return strings.Contains(said, words) }) {
			err = &UnknownError{path, version, err}
		}
		return m, err
	}
	if err := json.Unmarshal(out, &m); err != nil {
		return m, fmt.Errorf("fetch %s@%s: %w", path, version, err)
	}
	return m, nil
}

// unknowns are what the go command says of modules that nobody has.
var unknowns = []string{
	"404 not found", "410 gone", "unknown revision", "no matching versions", "unrecognized import path", "invalid version",
	"malformed module path", "not found: module",
}

func (g *GoCommand) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = g.Dir
	cmd.Env = append(slices.Clone(g.Env), "GOWORK=off", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	said := strings.TrimSpace(stderr.String())
	// With -json, go mod download says it there.
	var m struct{ Error string }
	if json.Unmarshal(out, &m) == nil && m.Error != "" {
		said = m.Error
	}
	return nil, fmt.Errorf("go %s: %w: %s", args[0], err, said)
}
