package clientcmd

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestBlockYAMLIsTakenOrLeft(t *testing.T) {
	for _, c := range []struct {
		name, yaml, json string // json is empty where a full parser has to do it
	}{
		{"a field", "kind: Config\n", `{"kind":"Config"}`},
		{"no line end", "kind: Config", `{"kind":"Config"}`},
		{"a document marker", "---\nkind: Config\n", `{"kind":"Config"}`},
		{"comments and empty lines", "# a\n\nkind: Config\n  # b\na: b\n", `{"kind":"Config","a":"b"}`},
		{"nothing after a key", "a:\nb:\n", `{"a":null,"b":null}`},
		{"items below their key", "a:\n- b\n- c\nd: e\n", `{"a":["b","c"],"d":"e"}`},
		{"items further in", "a:\n  - b\nd: e\n", `{"a":["b"],"d":"e"}`},
		{"mappings in items", "a:\n- b: c\n  d:\n    e: f\n- b:\n", `{"a":[{"b":"c","d":{"e":"f"}},{"b":null}]}`},
		{"items in items' mappings", "a:\n- b:\n  - c\n  - d\n", `{"a":[{"b":["c","d"]}]}`},
		{"quotes", "a: \"1\"\nb: '{x}'\n", `{"a":"1","b":"{x}"}`},
		{"a URL", "a: https://10.0.0.1:6443/x\n", `{"a":"https://10.0.0.1:6443/x"}`},
		{"words", "a: one two\nb: true\nc: null\nd: {}\ne: []\n", `{"a":"one two","b":true,"c":null,"d":{},"e":[]}`},

		{"nothing", "", ""},
		{"an end", "a: b\n...\n", ""},
		{"a second document", "a: b\n---\nc: d\n", ""},
		{"a list", "- a\n", ""},
		{"a scalar", "a\n", ""},
		{"JSON", `{"a": "b"}`, ""},
		{"an old boolean", "a: Yes\n", ""},
		{"a key that is a boolean", "on: b\n", ""},
		{"a number", "a: 1\n", ""},
		{"a date", "a: 2001-01-01\n", ""},
		{"an anchor", "a: &x b\n", ""},
		{"a tag", "a: !!str b\n", ""},
		{"a merge", "<<: b\n", ""},
		{"a literal", "a: |\n  b\n", ""},
		{"a scalar of two lines", "a: b\n  c\n", ""},
		{"a comment after a value", "a: b # c\n", ""},
		{"a mapping in a line", "a: b: c\n", ""},
		{"an escape", `a: "\n"`, ""},
		{"two quotes", "a: 'b''c'\n", ""},
		{"text after a quote", "a: 'b' c\n", ""},
		{"a tab", "a:\tb\n", ""},
		{"a return", "a: b\r\n", ""},
		{"a duplicate key", "a: b\na: c\n", ""},
		{"a wrong indentation", "a:\n    b: c\n  d: e\n", ""},
		{"an indentation after a value", "a: b\n  c: d\n", ""},
		{"an empty item", "a:\n-\n", ""},
		{"an item in an item", "a:\n- - b\n", ""},
		{"extensions", "extensions: []\n", ""},
		{"a comment that is no text", "a:\n#\xb1", ""},
		{"more than ASCII", "a: bä\n", ""},
		{"great depth", strings.Repeat("a:\n", 1) + deep(200), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := blockToJSON([]byte(c.yaml))
			if want := c.json != ""; ok != want {
				t.Fatalf("taken: %v, want %v", ok, want)
			}
			if ok && string(got) != c.json {
				t.Errorf("got %s, want %s", got, c.json)
			}
			agree(t, []byte(c.yaml))
		})
	}
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

// agree fails unless blockToJSON means what the full parser means.
func agree(t *testing.T, src []byte) {
	t.Helper()
	block, ok := blockToJSON(src)
	if !ok {
		return
	}
	full, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatalf("the full parser does not accept %q: %v", src, err)
	}
	var got, want any
	if err := json.Unmarshal(block, &got); err != nil {
		t.Fatalf("%s: %v", block, err)
	}
	if err := json.Unmarshal(full, &want); err != nil {
		t.Fatalf("%s: %v", full, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q is %s, the full parser says %s", src, block, full)
	}
}

func FuzzBlockYAMLAgreesWithTheFullParser(f *testing.F) {
	for _, seed := range []string{
		"apiVersion: v1\nclusters:\n- cluster:\n    server: https://x:1\n  name: a\ncurrent-context: ''\n",
		"a:\n  - b\n  -  c: d\n     e: \"f g\"\n# x\nh:\n- i\n",
		"a: b c, d?e\nf: /g/h\n", "---\na:\n\n  b:\n", "a: b:c\nd: e#f\ng: h: i\n", "a: y\nb: No\nc: nUll\n",
		"a:\n- b\n c: d\n", "a:\n  b: c\n- d\n", "a: b \n \nc: ~\n", "a: \"b'c\"\n", "a.b/c: d\n-e: f\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) { agree(t, src) })
}
