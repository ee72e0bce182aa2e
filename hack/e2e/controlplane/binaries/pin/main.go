// pin rewrites this module's go.mod for a release of Kubernetes.
//
// Kubernetes replaces its staging modules by directories of its own, and
// replacements do not reach those who depend on it. So each is replaced here,
// by the release that was published from the same commit:
//
//	go run ./pin v1.36.3
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
)

const kubernetes = "k8s.io/kubernetes"

func main() {
	log.SetFlags(0)
	log.SetPrefix("pin: ")
	if len(os.Args) != 2 || !strings.HasPrefix(os.Args[1], "v1.") {
		log.Fatal("usage: go run ./pin v1.MINOR.PATCH")
	}
	if err := pin(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func pin(version string) error {
	var download struct{ GoMod string }
	if err := goJSON(&download, "mod", "download", "-json", kubernetes+"@"+version); err != nil {
		return err
	}
	var theirs goMod
	if err := goJSON(&theirs, "mod", "edit", "-json", download.GoMod); err != nil {
		return err
	}
	var ours goMod
	if err := goJSON(&ours, "mod", "edit", "-json"); err != nil {
		return err
	}

	edit := []string{"mod", "edit", "-require=" + kubernetes + "@" + version}
	staged := "v0." + strings.TrimPrefix(version, "v1.")
	stays := map[string]bool{}
	for _, r := range theirs.Replace {
		if !strings.HasPrefix(r.New.Path, ".") {
			return fmt.Errorf("%s replaces %s by %s, which is no directory of its own: go.mod needs a line by hand", download.GoMod, r.Old.Path, r.New.Path)
		}
		stays[r.Old.Path] = true
		edit = append(edit, fmt.Sprintf("-replace=%s=%s@%s", r.Old.Path, r.Old.Path, staged))
	}
	for _, r := range ours.Replace {
		if !stays[r.Old.Path] {
			edit = append(edit, "-dropreplace="+r.Old.Path)
		}
	}
	// The versions of everything else are those that the release was tested with.
	for _, r := range theirs.Require {
		if strings.HasPrefix(r.Path, "go.etcd.io/etcd/server/") {
			edit = append(edit, "-require="+r.Path+"@"+r.Version)
		}
	}
	if err := run(edit...); err != nil {
		return err
	}
	return run("mod", "tidy")
}

type goMod struct {
	Require []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

func goJSON(into any, args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, into)
}

func run(args ...string) error {
	cmd := exec.Command("go", args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
