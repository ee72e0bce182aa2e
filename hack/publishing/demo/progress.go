package main

import (
	"bytes"
	"os"
)

// progress shows what is told of a build of the API server, which takes minutes
// where nothing is cached, and not what the servers log.
type progress struct{}

func (progress) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if bytes.HasPrefix(line, []byte("building ")) {
			os.Stderr.Write(line)
		}
	}
	return len(p), nil
}
