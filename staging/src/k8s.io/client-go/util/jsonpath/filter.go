package jsonpath

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
)

var (
	errIncompatible = errors.New("incompatible types for comparison")
	errIncomparable = errors.New("invalid type for comparison")
)

// filter appends the elements of a list for which the node's condition holds.
func (e *evaluation) filter(into []reflect.Value, list reflect.Value, node *FilterNode) ([]reflect.Value, error) {
	if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
		return nil, fmt.Errorf("%s is not array or slice and cannot be filtered", list.Type())
	}
	for i := range list.Len() {
		element := list.Index(i)
		ok, err := e.holds(element, node)
		if err != nil {
			return nil, err
		}
		if ok {
			into = append(into, element)
		}
	}
	return into, nil
}

func (e *evaluation) holds(element reflect.Value, node *FilterNode) (bool, error) {
	here := []reflect.Value{element}
	if node.Operator == "exists" {
		lenient := evaluation{allowMissing: true}
		found, err := lenient.list(here, node.Left.Nodes)
		return len(found) > 0, err
	}
	left, err := e.list(here, node.Left.Nodes)
	if err != nil || len(left) == 0 { // missing, and that is allowed
		return false, err
	}
	right, err := e.list(here, node.Right.Nodes)
	if err != nil {
		return false, err
	}
	switch {
	case len(left) > 1 || len(right) > 1:
		return false, errors.New("can only compare one element at a time")
	case len(right) == 0:
		return false, nil
	}
	return compare(left[0], right[0], node.Operator)
}

func compare(left, right reflect.Value, operator string) (bool, error) {
	left, right = indirect(left), indirect(right)
	a, b := classOf(left), classOf(right)
	switch {
	case a == incomparable || b == incomparable:
		return false, errIncomparable
	case a == textual && b == textual:
		return decide(cmp.Compare(left.String(), right.String()), operator)
	case a == truth && b == truth:
		if operator != "==" && operator != "!=" {
			return false, errIncomparable
		}
		return (left.Bool() == right.Bool()) == (operator == "=="), nil
	case a < textual && b < textual:
		order, comparable := compareNumbers(left, right)
		if !comparable {
			return operator == "!=", nil
		}
		return decide(order, operator)
	}
	return false, errIncompatible
}

func decide(order int, operator string) (bool, error) {
	switch operator {
	case "==":
		return order == 0, nil
	case "!=":
		return order != 0, nil
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	case ">=":
		return order >= 0, nil
	}
	return false, fmt.Errorf("unrecognized filter operator %s", operator)
}

// A class is a sort of values that can be compared with their like.
type class int

const (
	signed class = iota
	unsigned
	float
	textual
	truth
	incomparable
)

func classOf(value reflect.Value) class {
	switch {
	case !value.IsValid():
		return incomparable
	case value.CanInt():
		return signed
	case value.CanUint():
		return unsigned
	case value.CanFloat():
		return float
	case value.Kind() == reflect.String:
		return textual
	case value.Kind() == reflect.Bool:
		return truth
	}
	return incomparable
}

// compareNumbers compares numbers of any types. It cannot compare NaN.
func compareNumbers(a, b reflect.Value) (order int, comparable bool) {
	switch {
	case a.CanInt() && b.CanInt():
		return cmp.Compare(a.Int(), b.Int()), true
	case a.CanUint() && b.CanUint():
		return cmp.Compare(a.Uint(), b.Uint()), true
	case a.CanInt() && b.CanUint():
		if a.Int() < 0 {
			return -1, true
		}
		return cmp.Compare(uint64(a.Int()), b.Uint()), true
	case a.CanUint() && b.CanInt():
		order, comparable = compareNumbers(b, a)
		return -order, comparable
	}
	x, y := toFloat(a), toFloat(b)
	if a.Kind() == reflect.Float32 || b.Kind() == reflect.Float32 {
		// 8.95 in a document of that precision is what 8.95 in a query means.
		x, y = float64(float32(x)), float64(float32(y))
	}
	return cmp.Compare(x, y), x == x && y == y
}

func toFloat(value reflect.Value) float64 {
	switch {
	case value.CanInt():
		return float64(value.Int())
	case value.CanUint():
		return float64(value.Uint())
	}
	return value.Float()
}
