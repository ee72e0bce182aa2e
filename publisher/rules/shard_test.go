package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/rules"
)

// parseGraph makes rules of lines "a: b c", where a depends on b and c.
func parseGraph(t *testing.T, graph string) *rules.Rules {
	t.Helper()
	var b strings.Builder
	b.WriteString("rules:\n")
	for line := range strings.Lines(graph) {
		name, on, _ := strings.Cut(strings.TrimSpace(line), ":")
		fmt.Fprintf(&b, "- destination: %s\n  branches:\n  - name: master\n    source: {branch: main, dir: %[1]s}\n    dependencies:\n", name)
		for _, d := range strings.Fields(on) {
			fmt.Fprintf(&b, "    - {repository: %s, branch: master}\n", d)
		}
	}
	r, err := rules.Parse("rules.yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kept(r *rules.Rules) (names []string) {
	for _, rule := range r.Rules {
		if !rule.Skipped {
			names = append(names, rule.Destination)
		}
	}
	slices.Sort(names)
	return names
}

const graph = `api: machinery
machinery:
client: api machinery
server: client
cli: client
alone:
x: y
y: x
sample: server`

func TestShardsHaveWhatTheirDestinationsDependOn(t *testing.T) {
	for shard, want := range map[string]string{
		"0/1": "alone api cli client machinery sample server x y",
		"0/2": "alone api client machinery sample server",
		"1/2": "api cli client machinery x y",
		"0/3": "alone x y",
		"1/3": "api cli client machinery",
		"2/3": "api client machinery sample server",
		"5/6": "",
	} {
		r := parseGraph(t, graph)
		s, err := rules.ParseShard(shard)
		if err != nil {
			t.Fatal(err)
		}
		r.Restrict(s)
		if got := strings.Join(kept(r), " "); got != want {
			t.Errorf("%s has %s, want %s", shard, got, want)
		}
	}
}

func TestShardsTogetherHaveAll(t *testing.T) {
	all := kept(parseGraph(t, graph))
	for count := 1; count < 12; count++ {
		var union []string
		for index := range count {
			r := parseGraph(t, graph)
			r.Restrict(rules.Shard{Index: index, Count: count})
			names := kept(r)
			union = append(union, names...)
			for _, name := range names {
				for _, on := range r.Rule(name).DependsOn() {
					if !slices.Contains(names, on) {
						t.Errorf("shard %d of %d has %s, but not %s", index, count, name, on)
					}
				}
			}
		}
		slices.Sort(union)
		if union = slices.Compact(union); !slices.Equal(union, all) {
			t.Errorf("%d shards have %s", count, union)
		}
	}
}

func TestNoShardIsAllDestinations(t *testing.T) {
	r := parseGraph(t, graph)
	r.Restrict(rules.Shard{})
	if len(kept(r)) != 9 {
		t.Errorf("there are %s", kept(r))
	}
}

func TestShardThatIsNoneIsAnError(t *testing.T) {
	for _, text := range []string{"", "1", "4/4", "0/0", "-1/3", "a/b", "0/3/1", "00001/3"} {
		if s, err := rules.ParseShard(text); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
	if _, err := rules.ParseShard("4/4"); err == nil || !strings.Contains(err.Error(), "the last of 4 is 3/4") {
		t.Errorf("4/4: %v", err)
	}
}
