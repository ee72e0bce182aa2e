package jsonpath_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/jsonpath"
)

const nodes = `{
	"kind": "List", "none": null, "flag": true, "big": 12345678901, "empty": [], "html": "<a&b>",
	"numbers": [0,1,2,3,4,5,6,7,8,9],
	"nested": [[1,2],[3,4,[5]]],
	"a.b": "dotted", "x y": "spaced", "a$b": "dollar",
	"items": [
		{"metadata": {"name": "n1", "labels": {"kubernetes.io/os": "linux", "gpu": "yes"}}, "status": {"n": 1, "ready": true, "addresses": [{"type": "IP", "address": "10.0.0.1"}]}},
		{"metadata": {"name": "n2", "labels": {"kubernetes.io/os": "plan9"}}, "status": {"n": 2.5, "ready": false, "addresses": [{"type": "IP", "address": "10.0.0.2"}, {"type": "DNS", "address": "two"}]}}
	]
}`

func document(t testing.TB) any {
	var document any
	if err := json.Unmarshal([]byte(nodes), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func execute(template string, document any, set ...func(*jsonpath.JSONPath)) (string, error) {
	j := jsonpath.New("test")
	for _, s := range set {
		s(j)
	}
	if err := j.Parse(template); err != nil {
		return "", err
	}
	var b strings.Builder
	err := j.Execute(&b, document)
	return b.String(), err
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct{ template, want string }{
		{`plain text`, `plain text`},
		{`a{.kind}b`, `aListb`},
		{`{.kind}{"\t"}{.kind}{'\n'}`, "List\tList\n"},
		{`{.kind} and {.flag}`, `List and true`},
		{`{"a}b"}{'it\'s'}{"\u00e9"}`, `a}bit'sé`},
		{`{1}{-1.5}{true}`, `1-1.5true`},
		{`{$.kind}{@.kind}{ .kind }`, `ListListList`},
		{`{.a\.b}{['a\.b']}{["a.b"]}`, `dotteddotteddotted`},
		{`{["x y"]}{['x y']}{.a\$b}`, `spacedspaceddollar`},
		{`{.none}{.empty}{.big}{.html}`, `null[]1.2345678901e+10<a&b>`},
		{`{.items[*].metadata.name}`, `n1 n2`},
		{`{.items.*.metadata.name}`, `n1 n2`},
		{`{.items[0].metadata.name}{.items[-1].metadata.name}`, `n1n2`},
		{`{.items[0].metadata.labels.kubernetes\.io/os}`, `linux`},
		{`{.items[*].metadata.labels.gpu}`, `yes`},
		{`{.items[*]['metadata.name', 'status.n']}`, `n1 n2 1 2.5`},
		{`{.items[0].metadata.labels}`, `{"gpu":"yes","kubernetes.io/os":"linux"}`},
		{`{.items[0].metadata.labels.*}`, `yes linux`},
		{`{.numbers[2:5]}`, `2 3 4`},
		{`{.numbers[:2]}{.numbers[8:]}{.numbers[-2:]}{.numbers[:-8]}`, `0 18 98 90 1`},
		{`{.numbers[1:9:3]}{.numbers[::4]}`, `1 4 70 4 8`},
		{`{.numbers[0,-1,3:5]}`, `0 9 3 4`},
		{`{.numbers[5:5]}{.empty[*]}`, ``},
		{`{.numbers[10:]}{.numbers[11:11]}{.numbers[-11:-11]}{.empty[:]}{.empty[0:]}`, ``},
		{`{.nested[*][0]}{.nested[1][2]}{.nested[*][*]}`, `1 3[5]1 2 3 4 [5]`},
		{`{..name}`, `n1 n2`},
		{`{.items..address}`, `10.0.0.1 10.0.0.2 two`},
		{`{.items[?(@.metadata.name=="n2")].status.n}`, `2.5`},
		{`{.items[?("n2"==@.metadata.name)].status.n}`, `2.5`},
		{`{.items[?(@['metadata.name'] != 'n2')].status.n}`, `1`},
		{`{.items[?(@.metadata.labels.gpu)].metadata.name}`, `n1`},
		{`{.items[?(@.status.ready==true)].metadata.name}`, `n1`},
		{`{.items[?(@.status.n==1)].metadata.name}`, `n1`},
		{`{.items[?(@.status.n>=1.0)].metadata.name}`, `n1 n2`},
		{`{.items[?(@.status.addresses[0].address=="10.0.0.2")].metadata.name}`, `n2`},
		{`{.items[*].status.addresses[?(@.type=="DNS")].address}`, `two`},
		{`{.items[?(@.metadata.name==")]")].kind}`, ``},
		{`{.numbers[?(@ > 6)]}{.numbers[?(@<2)]}{.numbers[?(@<=0)]}`, `7 8 90 10`},
		{`{range .items[*]}{.metadata.name}{"\n"}{end}`, "n1\nn2\n"},
		{`{range .items[*]}{range .status.addresses[*]}{.address} {end}/{end}.`, `10.0.0.1 /10.0.0.2 two /.`},
		{`{range .numbers[8:]}{.}{","}{end}`, `8,9,`},
		{`{range .empty[*]}{.x}{end}nothing`, `nothing`},
	} {
		got, err := execute(c.template, document(t))
		if got != c.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", c.template, got, err, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ template, want string }{
		{`{.kind`, "unclosed action"},
		{`{range .items[*]`, "unclosed action"},
		{`{{.kind}}`, "unrecognized character"},
		{`{.kind, .flag}`, "unrecognized character"},
		{`{"kind}`, "unterminated quoted string"},
		{`{"\q"}`, "invalid syntax"},
		{`{1.2.3}`, "cannot parse number 1.2.3"},
		{`{.items[}`, "unterminated array"},
		{`{.items[a]}`, "invalid array index a"},
		{`{.items[1:2:3:4]}`, "invalid array index 1:2:3:4"},
		{`{.items['a'b]}`, "invalid array index 'a'b"},
		{`{.items[?(@.a==1]}`, "unterminated filter"},
		{`{.items[?(@.a==1)}`, "unclosed array"},
		{`{.items[?(@.a==1 && @.b==2)]}`, "unrecognized character"},
		{`{.items[?(@.status.n=~"1")]}`, "unrecognized character"},
		{`{.items[?(@.status.n=1)]}`, "unrecognized filter operator ="},
		{`{.nope}`, "nope is not found"},
		{`{.kind.nope}`, "nope is not found"},
		{`{range .nope[*]}{end}`, "nope is not found"},
		{`{nope}`, "unrecognized identifier nope"},
		{`{end}`, "not in range, nothing to end"},
		{`{range .items[*]}{end}{end}`, "not in range, nothing to end"},
		{`{.kind[0]}`, "string is not array or slice"},
		{`{.kind[?(@.a)]}`, "cannot be filtered"},
		{`{.numbers[10]}`, "index 10, length 10"},
		{`{.numbers[-11]}`, "index -1, length 10"},
		{`{.numbers[0:11]}`, "index 10, length 10"},
		{`{.numbers[11:]}`, "index 11, length 10"},
		{`{.empty[:1]}`, "index 0, length 0"},
		{`{.numbers[5:2]}`, "starting index 5 is greater than ending index 2"},
		{`{.numbers[::0]}`, "step must be > 0"},
		{`{.items[?(@.status.n=="1")]}`, "incompatible types"},
		{`{.items[?(@.status=="1")]}`, "invalid type"},
		{`{.items[?(@.status.ready<true)]}`, "invalid type"},
		{`{.items[?(@.metadata.nope=="1")]}`, "nope is not found"},
		{`{.items[?(@.status.addresses[*].type=="IP")]}`, "one element at a time"},
	} {
		got, err := execute(c.template, document(t))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.template, err, c.want)
		}
		if got != "" {
			t.Errorf("%s: printed %q before the error", c.template, got)
		}
	}
}

func TestMissingKeysYieldNothingWhereAllowed(t *testing.T) {
	for template, want := range map[string]string{
		`{.nope}|{.kind.nope}|{.none.x}|`:                         `|||`,
		`{range .nope[*]}{.x}{end}after`:                          `after`,
		`{.items[?(@.metadata.labels.gpu=="yes")].metadata.name}`: `n1`,
	} {
		got, err := execute(template, document(t), func(j *jsonpath.JSONPath) { j.AllowMissingKeys(true) })
		if got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", template, got, err, want)
		}
	}
}

func TestJSONOutputIsAnArrayPerQuery(t *testing.T) {
	for template, want := range map[string]string{
		`{.kind}`:                   "[\n    \"List\"\n]\n",
		`{.numbers[0:2]}`:           "[\n    0,\n    1\n]\n",
		`{.none}`:                   "[\n    null\n]\n",
		`{.empty[*]}`:               "[]\n",
		`{.kind}{.numbers[?(@>8)]}`: "[\n    \"List\"\n]\n[\n    9\n]\n",
	} {
		got, err := execute(template, document(t), func(j *jsonpath.JSONPath) { j.EnableJSONOutput(true) })
		if got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", template, got, err, want)
		}
	}
}

type inner struct {
	Shown  string `json:"shown"`
	Number float32
}

type outer struct {
	inner
	*Optional
	Tagged  int `json:"tagged,omitempty"`
	Skipped int `json:"-"`
	Pointer *inner
	Any     any
	Ints    map[int]string
	private string
}

type Optional struct{ Deep string }

func TestStructs(t *testing.T) {
	value := &outer{inner: inner{"s", 8.95}, Tagged: 3, Skipped: 4, Pointer: &inner{"p", 1}, private: "x"}
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "u", Labels: map[string]string{"app": "x"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "c1", Image: "i1", Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("2")}}},
			{Name: "c2", Image: "i2"},
		}},
	}
	for _, c := range []struct {
		document       any
		template, want string
	}{
		{value, `{.shown}{.Shown}{.tagged}{.Tagged}{.Skipped}`, `ss334`},
		{value, `{.Pointer.shown}{.Pointer}`, `p{"shown":"p","Number":1}`},
		{[]inner{{"a", 8.95}, {"b", 9}}, `{[?(@.Number==8.95)].shown}`, `a`},
		{[]inner{{"a", 8.95}, {"b", 9}}, `{[?(@.Number<9)].shown}`, `a`},
		{pod, `{.kind} {.metadata.name} {.metadata.uid} {.Name}`, `Pod web u web`},
		{pod, `{.metadata.labels.app}{.metadata.labels}`, `x{"app":"x"}`},
		{pod, `{.spec.containers[?(@.name=="c2")].image}`, `i2`},
		{pod, `{.spec.containers[*].resources.limits.cpu}`, `"2"`},
		{pod, `{..image}`, `i1 i2`},
		{[2]uint8{1, 2}, `{[1]}`, `2`},
		{nil, `{.}{[0]}{..}`, `<no value>`},
		{"text", `{}{@}`, `texttext`},
	} {
		got, err := execute(c.template, c.document)
		if got != c.want || err != nil {
			t.Errorf("%T %s: got %q, %v, want %q", c.document, c.template, got, err, c.want)
		}
	}
	for _, template := range []string{`{.private}`, `{.Deep}`, `{.name}`, `{.Any.x}`} {
		if got, err := execute(template, value); err == nil || !strings.Contains(err.Error(), "is not found") {
			t.Errorf("%s: got %q, %v", template, got, err)
		}
	}
	if _, err := execute(`{.Ints.x}`, &outer{Ints: map[int]string{1: "a"}}); err == nil || !strings.Contains(err.Error(), "not convertible") {
		t.Errorf("got error %v", err)
	}
}

func TestTemplateThatWasNotParsedIsAnError(t *testing.T) {
	if _, err := jsonpath.New("mine").FindResults(1); err == nil || !strings.Contains(err.Error(), "mine") {
		t.Errorf("got error %v", err)
	}
}

func TestTemplateMayBeUsedConcurrently(t *testing.T) {
	j := jsonpath.New("test")
	if err := j.Parse(`{range .items[*]}{.metadata.name}{end}`); err != nil {
		t.Fatal(err)
	}
	document := document(t)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 50 {
				var b strings.Builder
				if err := j.Execute(&b, document); err != nil || b.String() != "n1n2" {
					t.Errorf("got %q, %v", b.String(), err)
					return
				}
			}
		})
	}
	workers.Wait()
}

func TestUnquote(t *testing.T) {
	for quoted, want := range map[string]string{
		`"a"`: "a", `'ab'`: "ab", `'it\'s'`: "it's", `"say \"hi\""`: `say "hi"`, `"it's"`: "it's", `'\n\t'`: "\n\t", `"\u00e9é"`: "éé", `''`: "",
	} {
		if got, err := jsonpath.UnquoteExtend(quoted); got != want || err != nil {
			t.Errorf("%s is %q, %v, want %q", quoted, got, err, want)
		}
	}
	for _, malformed := range []string{``, `"`, `a`, `"a`, `'a"`, "`a`", `'\x'`, `"\'"`, `"a"b"`} {
		if got, err := jsonpath.UnquoteExtend(malformed); !errors.Is(err, jsonpath.ErrSyntax) {
			t.Errorf("%s is %q, %v", malformed, got, err)
		}
	}
}

// dump writes a tree in one line.
func dump(node jsonpath.Node) string {
	switch node := node.(type) {
	case *jsonpath.ListNode:
		var parts []string
		for _, n := range node.Nodes {
			parts = append(parts, dump(n))
		}
		return "(" + strings.Join(parts, " ") + ")"
	case *jsonpath.UnionNode:
		var parts []string
		for _, n := range node.Nodes {
			parts = append(parts, dump(n))
		}
		return "union[" + strings.Join(parts, " ") + "]"
	case *jsonpath.FilterNode:
		return "filter[" + dump(node.Left) + node.Operator + dump(node.Right) + "]"
	}
	return strings.TrimPrefix(node.String(), "Node")
}

func TestTrees(t *testing.T) {
	for template, want := range map[string]string{
		`x{.a.b}`:            `(Text: x (Field: a Field: b))`,
		`{range .a[*]}{end}`: `((Identifier: range Field: a Array: [{0 false false} {0 false false} {0 false false}]) (Identifier: end))`,
		`{[1]}`:              `((Array: [{1 true false} {2 true true} {0 false false}]))`,
		`{[-1:2:3]}`:         `((Array: [{-1 true false} {2 true false} {3 true false}]))`,
		`{..a.*}`:            `((Recursive Field: a Wildcard))`,
		`{['a','b.c']}`:      `((union[(Field: a) (Field: b Field: c)]))`,
		`{[?(@.a==1.5)]}`:    `((filter[(Field: a)==(Float: 1.500000)]))`,
		`{[?(@.a)]}`:         `((filter[(Field: a)exists()]))`,
		`{true}{"a"}{7}`:     `((Bool: true) (Text: a) (Int: 7))`,
	} {
		p, err := jsonpath.Parse("tree", template)
		if err != nil || dump(p.Root) != want {
			t.Errorf("%s: got %s, %v, want %s", template, dump(p.Root), err, want)
		}
	}
}

func TestParserCanBeUsedAgain(t *testing.T) {
	p := jsonpath.NewParser("again")
	for _, template := range []string{`{.a}`, `{.bcd}`, `{`, `x`} {
		err := p.Parse(template)
		if (err == nil) != (p.Root != nil) {
			t.Errorf("%s: error %v, root %v", template, err, p.Root)
		}
	}
	if dump(p.Root) != "(Text: x)" {
		t.Errorf("the tree is %s", dump(p.Root))
	}
}

func FuzzTemplatesNeverPanic(f *testing.F) {
	for _, seed := range []string{
		`{.items[*].metadata.name}`, `{range .items[*]}{.a}{"\n"}{end}`, `{.a[?(@.b=="c")].d}`, `{..a[0,-1:3]['x.y']["z"]}`,
		`{.a\.b}{'q\'q'}`, `{[?(@.a[?(@.b)]<=1.5)]}`, `{range`, `{[9223372036854775807]}`, `{.numbers[-9223372036854775808:9223372036854775807:9223372036854775807]}`,
	} {
		f.Add(seed)
	}
	document := document(f)
	f.Fuzz(func(t *testing.T, template string) {
		p, err := jsonpath.Parse("fuzz", template)
		if (err == nil) != (p.Root != nil) {
			t.Fatalf("error %v, root %v", err, p.Root)
		}
		if err != nil {
			return
		}
		again, _ := jsonpath.Parse("fuzz", template)
		if dump(p.Root) != dump(again.Root) {
			t.Errorf("the tree is %s, then %s", dump(p.Root), dump(again.Root))
		}
		if !strings.Contains(template, "{") && template != "" && dump(p.Root) != "(Text: "+template+")" {
			t.Errorf("text is %s", dump(p.Root))
		}
		for _, document := range []any{document, nil, &outer{}, &corev1.Pod{}} {
			_, _ = execute(template, document)
		}
	})
}

func BenchmarkExecute(b *testing.B) {
	j := jsonpath.New("bench")
	if err := j.Parse(`{range .items[*]}{.metadata.name}{"\t"}{.status.addresses[?(@.type=="IP")].address}{"\n"}{end}`); err != nil {
		b.Fatal(err)
	}
	document := document(b)
	b.ReportAllocs()
	for b.Loop() {
		var s strings.Builder
		if err := j.Execute(&s, document); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNothingIsFoundInWhatIsEmpty(t *testing.T) {
	for _, data := range []any{map[string]any{}, []any{}, struct{}{}, map[string]int(nil), []int(nil)} {
		for _, template := range []string{"{..image}", "{..}", "{..*}"} {
			var out strings.Builder
			j := jsonpath.New("t")
			if err := j.Parse(template); err != nil {
				t.Fatal(err)
			}
			if err := j.Execute(&out, data); err != nil || out.String() != "" {
				t.Errorf("%s of %T: got %q, %v", template, data, out.String(), err)
			}
		}
	}
	// Among others, what is empty is passed over.
	data := map[string]any{"a": map[string]any{}, "b": map[string]any{"image": "i"}, "c": []any{}}
	for template, want := range map[string]string{"{..image}": "i", "{.a..image}": "", "{.c..image}": "", "{..b..}": `{"image":"i"} i`} {
		var out strings.Builder
		j := jsonpath.New("t")
		if err := j.Parse(template); err != nil {
			t.Fatal(err)
		}
		if err := j.Execute(&out, data); err != nil || out.String() != want {
			t.Errorf("%s: got %q, %v, want %q", template, out.String(), err, want)
		}
	}
}

func TestDescentIntoDescentIsAnError(t *testing.T) {
	for _, template := range []string{"{....}", "{....a}", "{.....a}", "{.a....b}", "{........}", "{[?(@....a)]}"} {
		if err := jsonpath.New("t").Parse(template); err == nil || err.Error() != "invalid multiple recursive descent" {
			t.Errorf("%s: got %v", template, err)
		}
	}
	if err := jsonpath.New("t").Parse("{...a..b}"); err != nil {
		t.Error(err)
	}
}
