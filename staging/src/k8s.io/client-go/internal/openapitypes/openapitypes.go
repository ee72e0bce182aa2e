// Package openapitypes tells how the fields of a server's kinds nest and merge,
// as its OpenAPI v2 document says.
//
// The result is a schema of sigs.k8s.io/structured-merge-diff. The extensions
// that steer merging are told of in
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy.
package openapitypes

import (
	"fmt"
	"slices"
	"strings"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/yaml"
)

// Types has the types of a document's kinds.
type Types struct {
	names  map[runtimeschema.GroupVersionKind]string
	parser typed.Parser
}

// New reads the definitions of a document.
func New(document *openapi_v2.Document) (*Types, error) {
	t := &Types{names: map[runtimeschema.GroupVersionKind]string{}}
	c := converter{}
	for _, definition := range document.GetDefinitions().GetAdditionalProperties() {
		c.definition = definition.Name
		for _, kind := range c.kinds(definition.Value) {
			if other, taken := t.names[kind]; taken {
				return nil, fmt.Errorf("both %s and %s define the kind %s", other, definition.Name, kind)
			}
			t.names[kind] = definition.Name
		}
		atom := c.atom(definition.Value, false)
		if slices.Contains(untypedDefinitions, definition.Name) {
			atom = schema.Atom{Scalar: scalar(schema.Untyped)}
		}
		t.parser.Schema.Types = append(t.parser.Schema.Types, schema.TypeDef{Name: definition.Name, Atom: atom})
	}
	if c.err != nil {
		return nil, c.err
	}
	t.parser.Schema.Types = append(t.parser.Schema.Types,
		anything(atomicName, atomicName, schema.Atomic),
		anything(deducedName, deducedName, schema.Separable))
	return t, nil
}

// Of returns the type of a kind, and whether the document defines the kind.
func (t *Types) Of(kind runtimeschema.GroupVersionKind) (typed.ParseableType, bool) {
	name, found := t.names[kind]
	if !found {
		return typed.ParseableType{}, false
	}
	return t.parser.Type(name), true
}

// untypedDefinitions are strings by their definition, but may be sent as numbers.
var untypedDefinitions = []string{"io.k8s.apimachinery.pkg.api.resource.Quantity"}

// The names of the types of fields whose type is not told. A whole value of the
// first has one owner. The fields of a value of the second have owners each.
const (
	atomicName  = "__untyped_atomic_"
	deducedName = "__untyped_deduced_"
)

func anything(name, inMap string, maps schema.ElementRelationship) schema.TypeDef {
	return schema.TypeDef{Name: name, Atom: schema.Atom{
		Scalar: scalar(schema.Untyped),
		List:   &schema.List{ElementType: named(atomicName), ElementRelationship: schema.Atomic},
		Map:    &schema.Map{ElementType: named(inMap), ElementRelationship: maps},
	}}
}

// deduced returns what a value is whose type shows in the value only.
func deduced() schema.Atom { return anything(deducedName, deducedName, schema.Separable).Atom }

func named(name string) schema.TypeRef { return schema.TypeRef{NamedType: &name} }

func scalar(s schema.Scalar) *schema.Scalar { return &s }

// A converter keeps the first error, and goes on.
type converter struct {
	definition string // which is being converted
	err        error
}

func (c *converter) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("definition %s: %w", c.definition, fmt.Errorf(format, args...))
	}
}

// reference returns the type of a field, of a list's elements or of a map's.
// What is inside an object that keeps unknown fields does so, too.
func (c *converter) reference(s *openapi_v2.Schema, keepUnknown bool) schema.TypeRef {
	target := s
	if len(s.GetAllOf()) == 1 { // the form of a reference that has a description or a default
		target = s.AllOf[0]
	}
	if path := target.GetXRef(); path != "" {
		name := path[strings.LastIndex(path, "/")+1:]
		if name == "io.k8s.apimachinery.pkg.runtime.RawExtension" {
			return named(atomicName)
		}
		ref := named(name)
		if relationship := c.mapRelationship(s); relationship != "" {
			ref.ElementRelationship = &relationship
		}
		return ref
	}
	atom := c.atom(s, keepUnknown)
	if atom == (schema.Atom{}) {
		return named(atomicName)
	}
	return schema.TypeRef{Inlined: atom}
}

// atom returns what a schema is in itself.
func (c *converter) atom(s *openapi_v2.Schema, keepUnknown bool) schema.Atom {
	var kind string
	if types := s.GetType().GetValue(); len(types) > 0 {
		kind = types[0]
	}
	switch {
	case kind == "array":
		return schema.Atom{List: c.list(s, keepUnknown)}
	case s.GetProperties() != nil:
		return schema.Atom{Map: c.object(s, keepUnknown)}
	case kind == "object":
		// Without properties, it is a map. The values of one that does not tell
		// theirs may be anything.
		values := schema.TypeRef{Inlined: deduced()}
		if told := s.GetAdditionalProperties().GetSchema(); told != nil {
			values = c.reference(told, keepUnknown)
		}
		return schema.Atom{Map: &schema.Map{ElementType: values, ElementRelationship: c.mapRelationship(s)}}
	case kind == "":
		return deduced()
	case kind == "integer" || kind == "number":
		return schema.Atom{Scalar: scalar(schema.Numeric)}
	case kind == "boolean":
		return schema.Atom{Scalar: scalar(schema.Boolean)}
	case kind == "string" && (s.Format == "" || s.Format == "byte"):
		return schema.Atom{Scalar: scalar(schema.String)}
	default:
		return schema.Atom{Scalar: scalar(schema.Untyped)}
	}
}

func (c *converter) object(s *openapi_v2.Schema, keepUnknown bool) *schema.Map {
	var keep bool
	if c.extension(s, "x-kubernetes-preserve-unknown-fields", &keep); keep {
		keepUnknown = true
	}
	m := &schema.Map{ElementRelationship: c.mapRelationship(s)}
	if keepUnknown {
		m.ElementType = named(deducedName)
	}
	for _, property := range s.Properties.AdditionalProperties {
		field := schema.StructField{Name: property.Name, Type: c.reference(property.Value, keepUnknown)}
		if text := property.Value.GetDefault().GetYaml(); text != "" {
			if err := decode(text, &field.Default); err != nil {
				c.fail("default of %s: %w", property.Name, err)
			}
		}
		m.Fields = append(m.Fields, field)
	}
	return m
}

func (c *converter) list(s *openapi_v2.Schema, keepUnknown bool) *schema.List {
	l := &schema.List{ElementType: named(atomicName), ElementRelationship: schema.Atomic}
	if items := s.GetItems().GetSchema(); len(items) > 0 {
		l.ElementType = c.reference(items[0], keepUnknown)
	}
	var listType, strategy string
	if c.extension(s, "x-kubernetes-list-type", &listType) {
		switch listType {
		case "atomic":
		case "set":
			l.ElementRelationship = schema.Associative
		case "map":
			l.ElementRelationship = schema.Associative
			if !c.extension(s, "x-kubernetes-list-map-keys", &l.Keys) {
				c.fail("a list of type map has no keys")
			}
		default:
			c.fail("there is no list type %q", listType)
		}
		return l
	}
	// The older extensions say the same of strategic merge patches.
	c.extension(s, "x-kubernetes-patch-strategy", &strategy)
	if slices.Contains(strings.Split(strategy, ","), "merge") {
		l.ElementRelationship = schema.Associative
		var key string
		if c.extension(s, "x-kubernetes-patch-merge-key", &key) {
			l.Keys = []string{key}
		}
	}
	return l
}

func (c *converter) mapRelationship(s *openapi_v2.Schema) schema.ElementRelationship {
	var mapType string
	c.extension(s, "x-kubernetes-map-type", &mapType)
	switch mapType {
	case "":
		return ""
	case "atomic":
		return schema.Atomic
	case "granular":
		return schema.Separable
	default:
		c.fail("there is no map type %q", mapType)
		return ""
	}
}

// kinds returns the kinds that a definition is of: those of requests' options are
// one definition for all groups.
func (c *converter) kinds(s *openapi_v2.Schema) []runtimeschema.GroupVersionKind {
	var kinds []runtimeschema.GroupVersionKind
	c.extension(s, "x-kubernetes-group-version-kind", &kinds)
	return kinds
}

// extension reads a vendor extension, and reports whether there is one.
func (c *converter) extension(s *openapi_v2.Schema, name string, into any) bool {
	for _, extension := range s.GetVendorExtension() {
		if extension.Name != name {
			continue
		}
		if err := yaml.Unmarshal([]byte(extension.Value.GetYaml()), into); err != nil {
			c.fail("%s: %w", name, err)
		}
		return true
	}
	return false
}

// decode reads YAML as apimachinery reads objects: whole numbers are integers.
func decode(text string, into *any) error {
	content, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}
