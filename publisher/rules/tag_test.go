package rules

import (
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-cmp/cmp"
)

func TestTagRuleNamesWhatItsConstraintLetsIn(t *testing.T) {
	const all = "{{.Major}}/{{.Minor}}/{{.Patch}}/p{{.Prerelease}}/m{{.Metadata}}/s{{.Suffix}}/{{.Version}}"
	for _, c := range []struct {
		constraint, template string
		// names are by source tag; an empty one is not let in.
		names map[string]string
	}{
		{">=1.8.0-0", "kubernetes-{{.Version}}", map[string]string{
			"v1.7.16":                   "",
			"v1.8.0-alpha.0":            "kubernetes-1.8.0-alpha.0",
			"v1.8.0":                    "kubernetes-1.8.0",
			"v1.36.0-beta.1+x":          "kubernetes-1.36.0-beta.1+x",
			"v1.36.0+x":                 "kubernetes-1.36.0+x",
			"v18446744073709551615.0.1": "kubernetes-18446744073709551615.0.1",
		}},
		{">=1.17.0-0", "v0.{{.Minor}}.{{.Patch}}{{.Suffix}}", map[string]string{
			"v1.16.15":         "",
			"v1.17.0-rc.2":     "v0.17.0-rc.2",
			"v1.17.3":          "v0.17.3",
			"v1.36.0-beta.1+x": "v0.36.0-beta.1+x",
		}},
		{">=1.8.0", "{{.Version}}", map[string]string{
			"v1.8.0": "1.8.0", "v1.9.0-rc.1": "",
		}},
		{"*", all, map[string]string{
			"1.2.3": "1/2/3/p/m/s/1.2.3",
		}},
		{">=0.0.0-0", all, map[string]string{
			"v1.2.3-beta.1+x": "1/2/3/pbeta.1/mx/s-beta.1+x/1.2.3-beta.1+x",
		}},
	} {
		rule := mustTagRule(c.constraint, c.template)
		for tag, want := range c.names {
			name, ok, err := rule.Name(semver.MustParse(tag))
			if err != nil || ok != (want != "") || name != want {
				t.Errorf("%s %s: %s is %q, %t, %v; want %q", c.constraint, c.template, tag, name, ok, err, want)
			}
		}
	}
}

func TestNameThatIsNoTagIsRefused(t *testing.T) {
	var got []string
	for _, template := range []string{"{{.None}}", "a..b", `{{"\n"}}`} {
		_, _, err := mustTagRule("*", template).Name(semver.MustParse("v1.2.3"))
		if err != nil {
			got = append(got, err.Error())
		}
	}
	want := []string{
		`name the tag for 1.2.3: template: name:1:2: executing "name" at <.None>: can't evaluate field None in type rules.TagVersion`,
		`name the tag for 1.2.3: "a..b" is not a valid tag name (see git-check-ref-format(1))`,
		`name the tag for 1.2.3: "\n" is not a valid tag name (see git-check-ref-format(1))`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTagsOfAMirrorAreThoseForAllAndItsOwn(t *testing.T) {
	const own = `rules:
- destination: own
  tags: [{constraint: "*", name: "own-{{.Version}}"}]
- destination: base
  destination-tag-base: v2
- destination: both
  destination-tag-base: v3
  tags: [{constraint: "*", name: "own-{{.Version}}"}]
- destination: none
  tags: []
- destination: plain
  tags:
`
	for _, c := range []struct {
		name, text string
		want       map[string]string
	}{
		{"the file gives none", own, map[string]string{
			"own": "own-1.20.1", "base": "v2.20.1", "both": "own-1.20.1 v3.20.1", "none": "", "plain": "kubernetes-1.20.1 v0.20.1",
		}},
		{"the file gives some", `tags: [{constraint: "*", name: "all-{{.Version}}"}]` + "\n" + own, map[string]string{
			"own": "all-1.20.1 own-1.20.1", "base": "all-1.20.1 v2.20.1", "both": "all-1.20.1 own-1.20.1 v3.20.1",
			"none": "all-1.20.1", "plain": "all-1.20.1",
		}},
		{"the file gives an empty list", "tags: []\n" + own, map[string]string{
			"own": "own-1.20.1", "base": "v2.20.1", "both": "own-1.20.1 v3.20.1", "none": "", "plain": "",
		}},
	} {
		r, err := Parse("rules.yaml", []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for i := range r.Rules {
			var names []string
			for _, tag := range r.TagsOf(&r.Rules[i]) {
				if name, ok, err := tag.Name(semver.MustParse("v1.20.1")); err != nil {
					t.Fatal(err)
				} else if ok {
					names = append(names, name)
				}
			}
			got[r.Rules[i].Destination] = strings.Join(names, " ")
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestRefNamesAreWhatGitCanHold(t *testing.T) {
	names := RefNames{}
	for _, c := range []struct{ name, other string }{
		{"a", ""}, {"a/b", "a"}, {"b/c/d", ""}, {"b", "b/c/d"}, {"b/c", "b/c/d"}, {"b/c/e", ""}, {"b/c/d/e", "b/c/d"}, {"a", "a"}, {"ab", ""},
	} {
		if other, ok := names.Add(c.name); other != c.other || ok != (c.other == "") {
			t.Errorf("%s: got %q, %t, want %q", c.name, other, ok, c.other)
		}
	}
}
