package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The markers by which a package asks for generated functions. What they may
// say is told by the generators' documentation.
var helpers = []struct {
	tool   string // which writes them
	marker string // which asks for them
	flag   string // which names the file
	file   string // which holds them
}{
	{"deepcopy-gen", "+k8s:deepcopy-gen=", "--output-file", "zz_generated.deepcopy.go"},
	{"defaulter-gen", "+k8s:defaulter-gen=", "--output-file", "zz_generated.defaults.go"},
	{"conversion-gen", "+k8s:conversion-gen=", "--output-file", "zz_generated.conversion.go"},
	{"openapi-gen", "+k8s:openapi-model-package=", "--output-model-name-file", "zz_generated.model_name.go"},
}

// formats writes the deep copies, defaults, conversions and names of OpenAPI
// models of the packages that ask for them in their doc.go: kubeconfig, exec
// credentials and the kinds of scale.
func (g *generation) formats() error {
	for _, helper := range helpers {
		if err := g.removeGenerated(".", helper.tool); err != nil {
			return err
		}
		packages, err := g.marked(helper.marker)
		if err != nil {
			return err
		}
		if len(packages) == 0 {
			continue
		}
		args := []string{"--go-header-file", g.boilerplate, helper.flag, helper.file}
		if helper.tool == "openapi-gen" {
			// It also writes definitions of the models and a report on their style.
			// Only a server has a use for them.
			args = append(args,
				"--output-dir", filepath.Join(g.tools, "openapi"), "--output-pkg", "openapi",
				"--report-filename", filepath.Join(g.tools, "openapi-report"))
		}
		if _, err := g.tool(helper.tool, append(args, packages...)...); err != nil {
			return err
		}
	}
	return nil
}

// marked returns the staged packages whose doc.go has the marker.
func (g *generation) marked(marker string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(g.staged, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "doc.go" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if hasLine(content, "// "+marker) {
			dir, err := filepath.Rel(g.staged, filepath.Dir(path))
			if err != nil {
				return err
			}
			found = append(found, module+"/"+filepath.ToSlash(dir))
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	slices.Sort(found)
	return found, err
}

// hasLine reports whether a line of the content begins with this text.
func hasLine(content []byte, text string) bool {
	return bytes.HasPrefix(content, []byte(text)) || bytes.Contains(content, []byte("\n"+text))
}
