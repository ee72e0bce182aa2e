package clientcmd

import (
	"k8s.io/client-go/internal/yamlconv"
	"sigs.k8s.io/yaml"
)

// A program that reads kubeconfig files links a YAML library, so it can read YAML from
// credential plugins, too.
func init() {
	yamlconv.Provide(yaml.YAMLToJSON)
}
