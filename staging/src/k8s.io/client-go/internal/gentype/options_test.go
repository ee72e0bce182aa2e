package gentype

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A field that is overlooked here would silently not be sent.
func TestOptionsAreZeroOnlyIfEveryFieldIs(t *testing.T) {
	check(t, zeroCreateOptions)
	check(t, zeroUpdateOptions)
	check(t, zeroPatchOptions)
	check(t, func(o *metav1.GetOptions) bool { return *o == metav1.GetOptions{} })
	check(t, func(o *metav1.ListOptions) bool { return *o == metav1.ListOptions{} })
}

func check[O any](t *testing.T, zero func(*O) bool) {
	t.Helper()
	if !zero(new(O)) {
		t.Errorf("%T: zero options are not zero", *new(O))
	}
	options := reflect.TypeFor[O]()
	for i := range options.NumField() {
		o := new(O)
		field := reflect.ValueOf(o).Elem().Field(i)
		if field.Kind() == reflect.Struct { // TypeMeta
			field = field.Field(0)
		}
		field.Set(something(field.Type()))
		if zero(o) {
			t.Errorf("%v: zero although %s is set", options, options.Field(i).Name)
		}
	}
}

// something returns a value of a type that is not zero.
func something(of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(of, 1, 1))
	default:
		panic("a field of a new type: " + of.String())
	}
	return v
}
