package controlplane_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"k8s.io/publisher/hack/e2e/controlplane"
)

// A control plane for as long as a program runs.
func Example() {
	cp, err := controlplane.Start(context.Background(), controlplane.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer cp.Stop()
	if _, err := os.Stat(cp.AdminKubeconfig); err == nil {
		fmt.Println("ready")
	}
	// Output: ready
}
