// Command publisher syncs the modules of a monorepo to their mirrors.
package main

import (
	"os"

	"k8s.io/publisher/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:])) }
