package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// inScratch is the argument by which the go command starts this program, to start a
// test binary.
const inScratch = "-in-scratch"

// runInScratch starts a test binary in the scratch directory of its package. It
// returns only if that fails.
func runInScratch(root string, command []string) error {
	// The go command has changed to the package's directory; it says in which it is.
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	module, err := os.ReadFile(filepath.Join(root, "module"))
	if err != nil {
		return err
	}
	name, err := filepath.Rel(string(module), wd)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, name)
	if err := os.Chdir(dir); err != nil {
		return err
	}
	if err := os.Setenv("PWD", dir); err != nil {
		return err
	}
	return fmt.Errorf("starting %s: %w", command[0], syscall.Exec(command[0], command, os.Environ()))
}

// run runs all tests. It returns what came of each, and what did not run.
func (s *suite) run(ctx context.Context, m module, public, scratch string) (results []result, missing []string, err error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, content := range s.overlay() {
		source := filepath.Join(scratch, "sources", fmt.Sprintf("%d_test.go", len(overlay.Replace)))
		if err := writeFile(source, content); err != nil {
			return nil, nil, err
		}
		overlay.Replace[file] = source
	}
	content, err := json.Marshal(overlay)
	if err != nil {
		return nil, nil, err
	}
	overlayFile := filepath.Join(scratch, "overlay.json")
	if err := writeFile(overlayFile, content); err != nil {
		return nil, nil, err
	}
	work := filepath.Join(scratch, "work")
	if err := s.writeTestdata(work, public); err != nil {
		return nil, nil, fmt.Errorf("copying testdata: %w", err)
	}
	if err := writeFile(filepath.Join(work, "module"), []byte(m.dir)); err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}

	args := []string{"test", "-json", "-vet=off", "-timeout=5m", "-overlay=" + overlayFile, "-exec=" + strings.Join([]string{self, inScratch, work}, " ")}
	for _, name := range s.names() {
		args = append(args, "./"+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = m.dir, m.env(), os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	c := newCollector()
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		if err := c.add(scanner.Bytes()); err != nil {
			return nil, nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return nil, nil, err
	} else if missing, err = c.missing(s, err != nil); err != nil {
		return nil, nil, err
	}
	return c.all(), missing, nil
}

// writeTestdata makes a directory for each package, and copies the public module's
// testdata to where its tests look for it.
func (s *suite) writeTestdata(to, public string) error {
	for _, name := range s.names() {
		if err := os.MkdirAll(filepath.Join(to, name), 0o777); err != nil {
			return err
		}
	}
	return filepath.WalkDir(public, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "testdata" {
			return err
		}
		name, err := filepath.Rel(public, dir)
		if err != nil {
			return err
		}
		if err := os.CopyFS(filepath.Join(to, name), os.DirFS(dir)); err != nil {
			return err
		}
		return fs.SkipDir
	})
}

func writeFile(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o666)
}
