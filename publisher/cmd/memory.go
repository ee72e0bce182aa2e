package cmd

import (
	"os"
	"runtime/debug"
)

// tuneMemory trades memory that every machine has for time: a run makes much
// garbage and ends before long. What the user's environment says comes first.
//
// The ballast that it returns is to be kept until the end. It is never touched,
// and so takes no memory, but the collector counts it, and does not start before
// the heap is as large again. Most runs end before that.
func tuneMemory() (ballast []byte) {
	limitMemory(864 << 20)
	if os.Getenv("GOGC") == "" {
		ballast = make([]byte, 96<<20)
	}
	return ballast
}

// limitMemory has the collector work harder where a run needs more bytes than this.
// With what is mapped of packs it stays below 1 GiB.
func limitMemory(limit int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}
