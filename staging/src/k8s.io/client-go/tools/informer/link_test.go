package informer_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A program has the kinds that its clients need, and no others for its informers.
func TestInformersLinkNoKindsOfTheirOwn(t *testing.T) {
	for _, pkg := range []string{"k8s.io/client-go/tools/informer"} {
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
