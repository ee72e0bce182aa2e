package rules

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// An editor puts lines into a file and takes some out, by the places of its nodes, and
// does the same to the rules that the file stands for. It knows no more of YAML's syntax
// than indentation: what comes out is parsed again and compared.
type editor struct {
	file string
	// lines have their line breaks, which are all eol.
	lines   []string
	eol     string
	splices []splice
	errs    []error
}

// splice replaces the lines [from, to), counted from 0.
type splice struct {
	from, to int
	lines    []string
}

// selection says which rules to edit: those for the destinations or, where there are none,
// those that suit.
type selection struct {
	destinations []string
	suits        func(*Rule) bool
	// none is the error where no rule suits.
	none string
}

// edit lets change have each selected rule, with its node, and make the same of both.
// It returns the new file, and the destinations of the rules.
func edit(data []byte, file string, s selection, change func(*editor, *Rule, *yaml.Node) error) ([]byte, []string, error) {
	rules, root, err := parseNodes(file, data)
	if err != nil {
		return nil, nil, err
	}
	selected, err := rules.pick(s)
	if err != nil {
		return nil, nil, err
	}
	e, err := newEditor(file, data)
	if err != nil {
		return nil, nil, err
	}
	_, list := lookUp(root, "rules")
	e.hasLines(root)
	e.hasLines(list)
	var destinations []string
	for _, i := range selected {
		r := &rules.Rules[i]
		destinations = append(destinations, r.Destination)
		e.hasLines(list.Content[i])
		if err := change(e, r, list.Content[i]); err != nil {
			e.errs = append(e.errs, fmt.Errorf("rule for %q %w", r.Destination, err))
		}
	}
	if err := errors.Join(e.errs...); err != nil {
		return nil, nil, err
	}
	out := e.bytes()
	edited, err := Parse(file, out)
	if err != nil {
		return nil, nil, fmt.Errorf("the file would become invalid:\n%w", err)
	}
	if !reflect.DeepEqual(uncompiled(edited.Rules), uncompiled(rules.Rules)) {
		return nil, nil, fileProblem(file, positionOf(list), "cannot be edited line by line: lines would change their meaning")
	}
	return out, destinations, nil
}

// uncompiled leaves rules what can be compared.
func uncompiled(rules []Rule) []Rule {
	for i := range rules {
		for j, t := range rules[i].Tags {
			rules[i].Tags[j] = TagRule{Constraint: t.Constraint, Template: t.Template}
		}
	}
	return rules
}

// pick returns the indices of the selected rules, in ascending order.
func (r *Rules) pick(s selection) ([]int, error) {
	var picked []int
	if len(s.destinations) == 0 {
		for i := range r.Rules {
			if s.suits(&r.Rules[i]) {
				picked = append(picked, i)
			}
		}
		if len(picked) == 0 {
			return nil, errors.New(s.none)
		}
		return picked, nil
	}
	var errs []error
	known := r.destinations()
	for _, d := range s.destinations {
		switch i := slices.Index(known, d); {
		case i < 0:
			errs = append(errs, fmt.Errorf("there is no rule for %q%s", d, didYouMean(d, known)))
		case !slices.Contains(picked, i):
			picked = append(picked, i)
		}
	}
	slices.Sort(picked)
	return picked, errors.Join(errs...)
}

// newEditor splits a file into lines that are the YAML parser's, which knows more line
// breaks.
func newEditor(file string, data []byte) (*editor, error) {
	s := string(data)
	if strings.ContainsAny(s, "\u0085\u2028\u2029") || strings.Count(s, "\r") != strings.Count(s, "\r\n") {
		return nil, fileProblem(file, position{1, 1}, "cannot be edited: it has line breaks other than \\n and \\r\\n")
	}
	e := &editor{file: file, eol: "\n"}
	if strings.Contains(s, "\r\n") {
		e.eol = "\r\n"
	}
	if !strings.HasSuffix(s, "\n") {
		s += e.eol
	}
	e.lines = slices.Collect(strings.Lines(s))
	return e, nil
}

// bytes returns the file with all splices done. They must not overlap.
func (e *editor) bytes() []byte {
	slices.SortStableFunc(e.splices, func(a, b splice) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var out []string
	at := 0
	for _, s := range e.splices {
		out = append(append(out, e.lines[at:s.from]...), s.lines...)
		at = s.to
	}
	return []byte(strings.Join(append(out, e.lines[at:]...), ""))
}

func (e *editor) fail(n *yaml.Node, reason string) {
	e.errs = append(e.errs, fileProblem(e.file, positionOf(n), "cannot be edited line by line: %s", reason))
}

// hasLines fails where a collection is in flow style.
func (e *editor) hasLines(n *yaml.Node) bool {
	if n.Style&yaml.FlowStyle == 0 {
		return true
	}
	style := map[yaml.Kind]string{yaml.MappingNode: "{...}", yaml.SequenceNode: "[...]"}[n.Kind]
	e.fail(n, fmt.Sprintf("%q is flow style; write it in lines of its own", style))
	return false
}

func (e *editor) blank(line int) bool {
	return line >= len(e.lines) || strings.TrimSpace(e.lines[line]) == ""
}

// indent is the number of spaces that a line begins with.
func (e *editor) indent(line int) int {
	return len(e.lines[line]) - len(strings.TrimLeft(e.lines[line], " "))
}

// end returns the line after a node in a collection that stands in a column. Lines
// further in than that belong to the node, comments too; blank lines at its end do not.
func (e *editor) end(n *yaml.Node, column int) int {
	for len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	end := n.Line
	for i := end; i < len(e.lines) && (e.blank(i) || e.indent(i) >= column); i++ {
		if !e.blank(i) {
			end = i + 1
		}
	}
	return end
}

// entry returns the lines [from, to) of an entry of a list, from its dash on.
func (e *editor) entry(list *yaml.Node, i int) (from, to int) {
	n, dash := list.Content[i], list.Column-1
	for from = n.Line - 1; from >= list.Line-1; from-- {
		if !e.blank(from) && e.indent(from) == dash && e.lines[from][dash] == '-' {
			return from, e.end(n, list.Column)
		}
	}
	e.fail(n, "its dash is not at the beginning of a line")
	return n.Line, n.Line
}

// remove takes an entry out of a list. Blank lines on both sides become those on one side.
func (e *editor) remove(list *yaml.Node, i int) {
	if !e.hasLines(list) {
		return
	}
	from, to := e.entry(list, i)
	for e.blank(to) && from > 0 && e.blank(from-1) {
		from--
	}
	e.splices = append(e.splices, splice{from: from, to: to})
}

// add adds entries to a list of a rule. Where the rule has no such list, it comes last
// in the rule.
func (e *editor) add(rule *yaml.Node, key string, entries ...*yaml.Node) {
	if len(entries) == 0 {
		return
	}
	added := &yaml.Node{Kind: yaml.SequenceNode, Content: entries}
	switch k, list := lookUp(rule, key); {
	case k == nil:
		e.set(rule, key, added)
	case isNull(list) && (list.Value != "" || list.Style != 0):
		e.fail(list, "a list is to take its place; remove it")
	case isNull(list):
		column := k.Column
		if !compact(rule) {
			column += 2
		}
		e.write(rule, k.Line, k.Line, column, added)
	case e.hasLines(list):
		last := len(list.Content) - 1
		from, to := e.entry(list, last)
		e.write(rule, to, to, list.Column, added)
		// Where blank lines stand between entries, one more does.
		if added := &e.splices[len(e.splices)-1]; last > 0 && e.blank(from-1) {
			added.lines = slices.Insert(added.lines, 0, e.eol)
		}
	}
}

// set gives a key of a rule a value. Where the rule has no such key, it comes last.
func (e *editor) set(rule *yaml.Node, key string, value *yaml.Node) {
	from := e.end(rule, rule.Column-1)
	to := from
	if k, old := lookUp(rule, key); k != nil {
		if from, to = k.Line-1, e.end(old, k.Column+1); e.indent(from) != k.Column-1 {
			e.fail(k, "it stands in the line of a dash; let another key be the first")
		}
	}
	e.write(rule, from, to, rule.Column, mappingNode(stringNode(key), value))
}

// write writes a node in the place of lines of a rule, in the rule's style.
func (e *editor) write(rule *yaml.Node, from, to, column int, n *yaml.Node) {
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if compact(rule) {
		encoder.CompactSeqIndent()
	}
	if err := encoder.Encode(n); err != nil {
		e.errs = append(e.errs, err)
	}
	s := splice{from: from, to: to}
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			line = strings.Repeat(" ", column-1) + line
		}
		s.lines = append(s.lines, line+e.eol)
	}
	e.splices = append(e.splices, s)
}

// compact reports whether the dashes of a rule's lists stand below the keys.
func compact(rule *yaml.Node) bool {
	for i := 0; i < len(rule.Content); i += 2 {
		if list := rule.Content[i+1]; list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle == 0 {
			return list.Column == rule.Content[i].Column
		}
	}
	return true
}

// lookUp returns a key of a mapping and its value, or nils.
func lookUp(mapping *yaml.Node, key string) (k, v *yaml.Node) {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

func stringNode(value string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(value)
	return n
}

func stringNodes(values []string) []*yaml.Node {
	var nodes []*yaml.Node
	for _, v := range values {
		nodes = append(nodes, stringNode(v))
	}
	return nodes
}

func mappingNode(keysAndValues ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: keysAndValues}
}

// copyNode copies a node without its comments.
func copyNode(n *yaml.Node) *yaml.Node {
	c := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value}
	for _, child := range n.Content {
		c.Content = append(c.Content, copyNode(child))
	}
	return c
}
