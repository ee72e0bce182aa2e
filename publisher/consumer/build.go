package consumer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/git"
	"k8s.io/publisher/sandbox"
)

// platform is what is built for, wherever that is done.
const platform = "linux/amd64"

// environment are the variables of all builds. Without cgo, no C compiler matters,
// and nothing of the release is executed.
var environment = []string{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly -modcacherw -trimpath", "GOEXPERIMENT="}

// importPath is the consumer's. Nobody can have a module of that name.
const importPath = "consumer.invalid/consumer"

// build resolves and builds the consumer, and returns the end of what was said.
func (c *consumer) build(ctx context.Context) (said string, err error) {
	goMod, err := c.ownGoMod()
	if err != nil {
		return "", err
	}
	goSum, err := c.ownGoSum()
	if err != nil {
		return "", err
	}
	files := map[string][]byte{"go.mod": goMod, "go.sum": goSum, "consumer.go": []byte("package consumer\n")}
	dir, err := c.prover.write(files)
	if err != nil {
		return "", err
	}
	// Which packages there are to import. Those that cannot be loaded are told of
	// when they are built.
	all := c.release.Module.Path + "/..."
	listed, said, err := c.prover.run(ctx, dir, c, "list", "-e", "-f", `{{if not .Error}}package {{.Name}} {{.ImportPath}}{{end}}`, all)
	if err != nil {
		return said, err
	}
	var source strings.Builder
	source.WriteString("// Package consumer imports all that can be imported.\npackage consumer\n\n")
	for line := range strings.Lines(listed) {
		word := strings.Fields(line)
		if len(word) == 3 && word[0] == "package" && word[1] != "main" && !internal(word[2]) {
			fmt.Fprintf(&source, "import _ %q\n", word[2])
		}
	}
	files["consumer.go"] = []byte(source.String())
	if dir, err = c.prover.write(files); err != nil {
		return "", err
	}
	_, said, err = c.prover.run(ctx, dir, c, "build", ".", all)
	return said, err
}

func internal(path string) bool {
	elements := strings.Split(path, "/")
	return slices.Contains(elements, "internal") || slices.Contains(elements, "vendor")
}

// ownGoMod is the consumer's go.mod. As modules do from Go 1.17 on, it lists what its
// dependency requires.
func (c *consumer) ownGoMod() ([]byte, error) {
	file := new(modfile.File)
	if err := file.AddModuleStmt(importPath); err != nil {
		return nil, err
	}
	goVersion := "1.16" // what a go.mod that does not say means
	// The go command will say what is wrong with one that cannot be read.
	if theirs, err := modfile.ParseLax("go.mod", c.goMod, nil); err == nil {
		if theirs.Go != nil {
			goVersion = theirs.Go.Version
		}
		for _, r := range theirs.Require {
			file.AddNewRequire(r.Mod.Path, r.Mod.Version, true)
		}
	}
	if err := file.AddGoStmt(goVersion); err != nil {
		return nil, err
	}
	if err := file.AddRequire(c.release.Module.Path, c.release.Module.Version); err != nil {
		return nil, err
	}
	return file.Format()
}

// ownGoSum is the consumer's go.sum: that of the release, and the lines that this
// cannot have.
func (c *consumer) ownGoSum() ([]byte, error) {
	sum := slices.Clone(c.goSum)
	if len(sum) > 0 && !bytes.HasSuffix(sum, []byte("\n")) {
		sum = append(sum, '\n')
	}
	circle, err := c.circle()
	if err != nil {
		return nil, err
	}
	for _, m := range circle {
		h, err := c.prover.hash(m)
		if err != nil {
			return nil, err
		}
		for _, line := range []string{fmt.Sprintf("%s %s %s\n", m.Path, m.Version, h.zip), fmt.Sprintf("%s %s/go.mod %s\n", m.Path, m.Version, h.goMod)} {
			// One that is there is to be right.
			if name := line[:strings.LastIndexByte(line, ' ')+1]; !slices.ContainsFunc(bytes.Split(sum, []byte("\n")), func(have []byte) bool { return bytes.HasPrefix(have, []byte(name)) }) {
				sum = append(sum, line...)
			}
		}
	}
	return sum, nil
}

// circle returns the release, and the siblings that require it, directly or not: their
// hashes depend on its own, so its go.sum cannot have them.
func (c *consumer) circle() ([]module.Version, error) {
	requires := make(map[module.Version][]module.Version)
	for _, m := range c.found.Siblings {
		data, err := c.prover.offer.File(m, "go.mod")
		if err != nil {
			return nil, err
		}
		if file, err := modfile.ParseLax("go.mod", data, nil); err == nil {
			for _, r := range file.Require {
				requires[m] = append(requires[m], r.Mod)
			}
		}
	}
	in := []module.Version{c.release.Module}
	for again := true; again; {
		again = false
		for _, m := range c.found.Siblings {
			if !slices.Contains(in, m) && slices.ContainsFunc(requires[m], func(on module.Version) bool { return slices.Contains(in, on) }) {
				in, again = append(in, m), true
			}
		}
	}
	return in, nil
}

// write writes a module anew, at the same place each time: there the go command finds
// what it has compiled.
func (p *Prover) write(files map[string][]byte) (dir string, err error) {
	dir = filepath.Join(p.place.Work(), "consumer")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// run runs the go command for a consumer, or for nobody. It returns what was written,
// and the end of it fit to be printed.
func (p *Prover) run(ctx context.Context, dir string, c *consumer, args ...string) (out, said string, err error) {
	var written bytes.Buffer
	command := builder.Command{Args: append([]string{"go"}, args...), Dir: dir, Env: environment, Output: &written}
	if c != nil {
		command.Modules = builder.Modules{Dir: p.offer.Dir(), Only: true}
		for _, m := range c.found.Siblings {
			command.Modules.Own = append(command.Modules.Own, m.Path)
		}
	}
	err = p.place.Run(ctx, command)
	return written.String(), p.place.Readable(lastLines(written.Bytes())), err
}

// mostLines is how much of what the go command says is told.
const mostLines = 30

func lastLines(text []byte) string {
	var last []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if last = append(last, git.Printable(lines.Text())); len(last) > mostLines {
			last = last[1:]
		}
	}
	return strings.Join(last, "\n")
}

// ofMachine returns what may have been this machine's fault when a build failed; nil
// where it is the release's for sure.
func (p *Prover) ofMachine(ctx context.Context, said string, err error) error {
	exit, ok := errors.AsType[*sandbox.ExitError](err)
	_, lacked := errors.AsType[*builder.FetchError](err)
	if !ok || !exit.Exited() || lacked || ctx.Err() != nil {
		return err
	}
	with := func(err error) error {
		return fmt.Errorf("%w, says the go command\n\t%s", err, strings.ReplaceAll(said, "\n", "\n\t"))
	}
	if git.TellsOfFault(said) {
		return with(errors.New("the system failed it"))
	}
	for _, words := range []string{"GOTOOLCHAIN=local", "signal: killed", "fatal error: runtime", "internal compiler error"} {
		if strings.Contains(said, words) {
			return with(errors.New("that may be the toolchain's fault, or this machine's"))
		}
	}
	// It has to be compiled, as it never was before.
	dir, failed := p.write(map[string][]byte{
		"go.mod":  []byte("module " + importPath + "\n\ngo 1.16\n"),
		"main.go": fmt.Appendf(nil, "package main\n\nfunc main() { println(%q) }\n", p.place.Work()),
	})
	if failed == nil {
		_, said, failed = p.run(ctx, dir, nil, "build", "-o", os.DevNull, ".")
	}
	if failed != nil {
		return with(fmt.Errorf("nothing can be built here, whatever it is: %w", failed))
	}
	return nil
}
