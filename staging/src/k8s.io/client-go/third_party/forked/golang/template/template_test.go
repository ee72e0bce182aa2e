package template_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"k8s.io/client-go/third_party/forked/golang/template"
)

func TestComparisons(t *testing.T) {
	for _, c := range []struct {
		a, b                 any
		less, equal, greater bool
	}{
		{1, 2, true, false, false},
		{int8(-1), uint64(math.MaxUint64), true, false, false},
		{uint(3), int32(3), false, true, false},
		{2.5, 2, false, false, true},
		{float32(0.5), 0.5, false, true, false},
		{"b", "a", false, false, true},
		{math.NaN(), 1.0, false, false, false},
	} {
		got := map[string]bool{}
		for name, f := range map[string]func(a, b any) (bool, error){
			"<": template.Less, "<=": template.LessEqual, ">": template.Greater, ">=": template.GreaterEqual, "!=": template.NotEqual,
			"==": func(a, b any) (bool, error) { return template.Equal(a, b) },
		} {
			var err error
			if got[name], err = f(c.a, c.b); err != nil {
				t.Errorf("%v %s %v: %v", c.a, name, c.b, err)
			}
		}
		want := map[string]bool{"<": c.less, "<=": c.less || c.equal, ">": c.greater, ">=": c.greater || c.equal, "==": c.equal, "!=": !c.equal}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v and %v: got %v, want %v", c.a, c.b, got, want)
		}
	}
}

func TestEqualsAnyOfSeveral(t *testing.T) {
	if ok, err := template.Equal(3, 1, 2, 3); !ok || err != nil {
		t.Errorf("got %t, %v", ok, err)
	}
	if ok, err := template.Equal(true, false, true); !ok || err != nil {
		t.Errorf("got %t, %v", ok, err)
	}
}

func TestWhatCannotBeComparedIsAnError(t *testing.T) {
	_, none := template.Equal(1)
	_, different := template.Less(1, "1")
	_, order := template.Less(true, false)
	_, list := template.NotEqual([]int{}, []int{})
	_, null := template.Equal(nil, 1)
	for name, err := range map[string]error{"none": none, "different": different, "order": order, "list": list, "null": null} {
		if err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

type shouting string

func (s *shouting) String() string { return string(*s) + "!" }

func TestPrintableValues(t *testing.T) {
	number, loud := 7, shouting("hey")
	pointer := &number
	for _, c := range []struct {
		value any
		want  string
	}{
		{7, "7"}, {&pointer, "7"}, {&loud, "hey!"}, {loud, "hey"}, {errors.New("bad"), "bad"}, {nil, "<no value>"},
	} {
		got, ok := template.PrintableValue(reflect.ValueOf(c.value))
		if !ok || fmt.Sprint(got) != c.want {
			t.Errorf("%v is %v, %t, want %s", c.value, got, ok, c.want)
		}
	}
	if _, ok := template.PrintableValue(reflect.ValueOf(func() {})); ok {
		t.Error("a function can be printed")
	}
}

func TestIndirectStopsAtNilAndAtMethods(t *testing.T) {
	var nothing *int
	if _, isNil := template.Indirect(reflect.ValueOf(&nothing)); !isNil {
		t.Error("a nil pointer is not nil")
	}
	var err error = errors.New("bad")
	if v, isNil := template.Indirect(reflect.ValueOf(&err)); isNil || v.Kind() != reflect.Interface {
		t.Errorf("got a %v, nil: %t", v.Kind(), isNil)
	}
	var any any = &err
	if v, _ := template.Indirect(reflect.ValueOf(&any).Elem()); v.Kind() != reflect.Interface {
		t.Errorf("got a %v", v.Kind())
	}
}
