package release_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/release"
	"k8s.io/publisher/rules"
)

func parse(t *testing.T, more string) (*rules.Rules, *rules.Rule) {
	t.Helper()
	r, err := rules.Parse("rules.yaml", []byte(more+`
rules:
- destination: client
  ended-branches: [release-1.30]
  branches:
  - {name: master, source: {branch: main, dir: staging/client}}
`))
	if err != nil {
		t.Fatal(err)
	}
	return r, &r.Rules[0]
}

// TestTagsOfOneSourceTagBelongTogether on a commit that two source tags stand on, too.
func TestTagsOfOneSourceTagBelongTogether(t *testing.T) {
	for _, test := range []struct {
		rules string
		names []string
		want  string
	}{
		{"", []string{"kubernetes-1.36.2", "v0.36.2"}, "v1.36.2=kubernetes-1.36.2,v0.36.2"},
		{"", []string{"v0.36.2", "v0.36.1", "kubernetes-1.36.2", "kubernetes-1.36.1"}, "v1.36.1=kubernetes-1.36.1,v0.36.1 v1.36.2=kubernetes-1.36.2,v0.36.2"},
		{"", []string{"kubernetes-1.36.0-rc.1", "v0.36.0-rc.1"}, "v1.36.0-rc.1=kubernetes-1.36.0-rc.1,v0.36.0-rc.1"},
		{"", []string{"kubernetes-1.10.3"}, "v1.10.3=kubernetes-1.10.3"},
		{"", []string{"v3.0.0", "experiment", "v0.36.2"}, "v1.36.2=v0.36.2 =v3.0.0 =experiment"},
		{"tags: [{constraint: '>=2', name: 'v{{.Version}}'}]", []string{"v2.1.0", "kubernetes-1.1.0"}, "v2.1.0=v2.1.0 =kubernetes-1.1.0"},
	} {
		all, rule := parse(t, test.rules)
		var got []string
		for _, r := range release.NewGrouper(all, rule).Group(test.names) {
			got = append(got, r.Source+"="+strings.Join(r.Names, ","))
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%q, %q: %s, want %s", test.rules, test.names, got, test.want)
		}
	}
}

// TestMatrixHasARowForEachClientAndAColumnForEachCluster, the newest first, and 1.10
// after 1.9.
func TestMatrixHasARowForEachClientAndAColumnForEachCluster(t *testing.T) {
	all, rule := parse(t, "")
	g := release.NewGrouper(all, rule)
	releases := g.Group([]string{
		"v0.36.0", "kubernetes-1.36.0", "v0.36.1", "kubernetes-1.36.1", "v0.99.0", "kubernetes-1.99.0",
		"v0.100.0-alpha.1", "kubernetes-1.100.0-alpha.1", "kubernetes-1.10.0", "experiment",
	})
	m := release.NewMatrix(releases, "master")
	var got strings.Builder
	fmt.Fprintln(&got, "", m.Clusters)
	for _, r := range m.Rows {
		fmt.Fprint(&got, r.Name(), " ", r.Newest.Version)
		for _, f := range r.Fits {
			fmt.Fprint(&got, " ", f.Sign())
		}
		fmt.Fprintln(&got)
	}
	want := ` [1.100 1.99 1.36]
master  +- +- +-
v0.100 v0.100.0-alpha.1 ✓ +- +-
v0.99 v0.99.0 +- ✓ +-
v0.36 v0.36.1 +- +- ✓
`
	if got.String() != want {
		t.Errorf("the matrix is\n%swant\n%s", got.String(), want)
	}
	if m := release.NewMatrix(g.Group([]string{"kubernetes-1.10.0", "experiment"}), "master"); m != nil {
		t.Errorf("no release has both names, and there is a matrix: %+v", m)
	}
}

func TestMaintenanceIsWhatTheRulesSay(t *testing.T) {
	all, rule := parse(t, "")
	var got []release.Maintenance
	for _, name := range []string{"master", "release-1.30", "else"} {
		got = append(got, release.MaintenanceOf(all, rule, name))
	}
	if want := []release.Maintenance{release.Followed, release.Ended, release.Unnamed}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
