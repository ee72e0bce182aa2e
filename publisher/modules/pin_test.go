package modules_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
)

const (
	requiresA = "\n\ngo 1.26\n\nrequire example.test/a v0.0.0\n\nreplace example.test/a => "
	pinnedToA = "\n\ngo 1.26\n\nrequire example.test/a v1.0.0\n"
	sumsOfA   = "example.test/a v1.0.0 h1:zip\nexample.test/a v1.0.0/go.mod h1:mod\n"
)

func TestTreesArePinned(t *testing.T) {
	const (
		module   = "module example.test/b"
		sub      = "module example.test/b/sub"
		unpinned = "go.mod is published with its requirements as they are"
		unread   = "go.mod is published as it is, as the go command could not read it either"
		bare     = "\n\ngo 1.26\n\nrequire example.test/a v0.0.0\n"
		vendor   = "vendor/modules.txt does not agree with the pinned go.mod"
	)
	link := func(to string) gittest.File { return gittest.File{Mode: object.ModeSymlink, Text: to} }
	text := gittest.Text
	for _, test := range []struct {
		name     string
		files    gittest.Files
		want     gittest.Files // what is different
		left     string
		warnings []string
	}{
		{
			name:  "no module",
			files: gittest.Files{"x/y.go": text("package y\n")},
		},
		{
			name:  "nothing to pin",
			files: gittest.Files{"go.mod": text(module + "\n"), "sub/go.mod": text(sub + "\n"), "go.sum": text("not read\n")},
		},
		{
			name:  "the root",
			files: gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "x/y.go": text("package y\n")},
			want:  gittest.Files{"go.mod": text(module + pinnedToA), "go.sum": text(sumsOfA)},
		},
		{
			name:  "modes stay",
			files: gittest.Files{"go.mod": {Mode: object.ModeExecutable, Text: module + requiresA + "../a\n"}},
			want:  gittest.Files{"go.mod": {Mode: object.ModeExecutable, Text: module + pinnedToA}, "go.sum": text(sumsOfA)},
		},
		{
			name:     "a vendor directory",
			files:    gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "vendor/modules.txt": text("# example.test/a v0.0.0 => ../a\n"), "vendor/example.test/a/go.mod": text("module example.test/a" + requiresA + "../..\n")},
			want:     gittest.Files{"go.mod": text(module + pinnedToA), "go.sum": text(sumsOfA)},
			warnings: []string{vendor},
		},
		{
			name:  "a vendor directory that nothing is pinned around",
			files: gittest.Files{"go.mod": text(module + "\n"), "vendor/modules.txt": text("")},
		},
		{
			name:  "a directory called vendor that the go command does not use",
			files: gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "vendor/x": text("")},
			want:  gittest.Files{"go.mod": text(module + pinnedToA), "go.sum": text(sumsOfA)},
		},
		{
			name:     "go.sum is a symbolic link",
			files:    gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "go.sum": link("x"), "x": text("")},
			want:     gittest.Files{"go.mod": text(module + bare)},
			left:     "go.mod:5 example.test/a v0.0.0",
			warnings: []string{unpinned},
		},
		{
			name:     "go.sum is a directory",
			files:    gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "go.sum/x": text("")},
			want:     gittest.Files{"go.mod": text(module + bare)},
			left:     "go.mod:5 example.test/a v0.0.0",
			warnings: []string{unpinned},
		},
		{
			name:  "go.sum is a symbolic link that nothing is written to",
			files: gittest.Files{"go.mod": text(module + "\n\nreplace example.test/a => ../a\n"), "go.sum": link("x")},
			want:  gittest.Files{"go.mod": text(module + "\n")},
		},
		{
			name:  "go.mod is a symbolic link",
			files: gittest.Files{"go.mod": link("x"), "x": text(module + requiresA + "../a\n")},
		},
		{
			name:     "go.mod is broken",
			files:    gittest.Files{"go.mod": text("module (\n"), "sub/go.mod": text(sub + requiresA + "../../a\n")},
			want:     gittest.Files{"sub/go.mod": text(sub + pinnedToA), "sub/go.sum": text(sumsOfA)},
			warnings: []string{unread},
		},
		{
			name:     "go.sum is broken",
			files:    gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "go.sum": text("<<<<<<<\n")},
			want:     gittest.Files{"go.mod": text(module + bare)},
			left:     "go.mod:5 example.test/a v0.0.0",
			warnings: []string{unpinned},
		},
		{
			name:  "what no sibling takes the place of",
			files: gittest.Files{"go.mod": text(module + "\n\nrequire (\n\texample.test/c v0.0.0\n\texample.test/none v0.0.0\n\texample.test/x v0.0.0\n)\n\nreplace example.test/c => ../c\n")},
			want:  gittest.Files{"go.mod": text(module + "\n\nrequire (\n\texample.test/c v0.0.0\n\texample.test/none v0.0.0\n\texample.test/x v0.0.0\n)\n")},
			// Somebody else may have published a v0.0.0 of x.
			left: "go.mod:4 example.test/c v0.0.0, go.mod:5 example.test/none v0.0.0",
		},
		{
			name:  "a nested module",
			files: gittest.Files{"go.mod": text(module + "\n"), "x/sub/go.mod": text(sub + requiresA + "../../../a\n"), "x/sub/go.sum": text("example.test/x v1.0.0 h1:x\n"), "x/sub/s.go": text("package s\n"), "x/y.go": text("package x\n"), "z/z.go": text("package z\n")},
			want:  gittest.Files{"x/sub/go.mod": text(sub + pinnedToA), "x/sub/go.sum": text(sumsOfA + "example.test/x v1.0.0 h1:x\n")},
		},
		{
			name:  "a nested module where there is none around it",
			files: gittest.Files{"sub/go.mod": text(sub + requiresA + "../../a\n")},
			want:  gittest.Files{"sub/go.mod": text(sub + pinnedToA), "sub/go.sum": text(sumsOfA)},
		},
		{
			name:  "nested modules in each other",
			files: gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "sub/go.mod": text(sub + requiresA + "../../a\n"), "sub/sub/go.mod": text(sub + "/sub" + requiresA + "/a\n")},
			want: gittest.Files{
				"go.mod": text(module + pinnedToA), "go.sum": text(sumsOfA), "sub/go.mod": text(sub + pinnedToA), "sub/go.sum": text(sumsOfA),
				"sub/sub/go.mod": text(sub + "/sub" + pinnedToA), "sub/sub/go.sum": text(sumsOfA),
			},
		},
		{
			name:  "the same nested module at two depths",
			files: gittest.Files{"x/go.mod": text(sub + "\n\nreplace example.test/x => ../../x\n"), "y/x/go.mod": text(sub + "\n\nreplace example.test/x => ../../x\n")},
			want:  gittest.Files{"x/go.mod": text(sub + "\n")},
		},
		{
			name:     "a nested module that requires the one around it",
			files:    gittest.Files{"go.mod": text(module + "\n"), "sub/go.mod": text(sub + "\n\nrequire example.test/b v0.0.0\n\nreplace example.test/b => ../\n\nreplace example.test/c => ../../c\n")},
			want:     gittest.Files{"sub/go.mod": text(sub + "\n\nrequire example.test/b v0.0.0\n\nreplace example.test/b => ../\n")},
			warnings: []string{"sub/go.mod requires example.test/b v0.0.0, which nobody can fetch"},
		},
		{
			name:     "a nested module with oddities",
			files:    gittest.Files{"sub/go.mod": text(sub + requiresA + "../../a\n"), "sub/go.sum/x": text("")},
			want:     gittest.Files{"sub/go.mod": text(sub + bare)},
			warnings: []string{"sub/" + unpinned, "sub/go.mod requires example.test/a v0.0.0, which nobody can fetch"},
		},
		{
			name:     "a nested module with a vendor directory",
			files:    gittest.Files{"sub/go.mod": text(sub + requiresA + "../../a\n"), "sub/vendor/modules.txt": text("")},
			want:     gittest.Files{"sub/go.mod": text(sub + pinnedToA), "sub/go.sum": text(sumsOfA)},
			warnings: []string{"sub/" + vendor},
		},
		{
			name:     "a nested module that is broken",
			files:    gittest.Files{"go.mod": text(module + requiresA + "../a\n"), "sub/go.mod": text("module {{.}}{\n")},
			want:     gittest.Files{"go.mod": text(module + pinnedToA), "go.sum": text(sumsOfA)},
			warnings: []string{"sub/" + unread},
		},
		{
			name:  "test data",
			files: gittest.Files{"testdata/sub/go.mod": text(sub + requiresA + "../../../a\n"), "x/testdata/go.mod": text(sub + requiresA + "../../../a\n")},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, "example.test/a", "!example.test/none")
			files := maps.Clone(test.files)
			tree := w.Tree(files)
			maps.Copy(files, test.want)
			want := w.Tree(files)
			worker := w.worker()
			pinned := w.pin(worker, tree)
			if pinned.Tree != want {
				t.Errorf("%v\nwant %v", w.list(worker, pinned.Tree, "", make(gittest.Files)), files)
			}
			var left []string
			for _, r := range pinned.Left {
				left = append(left, fmt.Sprintf("go.mod:%d %s %s", r.Line, r.Path, r.Version))
			}
			if got := strings.Join(left, ", "); got != test.left {
				t.Errorf("left: %s; want %s", got, test.left)
			}
			if got := w.warnings(); !slices.Equal(got, test.warnings) {
				t.Errorf("warnings %q, want %q", got, test.warnings)
			}
			goMod, goModLeft, err := worker.GoMod(w.line, commit, tree, w.siblings, w.lookup)
			if err != nil {
				t.Fatal(err)
			}
			if have := files["go.mod"]; have.Mode.IsRegular() && string(goMod) != have.Text || !slices.Equal(goModLeft, pinned.Left) {
				t.Errorf("go.mod by itself is %s with %v left; in the tree it is %s", goMod, goModLeft, have.Text)
			}
			if again := w.pin(worker, pinned.Tree); again.Tree != pinned.Tree {
				t.Errorf("pinned again it is another: %v", w.list(worker, again.Tree, "", make(gittest.Files)))
			}
			w.line.Spec.Pinned = false
			if kept := w.pin(worker, tree); kept.Tree != tree || kept.Left != nil {
				t.Errorf("it changes where nothing is to be pinned")
			}
		})
	}
}

// A few trees can unfold to any number of paths.
func TestDirectoryAtManyPathsIsPinnedOnce(t *testing.T) {
	const deep = 60
	for _, module := range []bool{true, false} {
		w := newWorld(t, "example.test/a")
		files, want := gittest.Files{"m.go": gittest.Text("package m\n")}, gittest.Files{"m.go": gittest.Text("package m\n")}
		if module {
			files["go.mod"] = gittest.Text("module example.test/m" + requiresA + "/a\n")
			want["go.mod"], want["go.sum"] = gittest.Text("module example.test/m"+pinnedToA), gittest.Text(sumsOfA)
		}
		unfold := func(tree object.ID) object.ID {
			for range deep {
				tree = w.Put(object.TreeType, object.EncodeTree([]object.Entry{
					{Mode: object.ModeDir, Name: "x", ID: tree}, {Mode: object.ModeDir, Name: "y", ID: tree},
				}))
			}
			return tree
		}
		tree, wanted := unfold(w.Tree(files)), unfold(w.Tree(want))
		if pinned := w.pin(w.worker(), tree); pinned.Tree != wanted {
			t.Errorf("module %v: tree %s, want %s", module, pinned.Tree, wanted)
		}
	}
}

func TestMissingTreeIsAnError(t *testing.T) {
	w := newWorld(t)
	missing := object.Hash(object.TreeType, []byte("nowhere"))
	tree := w.Put(object.TreeType, object.EncodeTree([]object.Entry{{Mode: object.ModeDir, Name: "sub", ID: missing}}))
	if _, err := w.worker().Pin(w.line, commit, tree, w.siblings, w.lookup); err == nil || !strings.Contains(err.Error(), missing.String()) {
		t.Errorf("error %v does not name %s", err, missing)
	}
}
