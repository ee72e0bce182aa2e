package controlplane

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Binaries that [Build] makes.
const (
	Etcd      = "etcd"
	APIServer = "kube-apiserver"
	Kubectl   = "kubectl"
)

// binEnv names a directory with ready binaries.
const binEnv = "CONTROLPLANE_BIN"

// binaries finds or makes what a control plane runs.
func binaries(ctx context.Context, opts Options) (dir string, err error) {
	dir = opts.BinDir
	if dir == "" {
		dir = os.Getenv(binEnv)
	}
	if dir == "" {
		return Build(ctx, opts.Log, Etcd, APIServer)
	}
	for _, name := range []string{Etcd, APIServer} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("%w: put %s there, or unset %s to have it built", err, name, binEnv)
		}
	}
	return dir, nil
}

// Build builds the binaries named that are missing or older than their module
// (hack/e2e/controlplane/binaries, which is looked for in the working directory and
// those above), into bin/controlplane of the same repository, and returns that
// directory.
//
// kube-apiserver takes minutes and more than 2 GB of memory to build where the go
// command has nothing of it in its cache. log, which may be nil, is told what is
// built.
func Build(ctx context.Context, log io.Writer, names ...string) (dir string, err error) {
	if log == nil {
		log = io.Discard
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	source := filepath.Join(root, "hack", "e2e", "controlplane", "binaries")
	dir = filepath.Join(root, "bin", "controlplane")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Tests of several packages may want them at the same time.
	unlock, err := lockFile(filepath.Join(dir, lockName), true)
	if err != nil {
		return "", err
	}
	defer unlock()
	for _, name := range names {
		if err := build(ctx, log, source, dir, name); err != nil {
			return "", fmt.Errorf("build %s: %w", name, err)
		}
	}
	return dir, nil
}

func build(ctx context.Context, log io.Writer, source, dir, name string) error {
	want, err := fingerprint(source, name)
	if err != nil {
		return err
	}
	binary, stamp := filepath.Join(dir, name), filepath.Join(dir, name+".stamp")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want && exists(binary) {
		return nil
	}
	fmt.Fprintf(log, "building %s in %s\n", name, source)
	args := []string{"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-o", binary}
	args = append(args, "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion="+kubernetesVersion(source))
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+name)...)
	cmd.Dir = source
	// Flags that are meant for what is tested must not reach what it is tested with.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, &output), io.MultiWriter(log, &output)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", source, err, output.Bytes())
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// fingerprint tells of everything that decides what a binary is: its sources and
// the pinned modules, and the toolchain.
func fingerprint(source, name string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	files, err := filepath.Glob(filepath.Join(source, name, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range append(files, filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum")) {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", filepath.Base(file), len(data), data)
	}
	return fmt.Sprintf("%x\n", sum.Sum(nil)), nil
}

var requirement = regexp.MustCompile(`(?m)^\s*(?:require )?k8s\.io/kubernetes (v\S+)`)

// kubernetesVersion is the release that the module pins.
func kubernetesVersion(source string) string {
	data, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if m := requirement.FindSubmatch(data); err == nil && m != nil {
		return string(m[1])
	}
	return "v0.0.0"
}

// repository is the root of the repository that the working directory is in.
func repository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "hack", "e2e", "controlplane", "binaries", "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory") {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no hack/e2e/controlplane/binaries in %s or above: run inside the repository, or set %s to a directory with %s and %s", start, binEnv, Etcd, APIServer)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
