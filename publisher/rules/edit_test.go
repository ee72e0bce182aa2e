package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// A file in testdata/edit has one command a line, then the rules to edit, then
// for each command what comes out: an error, or the lines that changed.
func TestEditsChangeTheirLinesOnly(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "edit", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := archive.Files[0].Data
			wants := map[string]string{}
			for _, f := range archive.Files[1:] {
				wants[f.Name] = string(f.Data)
			}
			archive.Files = archive.Files[:1]
			for command := range strings.Lines(string(archive.Comment)) {
				command = strings.TrimSpace(command)
				out, _, err := runEdit(command, in)
				got := ""
				if err != nil {
					got = err.Error() + "\n"
				} else {
					got = changedLines(string(in), string(out))
				}
				archive.Files = append(archive.Files, txtar.File{Name: command, Data: []byte(got)})
				if diff := cmp.Diff(wants[command], got); diff != "" && !*update {
					t.Errorf("%s (-want +got):\n%s", command, diff)
				}
				windows, _, err2 := runEdit(command, []byte(strings.ReplaceAll(string(in), "\n", "\r\n")))
				if want := strings.ReplaceAll(string(out), "\n", "\r\n"); (err == nil) != (err2 == nil) || string(windows) != want {
					t.Errorf("%s: with \\r\\n: %v\n%s", command, err2, windows)
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func runEdit(command string, data []byte) ([]byte, []string, error) {
	words := strings.Fields(command)
	args := map[string]string{}
	for _, word := range words[1:] {
		k, v, _ := strings.Cut(word, "=")
		args[k] = v
	}
	list := func(s string) []string {
		return strings.FieldsFunc(s, func(c rune) bool { return c == ',' })
	}
	switch words[0] {
	case "add":
		return AddBranch(data, "rules.yaml", AddBranchOptions{
			Name: args["name"], From: args["from"], Go: args["go"], SourceBranch: args["source"], Destinations: list(args["to"]),
		})
	case "remove":
		return RemoveBranch(data, "rules.yaml", RemoveBranchOptions{Name: args["name"], Destinations: list(args["from"])})
	case "take-over":
		t := TakeOverOptions{Destination: args["to"], TakenOver: TakenOver{Tags: args["tags"]}}
		for _, name := range list(args["branches"]) {
			t.TakenOver.Branches = append(t.TakenOver.Branches, TakenOverBranch{name, strings.Repeat("0123456789", 4)})
		}
		return TakeOver(data, "rules.yaml", []TakeOverOptions{t})
	}
	return nil, nil, fmt.Errorf("unknown command %q", command)
}

// changedLines is a diff as git's without context: the number of the line in
// the old file, + or -, and the line.
func changedLines(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	// common[i][j] is the length of the longest common part of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			fmt.Fprintf(&out, "%d -%s\n", i+1, a[i])
			i++
		default:
			fmt.Fprintf(&out, "%d +%s\n", i+1, b[j])
			j++
		}
	}
	return out.String()
}

func TestRemoveUndoesAddButForTheEndedBranch(t *testing.T) {
	in := `rules:
- destination: a
  branches:

  - name: main
    source: {branch: main}

  - name: release-1
    source: {branch: release-1}

- destination: b
  branches:
  - name: main
    source: {branch: main}`
	added, _, err := AddBranch([]byte(in), "rules.yaml", AddBranchOptions{Name: "release-2"})
	if err != nil {
		t.Fatal(err)
	}
	removed, _, err := RemoveBranch(added, "rules.yaml", RemoveBranchOptions{Name: "release-2"})
	if err != nil {
		t.Fatal(err)
	}
	want := "10 +  ended-branches:\n10 +  - release-2\n15 +  ended-branches:\n15 +  - release-2\n"
	if diff := cmp.Diff(want, changedLines(in+"\n", string(removed))); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, removed)
	}
}

func TestFileWithOtherLineBreaksIsNotEdited(t *testing.T) {
	in := "rules:\r- destination: a\r  branches:\r  - name: main\r    source: {branch: main}\r"
	_, _, err := AddBranch([]byte(in), "rules.yaml", AddBranchOptions{Name: "x"})
	want := `add branch "x": rules.yaml:1:1: cannot be edited: it has line breaks other than \n and \r\n`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
