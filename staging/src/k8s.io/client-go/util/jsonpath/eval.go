package jsonpath

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// An evaluation carries out one template on one document.
type evaluation struct {
	allowMissing bool
	results      [][]reflect.Value
}

// template carries out texts and queries until they are over or {end} comes, and
// returns what is then left, {end} included.
func (e *evaluation) template(nodes []Node, current []reflect.Value) ([]Node, error) {
	for len(nodes) > 0 {
		list, query := nodes[0].(*ListNode)
		switch {
		case query && startsWith(list, "end"):
			return nodes, nil
		case query && startsWith(list, "range"):
			rest, err := e.repeat(list, nodes[1:], current)
			if err != nil {
				return nil, err
			}
			nodes = rest
			continue
		}
		values, err := e.walk(current, nodes[0])
		if err != nil {
			return nil, err
		}
		e.results = append(e.results, values)
		nodes = nodes[1:]
	}
	return nil, nil
}

// repeat carries out body, up to its {end}, for each value that the query after
// the word range yields. It returns what follows. A range without an end goes on
// to the end of the template.
func (e *evaluation) repeat(head *ListNode, body []Node, current []reflect.Value) ([]Node, error) {
	values, err := e.list(current, head.Nodes[1:])
	if err != nil {
		return nil, err
	}
	for _, value := range values {
		if _, err := e.template(body, []reflect.Value{value}); err != nil {
			return nil, err
		}
	}
	return afterEnd(body), nil
}

// afterEnd skips the body of a range, with ranges in it, and its {end}.
func afterEnd(nodes []Node) []Node {
	depth := 1
	for i, node := range nodes {
		list, _ := node.(*ListNode)
		switch {
		case startsWith(list, "range"):
			depth++
		case startsWith(list, "end"):
			depth--
		}
		if depth == 0 {
			return nodes[i+1:]
		}
	}
	return nil
}

func startsWith(list *ListNode, name string) bool {
	if list == nil || len(list.Nodes) == 0 {
		return false
	}
	word, ok := list.Nodes[0].(*IdentifierNode)
	return ok && word.Name == name
}

func (e *evaluation) list(values []reflect.Value, nodes []Node) ([]reflect.Value, error) {
	var err error
	for _, node := range nodes {
		if values, err = e.walk(values, node); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (e *evaluation) walk(values []reflect.Value, node Node) ([]reflect.Value, error) {
	switch node := node.(type) {
	case *ListNode:
		return e.list(values, node.Nodes)
	case *TextNode:
		return constant(node.Text), nil
	case *IntNode:
		return constant(node.Value), nil
	case *FloatNode:
		return constant(node.Value), nil
	case *BoolNode:
		return constant(node.Value), nil
	case *FieldNode:
		return e.field(values, node.Value)
	case *ArrayNode:
		return each(values, node.elements)
	case *WildcardNode:
		return each(values, children)
	case *RecursiveNode:
		return each(values, descendants)
	case *FilterNode:
		return each(values, func(into []reflect.Value, value reflect.Value) ([]reflect.Value, error) {
			return e.filter(into, value, node)
		})
	case *UnionNode:
		var all []reflect.Value
		for _, query := range node.Nodes {
			some, err := e.list(values, query.Nodes)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	case *IdentifierNode:
		return nil, fmt.Errorf("unrecognized identifier %s", node.Name)
	default:
		return nil, fmt.Errorf("unexpected Node %v", node)
	}
}

func constant(value any) []reflect.Value {
	return []reflect.Value{reflect.ValueOf(value)}
}

// each appends what f yields for each value. The value is bare, and null is
// passed over.
func each(values []reflect.Value, f func(into []reflect.Value, value reflect.Value) ([]reflect.Value, error)) ([]reflect.Value, error) {
	var all []reflect.Value
	var err error
	for _, value := range values {
		if value = indirect(value); !value.IsValid() {
			continue
		}
		if all, err = f(all, value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// indirect follows pointers and interfaces. The result is not valid if one of
// them is nil.
func indirect(value reflect.Value) reflect.Value {
	for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	return value
}

func (e *evaluation) field(values []reflect.Value, name string) ([]reflect.Value, error) {
	if name == "" {
		return values, nil
	}
	found, err := each(values, func(into []reflect.Value, value reflect.Value) ([]reflect.Value, error) {
		value, err := member(value, name)
		if err == nil && value.IsValid() {
			into = append(into, value)
		}
		return into, err
	})
	if err == nil && len(found) == 0 && len(values) > 0 && !e.allowMissing {
		err = fmt.Errorf("%s is not found", name)
	}
	return found, err
}

// member returns the value of a map's key or a struct's field. It is not valid
// if there is none.
func member(value reflect.Value, name string) (reflect.Value, error) {
	switch value.Kind() {
	case reflect.Map:
		key := value.Type().Key()
		if key.Kind() == reflect.Interface && reflect.TypeFor[string]().Implements(key) {
			return value.MapIndex(reflect.ValueOf(name)), nil
		}
		if key.Kind() != reflect.String {
			return reflect.Value{}, fmt.Errorf("%s is not convertible to %s", name, key)
		}
		return value.MapIndex(reflect.ValueOf(name).Convert(key)), nil
	case reflect.Struct:
		index, ok := fieldsOf(value.Type())[name]
		if !ok {
			return reflect.Value{}, nil
		}
		field, err := value.FieldByIndexErr(index)
		if err != nil {
			return reflect.Value{}, nil // in an embedded struct that is not there
		}
		return field, nil
	}
	return reflect.Value{}, nil
}

func (a *ArrayNode) elements(into []reflect.Value, list reflect.Value) ([]reflect.Value, error) {
	if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
		return nil, fmt.Errorf("%s is not array or slice", list.Type())
	}
	length := list.Len()
	start, end, step := a.Params[0], a.Params[1], a.Params[2]
	if start.Value < 0 {
		start.Value += length
		if end.Derived {
			end.Value = start.Value + 1
		}
	}
	switch {
	case !end.Known:
		end.Value = length
	case end.Value < 0 && !end.Derived:
		end.Value += length
	}
	if !step.Known {
		step.Value = 1
	}
	outOfBounds := func(index int) error {
		return fmt.Errorf("array index out of bounds: index %d, length %d", index, length)
	}
	switch {
	case start.Value == end.Value:
		return into, nil // nothing is asked for, wherever that is
	case start.Value < 0 || start.Value >= length:
		return nil, outOfBounds(start.Value)
	case end.Value < 0 || end.Value > length:
		return nil, outOfBounds(end.Value - 1)
	case start.Value > end.Value:
		return nil, fmt.Errorf("starting index %d is greater than ending index %d", start.Value, end.Value)
	case step.Value <= 0:
		return nil, fmt.Errorf("step must be > 0")
	}
	for i := start.Value; i < end.Value; i += min(step.Value, length) {
		into = append(into, list.Index(i))
	}
	return into, nil
}

// children appends the elements of a list, the values of a map in the order of
// its keys, or the exported fields of a struct.
func children(into []reflect.Value, value reflect.Value) ([]reflect.Value, error) {
	switch value.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range value.Len() {
			into = append(into, value.Index(i))
		}
	case reflect.Map:
		keys := value.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, key := range keys {
			into = append(into, value.MapIndex(key))
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() {
				into = append(into, value.Field(i))
			}
		}
	}
	return into, nil
}

// descendants appends a value and all in it, parents first. Of values that have
// no parts, only strings count: a query asks nothing of what is empty, and finds
// nothing in it without that being an error.
func descendants(into []reflect.Value, value reflect.Value) ([]reflect.Value, error) {
	bare := indirect(value)
	switch bare.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Struct, reflect.String:
	default:
		return into, nil
	}
	parts, err := children(nil, bare)
	if err != nil {
		return nil, err
	}
	if len(parts) > 0 || bare.Kind() == reflect.String {
		into = append(into, value)
	}
	for _, part := range parts {
		if into, err = descendants(into, part); err != nil {
			return nil, err
		}
	}
	return into, nil
}
