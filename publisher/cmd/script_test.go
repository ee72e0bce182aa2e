package cmd

import (
	"encoding/json"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write what commands print into the scripts in testdata")

// In the scripts, publisher is a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"publisher": func() { os.Exit(Main(os.Args[1:])) }})
}

// TestScripts runs the scripts in testdata/script. Each finds the repository
// src, made from testdata/monorepo.fast-import, and testdata/rules.yaml in its
// folder. Dates and identities are fixed, and so are all hashes.
func TestScripts(t *testing.T) {
	history, err := os.ReadFile("testdata/monorepo.fast-import")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("testdata/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	silent := silentServer(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SILENT", silent)
			for _, v := range []string{
				"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C", "TERM=xterm",
				"GIT_AUTHOR_NAME=Sam", "GIT_AUTHOR_EMAIL=sam@example.com", "GIT_AUTHOR_DATE=1700001000 +0000",
				"GIT_COMMITTER_NAME=Sam", "GIT_COMMITTER_EMAIL=sam@example.com", "GIT_COMMITTER_DATE=1700001000 +0000",
			} {
				name, value, _ := strings.Cut(v, "=")
				e.Setenv(name, value)
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "rules.yaml"), rules, 0o644); err != nil {
				return err
			}
			for _, args := range [][]string{{"init", "--quiet", "--initial-branch=master", "src"}, {"-C", "src", "fast-import", "--quiet"}} {
				git := exec.Command("git", args...)
				git.Dir, git.Env, git.Stdin, git.Stderr = e.WorkDir, e.Vars, strings.NewReader(string(history)), os.Stderr
				if err := git.Run(); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":    await,
			"samedata": sameData,
		},
	})
}

// silentServer takes connections and never answers. It returns a URL at it.
func silentServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	t.Cleanup(func() { l.Close() })
	return "git://" + l.Addr().String() + "/monorepo.git"
}

// await waits until a file is there that is not empty.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await file")
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
			return
		}
	}
	ts.Fatalf("%s is not written", args[0])
}

// sameData compares what a JSON file and a YAML file say.
func sameData(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: samedata file.json file.yaml")
	}
	var a, b any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &a))
	ts.Check(yaml.UnmarshalStrict([]byte(ts.ReadFile(args[1])), &b))
	if !reflect.DeepEqual(a, b) {
		ts.Fatalf("%s and %s differ", args[0], args[1])
	}
}
