package dirsync_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"k8s.io/sample-controller/dirsync"
)

func ExampleController_Once() {
	source, err := os.MkdirTemp("", "source")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(source)
	if err := os.WriteFile(filepath.Join(source, "greeting"), []byte("hello"), 0o644); err != nil {
		log.Fatal(err)
	}
	target := source + "-copy"
	defer os.RemoveAll(target)

	controller := dirsync.Controller{Dirs: dirsync.Dirs{Source: source, Target: target}}
	if err := controller.Once(context.Background()); err != nil {
		log.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(target, "greeting"))
	fmt.Printf("%s %v\n", copied, err)
	// Output: hello <nil>
}
