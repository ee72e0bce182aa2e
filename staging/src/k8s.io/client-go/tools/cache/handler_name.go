package cache

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// describeHandler returns what a handler is called in logs and metrics: the
// functions it is made of, or its type.
func describeHandler(handler ResourceEventHandler) string {
	switch handler := handler.(type) {
	case nil:
		return "<nil>"
	case *ResourceEventHandlerFuncs:
		if handler != nil {
			return describeHandler(*handler)
		}
	case *ResourceEventHandlerDetailedFuncs:
		if handler != nil {
			return describeHandler(*handler)
		}
	case *FilteringResourceEventHandler:
		if handler != nil {
			return describeHandler(handler.Handler)
		}
	case ResourceEventHandlerFuncs:
		return describeFunctions(handler, handler.AddFunc, handler.UpdateFunc, handler.DeleteFunc)
	case ResourceEventHandlerDetailedFuncs:
		return describeFunctions(handler, handler.AddFunc, handler.UpdateFunc, handler.DeleteFunc)
	case FilteringResourceEventHandler:
		return describeHandler(handler.Handler)
	}
	return fmt.Sprintf("%T", handler)
}

// describeFunctions returns the functions' names, without what tells closures of
// one function apart.
func describeFunctions(handler any, functions ...any) string {
	var names []string
	for _, function := range functions {
		v := reflect.ValueOf(function)
		if v.IsNil() {
			continue
		}
		f := runtime.FuncForPC(v.Pointer())
		if f == nil {
			continue
		}
		name, _, _ := strings.Cut(f.Name(), ".func")
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("%T", handler)
	}
	return strings.Join(names, "+")
}
