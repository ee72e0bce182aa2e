package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		says   string // on stdout or stderr
	}{
		{"--help", 0, "-address"},
		{"--nothing", 2, "flag provided but not defined"},
		{"--workers 0", 2, "--workers=0 is less than 1"},
		{"more", 2, `unexpected argument "more"`},
		{"--kubeconfig testdata/none", 1, "none"},
	} {
		var stdout, stderr bytes.Buffer
		status := command(strings.Fields(c.args), &stdout, &stderr)
		said := stdout.String() + stderr.String()
		if status != c.status || !strings.Contains(said, c.says) {
			t.Errorf("%s: status %d, %q; want %d, %q", c.args, status, said, c.status, c.says)
		}
	}
}
