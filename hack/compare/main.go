// Command compare builds the same programs and benchmarks twice, once against the
// staged client-go and once against the public module of the same version, and
// prints both beside each other.
//
//	compare size     the sizes of programs, and what they cost until their first request
//	compare bench    time, memory and allocations of what clients do often
package main

import (
	"fmt"
	"os"
)

func main() {
	verbs := map[string]func() error{"size": size, "bench": bench}
	if len(os.Args) != 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: compare size | bench")
		os.Exit(2)
	}
	if err := verbs[os.Args[1]](); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// A build is one of the two modules that the sources are built against.
type build struct {
	name    string
	modfile string // of the go command, which tells the two apart
}

var (
	ours   = build{"ours", "go.mod"}
	public = build{"public", "public.mod"}
)
