// The plugin that the tests run. It does what the files in the directory
// PLUGIN_DIR say, and leaves files there that tell what it saw.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	dir := os.Getenv("PLUGIN_DIR")
	file := func(name string) string { return filepath.Join(dir, name) }

	// One byte for every run.
	runs, err := os.OpenFile(file("runs"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(err)
	_, err = runs.WriteString("x")
	check(err)
	check(runs.Close())

	stdin, err := io.ReadAll(os.Stdin)
	check(err)
	check(os.WriteFile(file("seen"), fmt.Appendf(nil, "args %q\nenv %q\ninfo %s\nstdin %q\n",
		os.Args[1:], os.Getenv("GREETING"), os.Getenv("KUBERNETES_EXEC_INFO"), stdin), 0o600))

	for { // while the test holds it
		if _, err := os.Stat(file("hold")); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}

	if text, err := os.ReadFile(file("stderr")); err == nil {
		os.Stderr.Write(text)
	}
	if code, err := os.ReadFile(file("exit")); err == nil {
		n, err := strconv.Atoi(string(code))
		check(err)
		os.Exit(n)
	}
	answer, err := os.ReadFile(file("answer"))
	check(err)
	os.Stdout.Write(answer)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(120)
	}
}
