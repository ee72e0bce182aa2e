package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// parseNodes returns the document's root too, for who edits it.
func parseNodes(file string, data []byte) (*Rules, *yaml.Node, error) {
	root, err := document(file, data)
	if err != nil {
		return nil, nil, err
	}
	d := &decoder{file: file, positions: positions{"": positionOf(root)}, unread: map[string]bool{}}
	r := &Rules{file: file, positions: d.positions}
	d.rules(r)(root, nil)
	problems := append(d.problems, validate(r, d.unread)...)
	if len(problems) > 0 {
		return nil, nil, invalid(problems...)
	}
	r.Warnings = d.warnings()
	return r, root, nil
}

// obsoleteKeys are keys of publishing-bot that have no effect, and why.
var obsoleteKeys = map[string]string{
	"library":               "all mirrors are published alike",
	"required-packages":     "what a module requires is in its go.mod",
	"repository":            "the source repository is given to the publisher, not here",
	"publish-script":        "publishing runs no scripts",
	"remove-git-attributes": "use recursive-delete-patterns",
	"skip-non-semver-tags":  "tags that are no versions are never published",
}

// decoder reads nodes into values. It notes the place of every value, and goes
// on after a problem.
type decoder struct {
	file      string
	positions positions
	problems  []Problem
	// unread are the paths of values that are there but could not be read.
	unread   map[string]bool
	obsolete []*obsoleteUse
}

// obsoleteUse is the first use of an obsolete key.
type obsoleteUse struct {
	key   string
	at    position
	path  *field.Path
	count int
}

// A read reads the node at a path into what it was made for. An empty node
// leaves that as it is.
type read func(n *yaml.Node, path *field.Path)

type fields map[string]read

func (d *decoder) rules(r *Rules) read {
	return d.mapping(fields{
		"skip-source-branches":      d.texts(&r.SkipSourceBranches),
		"skip-gomod":                d.boolean(&r.SkipGoMod),
		"skip-tags":                 d.boolean(&r.SkipTags),
		"skip-non-semver-tags":      d.skipNonSemverTags,
		"recursive-delete-patterns": d.texts(&r.RecursiveDeletePatterns),
		"default-go-version":        d.text(&r.DefaultGoVersion),
		"trailer":                   d.text(&r.Trailer),
		"tags":                      list(d, &r.Tags, d.tag),
		"committer":                 d.identity(&r.Committer),
		"rules":                     list(d, &r.Rules, d.rule),
	})
}

func (d *decoder) tag(t *TagRule) read {
	return d.mapping(fields{
		"constraint": d.text(&t.Constraint),
		"name":       d.text(&t.Template),
	})
}

func (d *decoder) identity(i *Identity) read {
	return d.mapping(fields{
		"name":  d.text(&i.Name),
		"email": d.text(&i.Email),
	})
}

func (d *decoder) rule(r *Rule) read {
	return d.mapping(fields{
		"destination":           d.text(&r.Destination),
		"library":               d.boolean(new(bool)),
		"skipped":               d.boolean(&r.Skipped),
		"smoke-test":            d.text(&r.SmokeTest),
		"branches":              list(d, &r.Branches, d.branch),
		"ended-branches":        d.texts(&r.EndedBranches),
		"past-dependencies":     d.texts(&r.PastDependencies),
		"tags":                  list(d, &r.Tags, d.tag),
		"destination-tag-base":  d.text(&r.tagBase),
		"taken-over":            optional(&r.TakenOver, d.takenOver),
		"publish-script":        d.text(new(string)),
		"remove-git-attributes": d.boolean(new(bool)),
	}, "library", "publish-script", "remove-git-attributes")
}

func (d *decoder) takenOver(t *TakenOver) read {
	return d.mapping(fields{
		"branches": list(d, &t.Branches, d.takenOverBranch),
		"tags":     d.text(&t.Tags),
	})
}

func (d *decoder) takenOverBranch(b *TakenOverBranch) read {
	return d.mapping(fields{
		"branch": d.text(&b.Branch),
		"commit": d.text(&b.Commit),
	})
}

func (d *decoder) branch(b *Branch) read {
	return d.mapping(fields{
		"name":              d.text(&b.Name),
		"go":                d.text(&b.Go),
		"dependencies":      list(d, &b.Dependencies, d.dependency),
		"source":            d.source(&b.Source),
		"required-packages": d.texts(new([]string)),
		"smoke-test":        d.text(&b.SmokeTest),
	}, "required-packages")
}

func (d *decoder) dependency(dep *Dependency) read {
	return d.mapping(fields{
		"repository": d.text(&dep.Repository),
		"branch":     d.text(&dep.Branch),
	})
}

func (d *decoder) source(s *Source) read {
	return d.mapping(fields{
		"repository": d.text(new(string)),
		"branch":     d.text(&s.Branch),
		"dir":        d.text(&s.Dir),
		"dirs":       d.texts(&s.Dirs),
	}, "repository")
}

// mapping reads a mapping with the known keys; those of them that are obsolete
// are named again.
func (d *decoder) mapping(known fields, obsolete ...string) read {
	return func(n *yaml.Node, path *field.Path) {
		if !d.is(n, path, yaml.MappingNode, "must be a mapping") {
			return
		}
		seen := map[string]int{}
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Kind != yaml.ScalarNode {
				d.fail(key, &field.Error{
					Type:     field.ErrorTypeTypeInvalid,
					Field:    pathString(path),
					BadValue: field.OmitValueType{},
					Detail:   "a key must be a plain word",
				})
				continue
			}
			child := path.Child(key.Value)
			if key.Anchor != "" {
				d.fail(key, field.Forbidden(child, anchorsForbidden))
			}
			if key.Tag == "!!merge" {
				d.fail(key, field.Forbidden(child, "merge keys are not supported; write the fields out"))
				continue
			}
			if line, ok := seen[key.Value]; ok {
				err := field.Duplicate(child, key.Value)
				err.Detail = fmt.Sprintf("the key is in line %d already", line)
				d.fail(key, err)
				continue
			}
			seen[key.Value] = key.Line
			read, ok := known[key.Value]
			if !ok {
				names := slices.Sorted(maps.Keys(known))
				hint := didYouMean(key.Value, names)
				if hint == "" {
					hint = "; known are " + strings.Join(names, ", ")
				}
				d.fail(key, field.Forbidden(child, "unknown field"+hint))
				continue
			}
			if slices.Contains(obsolete, key.Value) {
				d.noteObsolete(key.Value, positionOf(key), child)
			}
			// A reader looks for a block of lines at its key, not at its first
			// entry.
			at := positionOf(value)
			if value.Line != key.Line && value.Kind != yaml.ScalarNode || isNull(value) {
				at = positionOf(key)
			}
			d.positions[child.String()] = at
			read(value, child)
		}
	}
}

func list[T any](d *decoder, dst *[]T, element func(*T) read) read {
	return func(n *yaml.Node, path *field.Path) {
		if !d.is(n, path, yaml.SequenceNode, "must be a list") {
			return
		}
		*dst = make([]T, len(n.Content))
		for i, item := range n.Content {
			child := path.Index(i)
			d.positions[child.String()] = positionOf(item)
			element(&(*dst)[i])(item, child)
		}
	}
}

// optional reads what is not there unless the file has it.
func optional[T any](dst **T, element func(*T) read) read {
	return func(n *yaml.Node, path *field.Path) {
		*dst = new(T)
		element(*dst)(n, path)
	}
}

func (d *decoder) texts(dst *[]string) read {
	return list(d, dst, d.text)
}

// text takes numbers and the like for what is written: a Go version needs no
// quotes.
func (d *decoder) text(dst *string) read {
	return func(n *yaml.Node, path *field.Path) {
		if !d.is(n, path, yaml.ScalarNode, "must be a string") {
			return
		}
		switch n.ShortTag() {
		case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
			*dst = n.Value
		default:
			d.misfit(n, path, "must be a string")
		}
	}
}

func (d *decoder) boolean(dst *bool) read {
	return func(n *yaml.Node, path *field.Path) {
		if !d.is(n, path, yaml.ScalarNode, "must be true or false") {
			return
		}
		if err := n.Decode(dst); err != nil {
			d.misfit(n, path, "must be true or false")
		}
	}
}

const anchorsForbidden = "anchors and aliases are not supported; write the value out"

// is reports whether the node is there, and of the kind that is wanted.
func (d *decoder) is(n *yaml.Node, path *field.Path, kind yaml.Kind, wanted string) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(n, &field.Error{
			Type:     field.ErrorTypeForbidden,
			Field:    pathString(path),
			BadValue: field.OmitValueType{},
			Detail:   anchorsForbidden,
		})
		if n.Kind == yaml.AliasNode {
			d.unread[pathString(path)] = true
			return false
		}
	}
	if isNull(n) {
		return false
	}
	if n.Kind != kind {
		d.misfit(n, path, wanted)
		return false
	}
	return true
}

// misfit reports a value that is not of the type that is wanted.
func (d *decoder) misfit(n *yaml.Node, path *field.Path, wanted string) {
	d.unread[pathString(path)] = true
	var value any = field.OmitValueType{}
	if n.Kind == yaml.ScalarNode {
		value = n.Value
	}
	d.fail(n, field.TypeInvalid(path, value, wanted))
}

func (d *decoder) fail(n *yaml.Node, err *field.Error) {
	at := positionOf(n)
	d.problems = append(d.problems, Problem{File: d.file, Line: at.line, Column: at.column, Err: err})
}

// skipNonSemverTags reads what is always so: only false has no effect.
func (d *decoder) skipNonSemverTags(n *yaml.Node, path *field.Path) {
	skip := true
	d.boolean(&skip)(n, path)
	if !skip {
		d.noteObsolete("skip-non-semver-tags", positionOf(n), path)
	}
}

func (d *decoder) noteObsolete(key string, at position, path *field.Path) {
	for _, use := range d.obsolete {
		if use.key == key {
			use.count++
			return
		}
	}
	d.obsolete = append(d.obsolete, &obsoleteUse{key: key, at: at, path: path, count: 1})
}

func (d *decoder) warnings() []Problem {
	var warnings []Problem
	for _, use := range d.obsolete {
		also := ""
		if use.count > 1 {
			also = fmt.Sprintf(" (used %d times)", use.count)
		}
		warnings = append(warnings, Problem{File: d.file, Line: use.at.line, Column: use.at.column, Err: &field.Error{
			Type:     field.ErrorTypeNotSupported,
			Field:    use.path.String(),
			BadValue: field.OmitValueType{},
			Detail:   fmt.Sprintf("the key has no effect%s: %s", also, obsoleteKeys[use.key]),
		}})
	}
	return warnings
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
