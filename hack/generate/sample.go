package main

import (
	"os"
	"path/filepath"
)

// sampleModule is a module whose custom resource has clients, listers, informers and
// apply configurations. They are written as anybody's are: by the generators of
// k8s.io/code-generator as they come.
const sampleModule = "k8s.io/sample-controller"

// sample writes generated/ of the staged sample-controller, and the deep copies of its
// types.
func (g *generation) sample() error {
	s := *g
	s.staged = filepath.Join(filepath.Dir(g.staged), "sample-controller")
	const types = sampleModule + "/apis/pages/v1alpha1"
	if err := os.RemoveAll(filepath.Join(s.staged, "generated")); err != nil {
		return err
	}
	out := func(dir string) []string {
		return []string{
			"--go-header-file", g.boilerplate,
			"--output-dir", filepath.Join(s.staged, "generated", dir),
			"--output-pkg", sampleModule + "/generated/" + dir,
		}
	}
	for _, step := range []struct {
		tool string
		args []string
	}{
		{"deepcopy-gen", []string{"--go-header-file", g.boilerplate, "--output-file", "zz_generated.deepcopy.go", types}},
		{"stock/applyconfiguration-gen", append(out("applyconfiguration"), types)},
		{"stock/client-gen", append(out("clientset"),
			"--clientset-name", "versioned",
			"--input-base", sampleModule+"/apis",
			"--input", "pages/v1alpha1",
			"--apply-configuration-package", sampleModule+"/generated/applyconfiguration")},
		{"stock/lister-gen", append(out("listers"), types)},
		{"stock/informer-gen", append(out("informers"),
			"--versioned-clientset-package", sampleModule+"/generated/clientset/versioned",
			"--listers-package", sampleModule+"/generated/listers", types)},
	} {
		if _, err := s.tool(step.tool, step.args...); err != nil {
			return err
		}
	}
	return nil
}
