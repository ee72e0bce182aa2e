package rules

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// parseNodes returns the document's root too, for who edits it.
func parseNodes(file string, data []byte) (*Rules, *yaml.Node, error) {
	root, err := document(file, data)
	if err != nil {
		return nil, nil, err
	}
	r := &Rules{file: file, positions: positions{"": positionOf(root)}}
	d := &decoder{rules: r, problems: problems{file: file}, unread: map[string]bool{}, obsolete: map[string]int{}, keys: map[reflect.Type]map[string]int{}}
	d.read(root, nil, reflect.ValueOf(r).Elem())
	validate(r, &d.problems, d.unread)
	if err := d.problems.err(); err != nil {
		return nil, nil, err
	}
	return r, root, nil
}

// obsoleteKeys are keys of publishing-bot that have no effect, and why.
var obsoleteKeys = map[reflect.Type]map[string]string{
	reflect.TypeFor[Rules](): {
		"skip-non-semver-tags": "tags that are no versions are never published",
	},
	reflect.TypeFor[Rule](): {
		"library":               "all mirrors are published alike",
		"publish-script":        "publishing runs no scripts",
		"remove-git-attributes": "use recursive-delete-patterns",
	},
	reflect.TypeFor[Branch](): {
		"required-packages": "what a module requires is in its go.mod",
	},
	reflect.TypeFor[Source](): {
		"repository": "the source repository is given to the publisher, not here",
	},
}

// decoder reads nodes into values. It notes the place of every value, and goes
// on after a problem.
type decoder struct {
	rules    *Rules
	problems problems
	keys     map[reflect.Type]map[string]int
	// unread are the paths of values that are there but could not be read.
	unread map[string]bool
	// obsolete counts the uses of obsolete keys.
	obsolete map[string]int
}

// kinds are the kinds of nodes that values are read from, and how a user calls them.
var kinds = map[reflect.Kind]struct {
	node   yaml.Kind
	wanted string
}{
	reflect.Struct: {yaml.MappingNode, "must be a mapping"},
	reflect.Slice:  {yaml.SequenceNode, "must be a list"},
	reflect.String: {yaml.ScalarNode, "must be a string"},
	reflect.Bool:   {yaml.ScalarNode, "must be true or false"},
}

// read reads the node at a path. An empty node leaves the value as it is, but for a
// pointer: that is nil only where there is no node.
func (d *decoder) read(n *yaml.Node, path *field.Path, v reflect.Value) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(n, field.ErrorTypeForbidden, path, anchorsForbidden)
		if n.Kind == yaml.AliasNode {
			d.unread[pathString(path)] = true
			return
		}
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if isNull(n) {
		return
	}
	kind := kinds[v.Kind()]
	ok := n.Kind == kind.node
	switch {
	case !ok:
	case v.Kind() == reflect.Struct:
		d.mapping(n, path, v)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			child := path.Index(i)
			d.rules.positions[child.String()] = positionOf(item)
			d.read(item, child, v.Index(i))
		}
	case v.Kind() == reflect.String:
		// Numbers and the like are taken for what is written: a Go version needs no quotes.
		if ok = slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag()); ok {
			v.SetString(n.Value)
		}
	default:
		ok = n.Decode(v.Addr().Interface()) == nil
	}
	if ok {
		return
	}
	d.unread[pathString(path)] = true
	var value any = field.OmitValueType{}
	if n.Kind == yaml.ScalarNode {
		value = n.Value
	}
	d.problems.add(positionOf(n), field.TypeInvalid(path, value, kind.wanted))
}

const anchorsForbidden = "anchors and aliases are not supported; write the value out"

// mapping reads a mapping into a struct, whose fields have their keys as tags.
func (d *decoder) mapping(n *yaml.Node, path *field.Path, v reflect.Value) {
	known := d.known(v.Type())
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.fail(key, field.ErrorTypeTypeInvalid, path, "a key must be a plain word")
			continue
		}
		child := path.Child(keyName(key.Value))
		if key.Anchor != "" {
			d.fail(key, field.ErrorTypeForbidden, child, anchorsForbidden)
		}
		if key.Tag == "!!merge" {
			d.fail(key, field.ErrorTypeForbidden, child, "merge keys are not supported; write the fields out")
			continue
		}
		if line, ok := seen[key.Value]; ok {
			d.fail(key, field.ErrorTypeDuplicate, child, fmt.Sprintf("the key is in line %d already", line))
			continue
		}
		seen[key.Value] = key.Line
		if why, ok := obsoleteKeys[v.Type()][key.Value]; ok {
			d.warn(key, child, why)
			continue
		}
		index, ok := known[key.Value]
		if !ok {
			names := slices.Sorted(maps.Keys(known))
			hint := didYouMean(key.Value, names)
			if hint == "" {
				hint = "; known are " + strings.Join(names, ", ")
			}
			d.fail(key, field.ErrorTypeForbidden, child, "unknown field"+hint)
			continue
		}
		// A reader looks for a block of lines at its key, not at its first entry.
		at := positionOf(value)
		if value.Line != key.Line && value.Kind != yaml.ScalarNode || isNull(value) {
			at = positionOf(key)
		}
		d.rules.positions[child.String()] = at
		d.read(value, child, v.Field(index))
	}
}

// known returns the fields of a struct by key.
func (d *decoder) known(t reflect.Type) map[string]int {
	if d.keys[t] == nil {
		d.keys[t] = map[string]int{}
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" {
				d.keys[t][key] = i
			}
		}
	}
	return d.keys[t]
}

// keyName is a key as part of a path, which is shown as it is.
func keyName(key string) string {
	if strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) {
		key = strconv.Quote(key)
	}
	return clip(key)
}

// fail reports a problem that is not with the value.
func (d *decoder) fail(n *yaml.Node, kind field.ErrorType, path *field.Path, detail string) {
	d.problems.add(positionOf(n), &field.Error{Type: kind, Field: pathString(path), BadValue: field.OmitValueType{}, Detail: detail})
}

// warn warns of the first use of an obsolete key, and counts the others.
func (d *decoder) warn(key *yaml.Node, path *field.Path, why string) {
	d.obsolete[key.Value]++
	count := d.obsolete[key.Value]
	if count == 1 {
		at := positionOf(key)
		d.rules.Warnings = append(d.rules.Warnings, Problem{File: d.rules.file, Line: at.line, Column: at.column, Err: &field.Error{
			Type: field.ErrorTypeNotSupported, Field: path.String(), BadValue: field.OmitValueType{}, Detail: "the key has no effect: " + why,
		}})
		return
	}
	i := slices.IndexFunc(d.rules.Warnings, func(p Problem) bool { return strings.HasSuffix(p.Err.Field, "."+key.Value) })
	d.rules.Warnings[i].Err.Detail = fmt.Sprintf("the key has no effect (used %d times): %s", count, why)
}

// pathString is the path's text; the root's is empty.
func pathString(path *field.Path) string {
	if path == nil {
		return ""
	}
	return path.String()
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}
