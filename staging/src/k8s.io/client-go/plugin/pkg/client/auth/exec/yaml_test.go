package exec

import (
	"strings"
	"testing"

	"k8s.io/client-go/internal/yamlconv"
	"sigs.k8s.io/yaml"
)

// withoutYAML is the error of a program that links no YAML library, which this
// one has been until linkYAML.
var withoutYAML error

// linkYAML does what package clientcmd does in programs that read kubeconfig files.
func linkYAML() {
	_, withoutYAML = parseOutput([]byte("kind: ExecCredential\nstatus: {token: HUNTER2}\n"), v1)
	yamlconv.Provide(yaml.YAMLToJSON)
}

func TestYAMLWithoutALibraryForItIsExplained(t *testing.T) {
	if withoutYAML == nil || !strings.Contains(withoutYAML.Error(), "links no YAML library") || strings.Contains(withoutYAML.Error(), "HUNTER2") {
		t.Errorf("got error %v", withoutYAML)
	}
}
