package verify

import (
	"slices"
	"strings"
	"testing"
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
	golang.org/x/mod => ./fork
)

exclude golang.org/x/net v1.2.3
`
	const sum = `golang.org/x/mod v0.20.0 h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0=
golang.org/x/mod v0.20.0/go.mod h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c=
`
	pinned := strings.Replace(mod, "	example.com/lib => ../lib\n", "", 1)
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(pinned) }
	for _, test := range []struct {
		name     string
		mod, sum string
		want     []string
	}{
		{"a replace that leads out", pinned, sum, nil},
		{"a replace that leads out and is left", mod, sum, []string{`go.mod has "replace example.com/lib => ../lib", which leads out of the mirror`}},
		{"a sibling's version", edit("lib v0.0.0", "lib v0.20.1"), sum, nil},
		{"a block of one line", edit("replace (\n	golang.org/x/mod => ./fork\n)", "replace golang.org/x/mod => ./fork"), sum, nil},
		{"a sibling's sums", pinned, sum + "example.com/lib v0.20.1 h1:x=\nexample.com/lib v0.20.1/go.mod h1:y=\n", nil},
		{"another module's version", edit("mod v0.20.0", "mod v0.20.1"), sum, []string{
			`go.mod has "require golang.org/x/mod v0.20.1"`, `go.mod lacks "require golang.org/x/mod v0.20.0"`}},
		{"another module's replace", edit("	golang.org/x/mod => ./fork\n", ""), sum, []string{`go.mod lacks "replace golang.org/x/mod => ./fork"`}},
		{"a replace that is new", edit("replace (\n", "replace (\n	example.com/lib => ./evil\n"), sum, []string{`go.mod has "replace example.com/lib => ./evil"`}},
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
			published := manifest{[]byte(test.mod), []byte(test.sum)}
			got := published.differences(manifest{[]byte(mod), []byte(sum)}, []string{"example.com/lib"}, true)
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%q\nwant\n%q", got, test.want)
			}
		})
	}
}
