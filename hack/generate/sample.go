package main

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
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
	model, err := s.pageModel()
	if err != nil {
		return err
	}
	schema, err := s.schema(model)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		tool string
		args []string
	}{
		{"deepcopy-gen", []string{"--go-header-file", g.boilerplate, "--output-file", "zz_generated.deepcopy.go", types}},
		{"stock/applyconfiguration-gen", append(out("applyconfiguration"), "--openapi-schema", schema, types)},
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

// pageModel returns the OpenAPI model of a Page, by its name. It is what the custom
// resource definition says, from which a server takes its own; but for the metadata, which a
// definition leaves out.
func (g *generation) pageModel() (map[string]any, error) {
	file := filepath.Join(g.staged, "config", "crd.yaml")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(content, &crd); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(crd.Spec.Versions) != 1 {
		return nil, fmt.Errorf("%s: there are %d versions", file, len(crd.Spec.Versions))
	}
	page := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	properties, ok := page["properties"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: the schema has no properties", file)
	}
	properties["apiVersion"] = map[string]any{"type": "string"}
	properties["kind"] = map[string]any{"type": "string"}
	properties["metadata"] = map[string]any{"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
	return map[string]any{"io.k8s.sample-controller.apis.pages.v1alpha1.Page": page}, nil
}
