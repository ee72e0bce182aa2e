package apichange_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"k8s.io/publisher/apichange"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

func std(t testing.TB) *apichange.Std {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	s, err := apichange.NewStd(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compared compares txtar archives, each with the one before.
func compared(t *testing.T, archives ...string) []*apichange.Comparison {
	t.Helper()
	repo := gittest.New(t)
	var versions []apichange.Version
	for _, text := range archives {
		versions = append(versions, apichange.Version{Module: "example.test/m", Tree: repo.Tree(gittest.Archive(text))})
	}
	repo.SetRef("refs/keep", repo.Commit(&object.Commit{Tree: versions[0].Tree, Author: []byte("A <a> 1 +0000"), Committer: []byte("A <a> 1 +0000")}))
	store, err := odb.Open(repo.Dir + "/objects")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	all, err := apichange.New(store, std(t)).Chain(t.Context(), versions)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatChangedIsTold(t *testing.T) {
	for name, test := range map[string]struct{ before, after, want string }{
		"added and removed": {
			"-- a.go --\npackage m\n\nfunc Old() {}\n-- gone/b.go --\npackage gone\n",
			"-- a.go --\npackage m\n\nfunc New() {}\n-- new/b.go --\npackage new\n",
			`{"packages":[{"path":"example.test/m","incompatible":["Old: removed"],"compatible":["New: added"]},{"path":"example.test/m/gone","removed":true},{"path":"example.test/m/new","added":true}],"compared":3}`,
		},
		"what is nobody's business": {
			"-- a.go --\npackage m\n\nfunc F() { g() }\nfunc g() {}\n-- internal/b/b.go --\npackage b\n\nfunc Old() {}\n-- cmd/main.go --\npackage main\n\nfunc Old() {}\n-- a_test.go --\npackage m\n\nfunc Old() {}\n-- nested/go.mod --\nmodule other\n-- nested/a.go --\npackage nested\n\nfunc Old() {}\n-- a_windows.go --\npackage m\n\nfunc Win() {}\n",
			"-- a.go --\npackage m\n\nfunc F() {}\n",
			`{"packages":[],"compared":1}`,
		},
		"standard library": {
			"-- a.go --\npackage m\n\nimport (\n\t\"context\"\n\t\"net/http\"\n\t\"time\"\n)\n\nconst Wait = 3 * time.Second\n\nvar Client = http.DefaultClient\n\nfunc F(ctx context.Context) {}\n",
			"-- a.go --\npackage m\n\nimport (\n\t\"context\"\n\t\"net/http\"\n\t\"time\"\n)\n\nconst Wait = 4 * time.Second\n\nvar Client = &http.Client{}\n\nfunc F(ctx context.Context, n int) {}\n",
			`{"packages":[{"path":"example.test/m","incompatible":["F: changed from func(context.Context) to func(context.Context, int)","Wait: value changed from 3000000000 to 4000000000"]}],"compared":1}`,
		},
		"required modules by name": {
			`-- a.go --
package m

import (
	"cmp"
	metav1 "example.org/apis/meta/v1"
	"example.org/sets"
	yaml "gopkg.in/yaml.v3"
)

type T struct {
	metav1.ObjectMeta
	Items sets.Set[string]
	Raw   *yaml.Node
}

type I interface {
	metav1.Object
	Get() metav1.Time
}

const Ready metav1.ConditionType = "Ready"
const Alias = metav1.NamespaceAll
const Converted = metav1.Kind("x")

var (
	_      metav1.Object = &T{}
	Scheme = metav1.NewScheme(func() int { return 1 })
	Group  = metav1.Group{Name: "x"}
	A, B   = metav1.Pair()
	Func   = func(t metav1.Time) int { return t.Unix() }
)

func Of[T metav1.Object, N cmp.Ordered](t T, n N) sets.Set[T] { return nil }
`,
			`-- a.go --
package m

import (
	"cmp"
	metav1 "example.org/apis/meta/v1"
	"example.org/sets"
	yaml "gopkg.in/yaml.v3"
)

type T struct {
	metav1.ObjectMeta
	Items sets.Set[string]
	Raw   *yaml.Node
	More  metav1.Time
}

type I interface {
	metav1.Object
	Get() metav1.MicroTime
}

const Ready metav1.ConditionType = "Ready"
const Alias = metav1.NamespaceAll
const Converted = metav1.Kind("x")

var (
	_      metav1.Object = &T{}
	Scheme = metav1.NewScheme(func() int { return 2 })
	Group  = metav1.Group{Name: "x"}
	A, B   = metav1.Pair()
	Func   = func(t metav1.Time) int { return t.Unix() }
)

func Of[T metav1.Object, N cmp.Ordered](t T, n N) sets.Set[T] { return nil }
`,
			`{"packages":[{"path":"example.test/m","incompatible":["I.Get: changed from func() example.org/apis/meta/v1.Time to func() example.org/apis/meta/v1.MicroTime"],"compatible":["T.More: added"]}],"compared":1}`,
		},
		"what is not known is left out, and the rest is not": {
			"-- a.go --\npackage m\n\nimport \"example.org/x\"\n\nconst known = x.Name\n\nconst Known = known + \",\"\n\nfunc F() {}\n",
			"-- a.go --\npackage m\n\nimport \"example.org/x\"\n\nconst known = x.Name\n\nconst Known = known + \";\"\n\nfunc F(int) {}\n",
			`{"packages":[{"path":"example.test/m","incompatible":["F: changed from func() to func(int)"]}],"compared":1,"leftOut":[{"path":"example.test/m","why":"in part, as it is not known what it requires: a.go:7:15: invalid operation: known + \";\" (mismatched types x.Name and untyped string)"}]}`,
		},
		"packages of the module": {
			"-- a/a.go --\npackage a\n\ntype T struct{}\n-- b/b.go --\npackage b\n\nimport \"example.test/m/a\"\n\nfunc F(a.T) {}\n",
			"-- a/a.go --\npackage a\n\ntype T struct{}\n-- b/b.go --\npackage b\n\nimport \"example.test/m/a\"\n\nfunc F(*a.T) {}\n",
			`{"packages":[{"path":"example.test/m/b","incompatible":["F: changed from func(example.test/m/a.T) to func(*example.test/m/a.T)"]}],"compared":1}`,
		},
	} {
		got, err := json.Marshal(compared(t, test.before, test.after)[0])
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, test.want)
		}
	}
}

// TestWhatCannotBeCheckedIsLeftOut and all else is not.
func TestWhatCannotBeCheckedIsLeftOut(t *testing.T) {
	all := compared(t,
		"-- a/a.go --\npackage a\n\nfunc F() {}\n-- b/b.go --\npackage b\n\nfunc (\n-- c/c.go --\npackage c\n\nvar A [n]int\n-- d/d.go --\npackage d\n\nimport \"example.test/m/d\"\n\ntype T d.T\n",
		"-- a/a.go --\npackage a\n-- b/b.go --\npackage b\n\nfunc )\n-- c/c.go --\npackage c\n\nvar A [m]int\n-- d/d.go --\npackage d\n\nimport \"example.test/m/d\"\n\ntype U d.T\n",
		"-- a/a.go --\npackage a\n\nfunc G() {}\n")
	var left []string
	for _, l := range all[0].LeftOut {
		left = append(left, l.Path)
	}
	if got := strings.Join(left, " "); got != "example.test/m/b example.test/m/c example.test/m/d" {
		t.Errorf("left out are %s", got)
	}
	if first := all[0].Packages[0]; first.Path != "example.test/m/a" || len(first.Incompatible) != 1 {
		t.Errorf("%+v", all[0])
	}
	if _, n := all[1].Counts(); n != 1 {
		t.Errorf("%+v", all[1])
	}
}
