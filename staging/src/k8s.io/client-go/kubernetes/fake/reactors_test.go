package fake_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// A call is a method of some resource's client with arguments.
type call struct {
	name string
	do   func() []reflect.Value
}

// calls returns one call of each method that every client of the clientset has for a
// resource, and that returns an object and an error.
func calls(t *testing.T, clientset *fake.Clientset) (all []call) {
	t.Helper()
	returnsObject := func(m reflect.Value) bool {
		object, failure := reflect.TypeFor[runtime.Object](), reflect.TypeFor[error]()
		return m.Type().NumOut() == 2 && m.Type().Out(0).Implements(object) && m.Type().Out(1) == failure
	}
	returnsClient := func(m reflect.Value) bool {
		return m.Type().NumOut() == 1 && strings.HasSuffix(m.Type().Out(0).Name(), "Interface")
	}
	methods(reflect.ValueOf(clientset), func(group string, m reflect.Value) {
		if !returnsClient(m) || group == "Discovery" {
			return
		}
		methods(m.Call(nil)[0], func(resource string, m reflect.Value) {
			if !returnsClient(m) || resource == "RESTClient" {
				return
			}
			methods(m.Call(arguments(t, m))[0], func(verb string, m reflect.Value) {
				if returnsObject(m) {
					all = append(all, call{group + "." + resource + "." + verb, func() []reflect.Value { return m.Call(arguments(t, m)) }})
				}
			})
		})
	})
	return all
}

func methods(of reflect.Value, do func(name string, m reflect.Value)) {
	for i := range of.NumMethod() {
		do(of.Type().Method(i).Name, of.Method(i))
	}
}

// arguments returns some for a method: contexts, names, and objects with nothing in them
// but, where a type has one, a name.
func arguments(t *testing.T, m reflect.Value) []reflect.Value {
	var all []reflect.Value
	for i := range m.Type().NumIn() {
		of := m.Type().In(i)
		switch {
		case m.Type().IsVariadic() && i == m.Type().NumIn()-1:
		case of == reflect.TypeFor[context.Context]():
			all = append(all, reflect.ValueOf(t.Context()))
		case of.Kind() == reflect.String:
			all = append(all, reflect.ValueOf("x").Convert(of))
		case of.Kind() == reflect.Pointer:
			object := reflect.New(of.Elem())
			if named := object.MethodByName("WithName"); named.IsValid() {
				named.Call([]reflect.Value{reflect.ValueOf("x")})
			}
			all = append(all, object)
		default:
			all = append(all, reflect.Zero(of))
		}
	}
	return all
}

func TestWrongAnswersOfReactorsAreErrors(t *testing.T) {
	clientset := fake.NewClientset()
	var answer runtime.Object
	var failure error
	clientset.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, answer, failure })
	all := calls(t, clientset)
	if len(all) < 500 {
		t.Fatalf("there are only %d calls", len(all))
	}
	boom := errors.New("boom")
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			answer, failure = &metav1.Status{}, nil
			if err, _ := c.do()[1].Interface().(error); err == nil || !strings.Contains(err.Error(), "*v1.Status, which should be a *") {
				t.Errorf("wrong answer: got error %v", err)
			}
			failure = boom
			if err, _ := c.do()[1].Interface().(error); !errors.Is(err, boom) {
				t.Errorf("wrong answer with an error: got error %v", err)
			}
			answer, failure = nil, nil
			if err, _ := c.do()[1].Interface().(error); err != nil {
				t.Errorf("no answer: got error %v", err)
			}
		})
	}
}
