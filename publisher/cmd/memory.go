package cmd

import (
	"os"
	"runtime/debug"
)

// ballast is memory that is never touched, and so takes none: the collector
// counts it, and does not start before the heap is as large again. Most runs end
// before that.
var ballast []byte

// tuneMemory trades memory that every machine has for time: a run makes much
// garbage and ends before long. What the user's environment says comes first.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		ballast = make([]byte, 96<<20)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(896 << 20)
	}
}
