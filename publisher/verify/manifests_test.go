package verify

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/rules"
)

func TestOnlySiblingsMayDifferInManifests(t *testing.T) {
	const mod = `module example.com/app

go 1.24

require (
	example.com/lib v0.0.0 // indirect
	golang.org/x/mod v0.20.0
)

replace (
	example.com/lib => ../lib
	example.com/lib v0.0.1 => ./lib
	golang.org/x/mod => ./fork
	golang.org/x/net => /net
)

exclude golang.org/x/net v1.2.3
`
	const sum = `golang.org/x/mod v0.20.0 h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0=
golang.org/x/mod v0.20.0/go.mod h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c=
`
	pinned := strings.NewReplacer(
		"	example.com/lib => ../lib\n", "", "	example.com/lib v0.0.1 => ./lib\n", "", "	golang.org/x/net => /net\n", "",
	).Replace(mod)
	local := strings.Replace(pinned, "replace (\n", "replace (\n	example.com/lib v0.0.1 => ./lib\n", 1)
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(pinned) }
	for _, test := range []struct {
		name     string
		mod, sum string
		want     []string
	}{
		{"a replace that leads out", pinned, sum, nil},
		{"replaces that lead out and are left", mod, sum, []string{
			`go.mod has "replace example.com/lib => ../lib", which leads out of the mirror`,
			`go.mod has "replace golang.org/x/net => /net", which leads out of the mirror`}},
		{"a sibling that is not pinned", local, sum, nil},
		{"a sibling that is pinned and replaced", strings.Replace(local, "lib v0.0.0", "lib v0.20.1", 1), sum, []string{`go.mod has "replace example.com/lib v0.0.1 => ./lib"`}},
		{"a sibling's version", edit("lib v0.0.0", "lib v0.20.1"), sum, nil},
		{"a block of one line", edit("replace (\n	golang.org/x/mod => ./fork\n)", "replace golang.org/x/mod => ./fork"), sum, nil},
		{"a sibling's sums", pinned, sum + "example.com/lib v0.20.1 h1:x=\nexample.com/lib v0.20.1/go.mod h1:y=\n", nil},
		{"another module's version", edit("mod v0.20.0", "mod v0.20.1"), sum, []string{
			`go.mod has "require golang.org/x/mod v0.20.1"`, `go.mod lacks "require golang.org/x/mod v0.20.0"`}},
		{"another module's replace", edit("	golang.org/x/mod => ./fork\n", ""), sum, []string{`go.mod lacks "replace golang.org/x/mod => ./fork"`}},
		{"a replace that is new", edit("replace (\n", "replace (\n	example.com/lib v0.0.2 => ./evil\n"), sum, []string{
			`go.mod has "replace example.com/lib v0.0.2 => ./evil"`, `go.mod lacks "replace example.com/lib v0.0.1 => ./lib"`}},
		{"a sibling replaced by another module", edit("replace (\n", "replace (\n	example.com/lib => example.com/evil v1.0.0\n"), sum, []string{
			`go.mod has "replace example.com/lib => example.com/evil v1.0.0"`}},
		{"a comment", edit(" // indirect", ""), sum, []string{
			`go.mod has "require example.com/lib *"`, `go.mod lacks "require example.com/lib * // indirect"`}},
		{"the module path", edit("module example.com/app", "module example.com/evil"), sum, []string{
			`go.mod has "module example.com/evil"`, `go.mod lacks "module example.com/app"`}},
		{"an exclusion", edit("exclude golang.org/x/net v1.2.3\n", ""), sum, []string{`go.mod lacks "exclude golang.org/x/net v1.2.3"`}},
		{"a go.mod that is none", "nonsense (", sum, []string{"go.mod cannot be read and is not as it is in the source"}},
		{"another module's sum", pinned, strings.Replace(sum, "utOm", "AAAA", 1), []string{
			`go.sum has "golang.org/x/mod v0.20.0 h1:AAAA6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0="`,
			`go.sum lacks "golang.org/x/mod v0.20.0 h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0="`}},
		{"a sum that is repeated", pinned, sum + sum, []string{
			`go.sum has "golang.org/x/mod v0.20.0 h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0="`,
			`go.sum has "golang.org/x/mod v0.20.0/go.mod h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c="`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := read(test.mod, test.sum, "example.com/lib").differences(read(mod, sum, "example.com/lib"), true)
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%q\nwant\n%q", got, test.want)
			}
		})
	}
}

func read(mod, sum string, siblings ...string) *manifest {
	return newManifest([2][]byte{[]byte(mod), []byte(sum)}, siblings, 0)
}

// Where rules say so, both files stay as they are. Where no hashes can be written,
// requirements do.
func TestManifestsThatAreNotPinnedStayAsTheyAre(t *testing.T) {
	const mod = "module example.com/app\n\nrequire example.com/lib v0.0.0\n"
	source := read(mod+"\nreplace example.com/lib => ../lib\n", "")
	same, pinned := read(mod, ""), read(strings.Replace(mod, "lib v0.0.0", "lib v0.20.0", 1), "")
	version := []string{`go.mod has "require example.com/lib v0.20.0"`, `go.mod lacks "require example.com/lib v0.0.0"`}
	lacks := `go.mod lacks "replace example.com/lib => ../lib"`
	for _, test := range []struct {
		name     string
		manifest *manifest
		pinned   bool
		want     []string
	}{
		{"nothing is to change, and does not", source, false, nil},
		{"nothing is to change, and a replace does", same, false, []string{lacks}},
		{"nothing is to change, and all does", pinned, false, append(slices.Clone(version), lacks)},
		{"no hashes, and the replace goes", same, true, nil},
		{"no hashes, and the replace stays", source, true, []string{`go.mod has "replace example.com/lib => ../lib", which leads out of the mirror`}},
		{"no hashes, and a version changes", pinned, true, version},
	} {
		if got := test.manifest.differences(source, test.pinned); !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%q\nwant\n%q", test.name, got, test.want)
		}
	}
	broken := read("nonsense (", "")
	if got := broken.differences(broken, true); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestReplaceLeadsOut(t *testing.T) {
	for to, want := range map[string][2]bool{ // in the root, and two directories below
		"../lib": {true, false}, "../../lib": {true, false}, "../../../lib": {true, true}, "./sub/../../lib": {true, false},
		`..\lib`: {true, false}, `..\..\..\lib`: {true, true}, "..": {true, false}, "../..": {true, false}, "../../..": {true, true},
		".": {true, true}, "./": {true, true}, "./sub/..": {true, true}, "./sub": {}, `.\sub`: {}, "./..sub": {},
		"/lib": {true, true}, `C:\lib`: {true, true}, `\lib`: {true, true}, "": {}, "example.com/lib": {}, "example.com/../../..": {},
	} {
		if got := [2]bool{leadsOut(to, 0), leadsOut(to, 2)}; got != want {
			t.Errorf("%q: got %v, want %v", to, got, want)
		}
	}
}

// A go.sum cannot have the hash of what it stands in.
func TestOnlyModulesOfACircleMayLackAHash(t *testing.T) {
	parsed, err := rules.Parse("rules.yaml", []byte(`
rules:
- destination: a
  branches: [{name: main, source: {branch: main, dir: a}, dependencies: [{repository: b, branch: main}]}]
- destination: b
  branches: [{name: main, source: {branch: main, dir: b}, dependencies: [{repository: c, branch: main}]}]
- destination: c
  branches: [{name: main, source: {branch: main, dir: c}, dependencies: [{repository: a, branch: main}, {repository: d, branch: main}]}]
- destination: d
  branches: [{name: main, source: {branch: main, dir: d}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	r := run{circles: circles(parsed)}
	for pair, want := range map[[2]string]bool{{"a", "b"}: true, {"b", "a"}: true, {"c", "a"}: true, {"c", "d"}: false, {"d", "c"}: false} {
		if got := r.circular(pair[0], pair[1]); got != want {
			t.Errorf("%s and %s: %t", pair[0], pair[1], got)
		}
	}
}
