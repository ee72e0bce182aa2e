// Package builder is a place to build modules that nobody vouches for: a sandbox
// ([k8s.io/publisher/sandbox]) with a Go toolchain, and with modules from a proxy.
//
// The go command in it knows nothing of the user's settings, and has none of their
// credentials: its only way out is a [goproxy.Server] on loopback. What that has to
// fetch, the user's go command fetches, outside.
package builder

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/goproxy"
	"k8s.io/publisher/sandbox"
)

// Config is what all places have in common.
type Config struct {
	// Cache is the folder in which is kept what was compiled and fetched. Places of
	// different kinds share nothing. Empty is for what is to leave no trace.
	Cache  string
	Limits sandbox.Limits
	// Isolation says whether places that cannot be isolated will do.
	Isolation sandbox.Isolation
	// Hidden are files and folders with secrets.
	Hidden []string
	// Log may be nil.
	Log *slog.Logger
}

// Place is where modules can be built. It is to be closed.
type Place struct {
	config    Config
	temp      string
	cache     string
	toolchain Toolchain
	own       []string
}

// Open makes a place of a kind, such as smoke.
func (c Config) Open(kind string) (*Place, error) {
	temp, err := os.MkdirTemp("", kind+"-")
	if err != nil {
		return nil, err
	}
	p := &Place{config: c, temp: temp, cache: filepath.Join(temp, "cache")}
	if c.Cache != "" {
		if p.cache, err = filepath.Abs(filepath.Join(c.Cache, kind)); err != nil {
			return nil, errors.Join(err, os.RemoveAll(temp))
		}
	}
	for _, dir := range []string{p.Work(), p.home(), p.Beside(), filepath.Join(p.home(), "tmp"), p.cache} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, errors.Join(err, os.RemoveAll(temp))
		}
	}
	return p, nil
}

// Work is the folder in which commands work, and may write.
func (p *Place) Work() string { return filepath.Join(p.temp, "work") }

// Beside is a folder that commands do not see.
func (p *Place) Beside() string { return filepath.Join(p.temp, "beside") }

func (p *Place) home() string { return filepath.Join(p.temp, "home") }

// Close removes all but what is kept in the cache. Of modules that were handed to it
// by the proxy itself, nothing is kept: no other place will ask for the same versions.
func (p *Place) Close() error {
	var errs []error
	for _, path := range p.own {
		escaped, err := module.EscapePath(path)
		if err != nil {
			continue // The go command has taken nothing of that name.
		}
		dir := filepath.Join(p.modules(), filepath.FromSlash(escaped))
		versions, err := filepath.Glob(filepath.Join(p.modules(), filepath.FromSlash(escaped)) + "@*")
		errs = append(errs, err)
		for _, dir := range append(versions, dir, filepath.Join(p.modules(), "cache", "download", filepath.FromSlash(escaped), "@v")) {
			errs = append(errs, removeAll(dir))
		}
	}
	return errors.Join(append(errs, removeAll(p.temp))...)
}

// Readable returns a text in which files of modules are named without the folder that
// they happen to be in here.
func (p *Place) Readable(text string) string {
	return strings.NewReplacer(p.modules()+"/", "", p.Work()+"/", "").Replace(text)
}

func (p *Place) modules() string { return filepath.Join(p.cache, "mod") }

// removeAll removes a directory even if a command left folders in it that may
// not be written, as the go command makes them.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	walked := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	if walked != nil {
		return errors.Join(err, walked)
	}
	return os.RemoveAll(dir)
}

// Toolchain is a Go toolchain.
type Toolchain struct {
	// GOROOT is its folder, and GOVERSION what it calls itself.
	GOROOT, GOVERSION string
}

// UseToolchain finds the toolchain for a Go version, as in [k8s.io/publisher/rules],
// or where that is empty the one that the go command chooses for a go.mod. The user's
// go command may have to fetch it.
func (p *Place) UseToolchain(ctx context.Context, goVersion string, goMod []byte) (Toolchain, error) {
	dir, err := os.MkdirTemp(p.Beside(), "toolchain-")
	if err != nil {
		return Toolchain{}, err
	}
	env := userEnvironment()
	if goVersion != "" {
		user, err := goEnv(ctx, dir, env)
		if err != nil {
			return Toolchain{}, err
		}
		env = append(env, "GOTOOLCHAIN="+toolchain(goVersion, user["GOTOOLCHAIN"]))
	} else if goMod := chooser(goMod); goMod != nil {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), goMod, 0o666); err != nil {
			return Toolchain{}, err
		}
	}
	found, err := goEnv(ctx, dir, env)
	if err != nil {
		return Toolchain{}, fmt.Errorf("find a Go toolchain: %w", err)
	}
	p.toolchain = Toolchain{found["GOROOT"], found["GOVERSION"]}
	return p.toolchain, nil
}

// chooser returns of a go.mod what the go command chooses a toolchain by; nil where
// that is nothing.
func chooser(goMod []byte) []byte {
	file, err := modfile.ParseLax("go.mod", goMod, nil)
	if err != nil || file.Go == nil {
		return nil
	}
	text := "module chooser\n\ngo " + file.Go.Version + "\n"
	if file.Toolchain != nil {
		text += "\ntoolchain " + file.Toolchain.Name + "\n"
	}
	return []byte(text)
}

func goEnv(ctx context.Context, dir string, env []string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOROOT", "GOVERSION", "GOTOOLCHAIN")
	cmd.Dir, cmd.Env = dir, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if _, ran := errors.AsType[*exec.ExitError](err); ran {
		return nil, fmt.Errorf("go env: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var found map[string]string
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return found, nil
}

// userEnvironment is the user's own, for what works with their settings outside of the
// sandbox, without what ties it to a repository, a work space or a module.
func userEnvironment() []string {
	return append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE",
			"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE":
			return true
		}
		return false
	}), "GOWORK=off", "GOFLAGS=")
}

// toolchain returns the GOTOOLCHAIN for a Go version of the rules
// (https://go.dev/doc/toolchain#select). The version is meant: a go.mod that
// asks for a newer one fails, since the rules are out of date then.
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

// Modules are those that commands in a place can have.
type Modules struct {
	// Dir has module versions, as [goproxy.Writer] writes them, and Own are the paths
	// of the modules in it.
	Dir string
	Own []string
	// Only tells that there are no versions of Own but those in Dir.
	Only bool
}

// Command is what to run in a place.
type Command struct {
	// Args are the program, which is looked for where the publisher's are, and its
	// arguments. The program go is the toolchain's.
	Args []string
	// Dir is the folder to run it in, and in Work.
	Dir string
	// Env are variables to be added.
	Env []string
	// Readable are further folders that it needs.
	Readable []string
	Output   io.Writer
	Modules  Modules
}

// FetchError reports that modules could not be fetched. That is no fault of what is
// built: maybe the network's, or that of the user's settings.
type FetchError struct{ Err error }

func (e *FetchError) Error() string { return fmt.Sprintf("modules could not be fetched: %v", e.Err) }
func (e *FetchError) Unwrap() error { return e.Err }

// Run runs a command. The error is a [*FetchError] where it failed, and modules could
// not be fetched while it ran; else it is as of [sandbox.Run].
func (p *Place) Run(ctx context.Context, c Command) error {
	p.own = append(p.own, c.Modules.Own...)
	program := filepath.Join(p.toolchain.GOROOT, "bin", "go")
	if c.Args[0] != "go" {
		var err error
		if program, err = exec.LookPath(c.Args[0]); err != nil {
			return err
		}
	}
	proxy := &goproxy.Server{
		Dir: c.Modules.Dir, Own: func(path string) bool { return c.Modules.Only && slices.Contains(c.Modules.Own, path) },
		Upstream: &goproxy.GoCommand{Dir: p.Beside(), Env: userEnvironment()},
	}
	err := sandbox.Run(ctx, sandbox.Command{
		Args: append([]string{program}, c.Args[1:]...), Dir: c.Dir, Env: append(p.environment(), c.Env...), Output: c.Output,
		Limits: p.config.Limits, Isolation: p.config.Isolation, Hidden: p.config.Hidden,
		Writable: []string{p.Work(), p.home(), p.cache}, Readable: append(slices.Clone(c.Readable), p.toolchain.GOROOT),
		Serve: func(l net.Listener) []string {
			// Without namespaces, whoever is on this machine could ask.
			secret := "/" + rand.Text()
			server := &http.Server{Handler: http.StripPrefix(secret, proxy), ErrorLog: slog.NewLogLogger(p.log().Handler(), slog.LevelDebug)}
			go func() { _ = server.Serve(l) }()
			return []string{"GOPROXY=http://" + l.Addr().String() + secret}
		},
	})
	if failures := proxy.Failures(); err != nil && len(failures) > 0 && ctx.Err() == nil {
		return &FetchError{errors.Join(append(failures, err)...)}
	}
	return err
}

func (p *Place) log() *slog.Logger { return cmp.Or(p.config.Log, slog.New(slog.DiscardHandler)) }

// environment is all that a command knows, but for the proxy.
//
//   - GOSUMDB is off: what comes from elsewhere was checked when the user's go command
//     fetched it, and no database knows yet what is on its way.
//   - GOTOOLCHAIN is local, as the toolchain was chosen before.
//   - Nothing is fetched from version control, and no file of settings is read.
//   - The go command keeps no index of modules: it would take it for that of another
//     module of the same version, which can be where neither is published.
func (p *Place) environment() []string {
	return []string{
		"PATH=" + filepath.Join(p.toolchain.GOROOT, "bin") + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"HOME=" + p.home(), "TMPDIR=" + filepath.Join(p.home(), "tmp"), "LANG=C.UTF-8",
		"GOENV=off", "GOWORK=off", "GOFLAGS=-modcacherw", "GOTOOLCHAIN=local",
		"GOSUMDB=off", "GOPRIVATE=", "GONOPROXY=none", "GONOSUMDB=*", "GOVCS=*:off", "GOAUTH=off", "GODEBUG=goindex=0",
		"GOPATH=" + filepath.Join(p.home(), "go"), "GOMODCACHE=" + p.modules(), "GOCACHE=" + filepath.Join(p.cache, "build"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
	}
}
