package template

import (
	"fmt"
	"reflect"
)

// Indirect follows pointers, and interfaces without methods, as far as it goes. If
// it comes to one that is nil, it returns that and true.
func Indirect(v reflect.Value) (rv reflect.Value, isNil bool) {
	for {
		isPointer := v.Kind() == reflect.Pointer
		if !isPointer && (v.Kind() != reflect.Interface || v.NumMethod() > 0) {
			// The methods of an interface may be wanted.
			return v, v.Kind() == reflect.Interface && v.IsNil()
		}
		if v.IsNil() {
			return v, true
		}
		v = v.Elem()
	}
}

var (
	errorType    = reflect.TypeFor[error]()
	stringerType = reflect.TypeFor[fmt.Stringer]()
)

func printsItself(t reflect.Type) bool {
	return t.Implements(errorType) || t.Implements(stringerType)
}

// PrintableValue returns what to give to a function such as fmt.Print in order to
// print v: what a pointer points to, unless the pointer knows better how to be
// printed. It returns false for channels and functions.
func PrintableValue(v reflect.Value) (interface{}, bool) {
	if v.Kind() == reflect.Pointer {
		v, _ = Indirect(v)
	}
	switch {
	case !v.IsValid():
		return "<no value>", true
	case printsItself(v.Type()):
	case v.CanAddr() && printsItself(reflect.PointerTo(v.Type())):
		v = v.Addr()
	case v.Kind() == reflect.Chan || v.Kind() == reflect.Func:
		return nil, false
	}
	return v.Interface(), true
}
