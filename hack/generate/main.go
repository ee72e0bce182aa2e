// Command generate writes the generated code of the staged client-go: the apply
// configurations, the clientset, a list of its kinds, the listers and informers, and the deep
// copies, conversions, defaults and model names of the file formats that it reads, and what the
// comments of aliases say about their types. `make generate` runs it.
//
// Generators are tools of this module, so go.mod says which versions write the
// code. Those of helper functions are Kubernetes' own; applyconfiguration-gen,
// client-gen, lister-gen and informer-gen, in the directories of these names, say what
// they do otherwise. All run in the staged module, which says by its own go.mod which
// k8s.io/api the clients are for. What sample-controller has is written by Kubernetes' own
// alone, as that of any custom resource is.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const module = "k8s.io/client-go"

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: generate [flags] [applyconfigurations | clients | builtin | listers | informers | formats | sample | aliases]...")
		flag.PrintDefaults()
	}
	staged := flag.String("staged", "../../staging/src/k8s.io/client-go", "`directory` of the staged client-go")
	verbose := flag.Bool("v", false, "print the commands")
	flag.Parse()
	if err := run(*staged, flag.Args(), *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run writes the named parts, all of them where none is named.
func run(staged string, parts []string, verbose bool) error {
	staged, err := filepath.Abs(staged)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "generate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	g := &generation{staged: staged, tools: scratch, verbose: verbose}
	g.boilerplate, err = filepath.Abs("boilerplate.go.txt")
	if err != nil {
		return err
	}
	if err := g.buildTools(); err != nil {
		return err
	}
	all := []struct {
		name  string
		write func() error
	}{
		{"applyconfigurations", g.applyConfigurations},
		{"clients", g.clients},
		{"builtin", g.builtin},
		{"listers", g.listers},
		{"informers", g.informers},
		{"formats", g.formats},
		{"sample", g.sample},
		{"aliases", g.aliases},
	}
	for _, part := range all {
		if len(parts) > 0 && !slices.Contains(parts, part.name) {
			continue
		}
		if err := part.write(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// A generation is one run of the generators over the staged module.
type generation struct {
	staged      string // the module that is written
	tools       string // where the generators are built
	boilerplate string // what every generated file begins with
	verbose     bool
}

func (g *generation) buildTools() error {
	stock := filepath.Join(g.tools, "stock")
	if err := os.Mkdir(stock, 0o700); err != nil {
		return err
	}
	for dir, packages := range map[string][]string{
		g.tools: {
			"./applyconfiguration-gen", "./client-gen", "./lister-gen", "./informer-gen", "./alias-doc",
			"k8s.io/code-generator/cmd/conversion-gen",
			"k8s.io/code-generator/cmd/deepcopy-gen",
			"k8s.io/code-generator/cmd/defaulter-gen",
			"k8s.io/kube-openapi/cmd/openapi-gen",
			"k8s.io/kubernetes/pkg/generated/openapi/cmd/models-schema",
		},
		stock: { // of the same names
			"k8s.io/code-generator/cmd/applyconfiguration-gen",
			"k8s.io/code-generator/cmd/client-gen",
			"k8s.io/code-generator/cmd/informer-gen",
			"k8s.io/code-generator/cmd/lister-gen",
		},
	} {
		build := exec.Command("go", append([]string{"build", "-o", dir + "/"}, packages...)...)
		build.Env = append(os.Environ(), "GOWORK=off")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building the generators: %w", err)
		}
	}
	return nil
}

// tool runs a generator in the staged module and returns what it prints.
func (g *generation) tool(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(g.tools, name), args...)
	cmd.Dir = g.staged
	// The generators load packages with the go command, where the module
	// stands by itself. What they write may not compile before the last of
	// them has run, nor may it ask for new requirements.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	cmd.Stderr = os.Stderr
	if g.verbose {
		fmt.Fprintln(os.Stderr, "+", name, strings.Join(args, " "))
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out.Bytes(), nil
}

// applyConfigurations writes applyconfigurations/. Which fields are the keys of
// a list, and which ones are atomic, comes from the server's OpenAPI models.
func (g *generation) applyConfigurations() error {
	schema, err := g.schema(nil)
	if err != nil {
		return err
	}
	inputs, err := g.apiPackages("types.go", "")
	if err != nil {
		return err
	}
	for _, dir := range []string{"applyconfigurations", "internal/applyconfigurations"} {
		if err := g.removeGenerated(dir, "applyconfiguration-gen"); err != nil {
			return err
		}
	}
	args := []string{
		"--openapi-schema", schema,
		"--go-header-file", g.boilerplate,
		"--output-dir", filepath.Join(g.staged, "applyconfigurations"),
		"--output-pkg", module + "/applyconfigurations",
	}
	args = append(args, inputs...)
	_, err = g.tool("applyconfiguration-gen", append(args, "k8s.io/apimachinery/pkg/apis/meta/v1")...)
	return err
}

// schema writes a file with the OpenAPI models of the built-in types, and others, and
// returns its name.
func (g *generation) schema(others map[string]any) (string, error) {
	builtin, err := g.tool("models-schema")
	if err != nil {
		return "", err
	}
	var document map[string]any
	if err := json.Unmarshal(builtin, &document); err != nil {
		return "", fmt.Errorf("reading the models of built-in types: %w", err)
	}
	maps.Copy(document["definitions"].(map[string]any), others)
	content, err := json.Marshal(document)
	if err != nil {
		return "", err
	}
	file := filepath.Join(g.tools, "schema.json")
	return file, os.WriteFile(file, content, 0o600)
}

// clients writes kubernetes/, a client for each group and version that has a
// type marked for one.
func (g *generation) clients() error {
	inputs, err := g.apiPackages("types.go", "+genclient")
	if err != nil {
		return err
	}
	if err := g.removeGenerated("kubernetes", "client-gen"); err != nil {
		return err
	}
	args := []string{
		"--go-header-file", g.boilerplate,
		"--output-dir", g.staged,
		"--output-pkg", module,
		"--clientset-name", "kubernetes",
		"--input-base", "k8s.io/api",
		"--plural-exceptions", plurals,
		"--apply-configuration-package", module + "/applyconfigurations",
		"--prefers-protobuf",
	}
	slices.SortStableFunc(inputs, byStability)
	for _, input := range inputs {
		if slices.Contains(notServed, strings.TrimPrefix(input, "k8s.io/api/")) {
			continue
		}
		args = append(args, "--input", strings.TrimPrefix(input, "k8s.io/api/"))
	}
	_, err = g.tool("client-gen", args...)
	return err
}

// plurals are those that no rule gives.
const plurals = "Endpoints:Endpoints"

// listers writes listers/, one for each type that is marked for a client.
func (g *generation) listers() error {
	inputs, err := g.apiPackages("types.go", "+genclient")
	if err != nil {
		return err
	}
	if err := g.removeGenerated("listers", "lister-gen"); err != nil {
		return err
	}
	args := []string{
		"--go-header-file", g.boilerplate,
		"--output-dir", filepath.Join(g.staged, "listers"),
		"--output-pkg", module + "/listers",
		"--plural-exceptions", plurals,
	}
	_, err = g.tool("lister-gen", append(args, inputs...)...)
	return err
}

// informers writes informers/, one for each type that is marked for a client that can
// list and watch.
func (g *generation) informers() error {
	inputs, err := g.apiPackages("types.go", "+genclient")
	if err != nil {
		return err
	}
	if err := g.removeGenerated("informers", "informer-gen"); err != nil {
		return err
	}
	args := []string{
		"--go-header-file", g.boilerplate,
		"--output-dir", filepath.Join(g.staged, "informers"),
		"--output-pkg", module + "/informers",
		"--versioned-clientset-package", module + "/kubernetes",
		"--listers-package", module + "/listers",
		"--plural-exceptions", plurals,
		"--single-directory",
	}
	_, err = g.tool("informer-gen", append(args, inputs...)...)
	return err
}

// notServed are the groups whose objects a server sends to others: it has no
// resources for them, so there is nothing that a client could call.
var notServed = []string{"imagepolicy/v1alpha1"}

// byStability orders the versions of a group as a scheme is to prefer them: v1
// before v1beta1 before v1alpha1. Other packages keep their order.
func byStability(a, b string) int {
	if path.Dir(a) != path.Dir(b) {
		return strings.Compare(path.Dir(a), path.Dir(b))
	}
	rank := func(version string) int {
		switch {
		case strings.Contains(version, "alpha"):
			return 2
		case strings.Contains(version, "beta"):
			return 1
		default:
			return 0
		}
	}
	return rank(path.Base(a)) - rank(path.Base(b))
}

// apiPackages returns the import paths of k8s.io/api's packages that have a file
// of this name, and in it this text.
func (g *generation) apiPackages(name, text string) ([]string, error) {
	list := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Dir}}", "k8s.io/api/...")
	list.Dir = g.staged
	list.Env = append(os.Environ(), "GOWORK=off")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the packages of k8s.io/api: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		importPath, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		content, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(content), text) {
			found = append(found, importPath)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no package of k8s.io/api has a file %s with %q", name, text)
	}
	return found, nil
}

// alias is how one of another package's type is written.
var alias = regexp.MustCompile(`(?m)^(type |\t)[A-Z]\w*(\[.*\])? = \w+\.[A-Z]`)

// aliases writes the comments of aliases whose types are elsewhere in the module.
func (g *generation) aliases() error {
	found := make(map[string]bool)
	err := filepath.WalkDir(g.staged, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if bytes.Contains(content, []byte(`"`+module+"/")) && alias.Match(content) {
			found[filepath.Dir(file)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = g.tool("alias-doc", slices.Sorted(maps.Keys(found))...)
	return err
}

// removeGenerated removes what a generator wrote below a directory earlier, so
// that nothing is left of a type that is gone.
func (g *generation) removeGenerated(dir, generator string) error {
	header := regexp.MustCompile(`(?m)^// Code generated by ` + generator + `\. DO NOT EDIT\.$`)
	err := filepath.WalkDir(filepath.Join(g.staged, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !header.Match(content) {
			return err
		}
		return os.Remove(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
