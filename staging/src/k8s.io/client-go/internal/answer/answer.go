// Package answer has what fake clients make of the answers of reactors.
package answer

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/testing"
)

// An Invoker is a [testing.Fake], or what embeds one.
type Invoker interface {
	Invokes(action testing.Action, unhandled runtime.Object) (runtime.Object, error)
}

// Of has the reactors of a fake answer an action; unhandled is the answer where none
// does. It returns none, along with their error, where they answer with nothing, and an
// error where they answer with an object of another type.
func Of[T runtime.Object](fake Invoker, action testing.Action, unhandled runtime.Object, none T) (T, error) {
	object, err := fake.Invokes(action, unhandled)
	got, ok := object.(T)
	if ok {
		return got, err
	}
	if object != nil && err == nil {
		err = fmt.Errorf("a reactor answered %s of %s with a %T, which should be a %T",
			action.GetVerb(), action.GetResource().Resource, object, none)
	}
	return none, err
}

// IsNothing reports whether a reactor answered with nothing: nil, or a pointer that is.
func IsNothing(object runtime.Object) bool {
	if object == nil {
		return true
	}
	v := reflect.ValueOf(object)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
