package dynamicinformer_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// An informer of any resource needs to know of none.
func TestInformersOfAnyResourceLinkNoKinds(t *testing.T) {
	for _, pkg := range []string{"k8s.io/client-go/dynamic/dynamicinformer", "k8s.io/client-go/metadata/metadatainformer"} {
		list := exec.Command("go", "list", "-deps", pkg)
		list.Env = append(os.Environ(), "GOWORK=off")
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			t.Fatalf("listing the dependencies of %s: %v", pkg, err)
		}
		for dependency := range strings.Lines(string(out)) {
			if strings.HasPrefix(dependency, "k8s.io/api/") || strings.HasPrefix(dependency, "k8s.io/client-go/kubernetes") {
				t.Errorf("%s links %s", pkg, dependency)
			}
		}
	}
}
