package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

const path = "k8s.io/client-go"

// A module is the staged one, with the go.work file to build it with.
type module struct {
	dir, workspace string
}

func (m module) env() []string {
	return append(os.Environ(), "GOWORK="+m.workspace, "GOFLAGS=")
}

// locate returns the directory of the public module that a go.mod requires.
func locate(ctx context.Context, modfile string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-modfile="+modfile, "-json", path)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := output(cmd)
	if err != nil {
		return "", err
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(out, &m); err != nil {
		return "", fmt.Errorf("reading what the go command says of %s: %w", path, err)
	}
	if _, err := os.Stat(m.Dir); err != nil {
		return "", err
	}
	return m.Dir, nil
}

// output runs a command. Its error has what the command said.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd.Args, err, stderr.Bytes())
	}
	return out, nil
}

// writeWorkspace writes a go.work file that has what is in another one, and a
// module that requires what the public module does: its tests import more than the
// staged module needs.
func writeWorkspace(ctx context.Context, file, original, public string) error {
	content, err := os.ReadFile(original)
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork(original, content, nil)
	if err != nil {
		return err
	}
	base, err := filepath.Abs(filepath.Dir(original))
	if err != nil {
		return err
	}
	var uses []*modfile.Use
	for _, use := range work.Use {
		uses = append(uses, &modfile.Use{Path: filepath.Join(base, use.Path)})
	}
	requirements := filepath.Join(filepath.Dir(file), "requirements")
	uses = append(uses, &modfile.Use{Path: requirements})
	work.SetUse(uses)
	if err := os.WriteFile(file, modfile.Format(work.Syntax), 0o666); err != nil {
		return err
	}

	content, err = os.ReadFile(filepath.Join(public, "go.mod"))
	if err != nil {
		return err
	}
	mod, err := modfile.Parse("go.mod", content, nil)
	if err != nil {
		return err
	}
	if err := mod.AddModuleStmt("requirements"); err != nil {
		return err
	}
	if content, err = mod.Format(); err != nil {
		return err
	}
	if err := os.Mkdir(requirements, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(requirements, "go.mod"), content, 0o666); err != nil {
		return err
	}
	// Without these, the go command would ask the network about hashes that are known.
	for to, from := range map[string]string{
		filepath.Join(requirements, "go.sum"): filepath.Join(public, "go.sum"),
		file + ".sum":                         original + ".sum",
	} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, content, 0o666); err != nil {
			return err
		}
	}
	return ctx.Err()
}
