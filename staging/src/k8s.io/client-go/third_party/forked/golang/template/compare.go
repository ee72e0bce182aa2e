package template

import (
	"cmp"
	"errors"
	"reflect"
)

var (
	errIncomparable = errors.New("invalid type for comparison")
	errIncompatible = errors.New("incompatible types for comparison")
	errMissing      = errors.New("missing argument for comparison")
)

// Equal tells whether arg1 equals any of arg2, of which there must be one at least.
func Equal(arg1 interface{}, arg2 ...interface{}) (bool, error) {
	if len(arg2) == 0 {
		return false, errMissing
	}
	for _, other := range arg2 {
		if order, err := compare(arg1, other); err != nil || order == 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// NotEqual tells whether arg1 and arg2 differ.
func NotEqual(arg1, arg2 interface{}) (bool, error) {
	order, err := compare(arg1, arg2)
	return err == nil && order != 0, err
}

// Less tells whether arg1 is less than arg2.
func Less(arg1, arg2 interface{}) (bool, error) {
	order, err := rank(arg1, arg2)
	return err == nil && order == -1, err
}

// LessEqual tells whether arg1 is less than arg2, or equals it.
func LessEqual(arg1, arg2 interface{}) (bool, error) {
	order, err := rank(arg1, arg2)
	return err == nil && (order == -1 || order == 0), err
}

// Greater tells whether arg1 is greater than arg2.
func Greater(arg1, arg2 interface{}) (bool, error) {
	return Less(arg2, arg1)
}

// GreaterEqual tells whether arg1 is greater than arg2, or equals it.
func GreaterEqual(arg1, arg2 interface{}) (bool, error) {
	return LessEqual(arg2, arg1)
}

// unordered is the order of what is neither equal nor in any order, such as NaN.
const unordered = 2

// rank is compare for what has an order.
func rank(a, b any) (int, error) {
	if reflect.ValueOf(a).Kind() == reflect.Bool {
		return 0, errIncomparable
	}
	return compare(a, b)
}

func compare(a, b any) (int, error) {
	v, w := reflect.ValueOf(a), reflect.ValueOf(b)
	for _, value := range []reflect.Value{v, w} {
		if !isNumber(value) && value.Kind() != reflect.String && value.Kind() != reflect.Bool {
			return 0, errIncomparable
		}
	}
	switch {
	case isNumber(v) && isNumber(w):
		return compareNumbers(v, w), nil
	case v.Kind() != w.Kind():
		return 0, errIncompatible
	case v.Kind() == reflect.String:
		return cmp.Compare(v.String(), w.String()), nil
	case v.Bool() == w.Bool():
		return 0, nil
	}
	return unordered, nil
}

func isNumber(v reflect.Value) bool {
	return v.IsValid() && (v.CanInt() || v.CanUint() || v.CanFloat())
}

func compareNumbers(v, w reflect.Value) int {
	switch {
	case v.CanInt() && w.CanInt():
		return cmp.Compare(v.Int(), w.Int())
	case v.CanUint() && w.CanUint():
		return cmp.Compare(v.Uint(), w.Uint())
	case v.CanInt() && w.CanUint():
		if v.Int() < 0 {
			return -1
		}
		return cmp.Compare(uint64(v.Int()), w.Uint())
	case v.CanUint() && w.CanInt():
		return -compareNumbers(w, v)
	}
	x, y := toFloat(v), toFloat(w)
	if x != x || y != y {
		return unordered
	}
	return cmp.Compare(x, y)
}

func toFloat(v reflect.Value) float64 {
	switch {
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	}
	return v.Float()
}
