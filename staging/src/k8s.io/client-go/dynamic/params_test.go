package dynamic

import (
	"net/url"
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// Options are to become the parameters that the codec of their own package
// makes of them, one field at a time and all at once.
func TestParametersAreThoseOfTheCodec(t *testing.T) {
	compareParams(t, getParams)
	compareParams(t, listParams)
	compareParams(t, createParams)
	compareParams(t, updateParams)
	compareParams(t, patchParams)
}

func compareParams[O any](t *testing.T, params func(*rest.Request, *O) *rest.Request) {
	t.Helper()
	options := reflect.TypeFor[O]()
	all := new(O)
	compare := func(what string, o *O) {
		t.Helper()
		want, err := metav1.ParameterCodec.EncodeParameters(any(o).(runtime.Object), v1)
		if err != nil {
			t.Fatal(err)
		}
		r := rest.NewRequestWithClient(&url.URL{Scheme: "http", Host: "h"}, "", rest.ClientContentConfig{}, nil).Verb("GET")
		got := params(r, o).URL().Query()
		if len(got) != len(want) || (len(want) > 0 && !reflect.DeepEqual(got, want)) {
			t.Errorf("%v with %s: got %v, want %v", options, what, got, want)
		}
	}
	compare("nothing", new(O))
	for i := range options.NumField() {
		one := new(O)
		set(reflect.ValueOf(one).Elem().Field(i))
		set(reflect.ValueOf(all).Elem().Field(i))
		compare(options.Field(i).Name, one)
	}
	compare("everything", all)
}

// set gives a field a value that is not zero.
func set(field reflect.Value) {
	switch field.Kind() {
	case reflect.Struct:
		for i := range field.NumField() {
			set(field.Field(i))
		}
	case reflect.String:
		field.SetString("some text & more")
	case reflect.Bool:
		field.SetBool(true)
	case reflect.Int64:
		field.SetInt(12)
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		if field.Elem().Kind() != reflect.Bool {
			set(field.Elem())
		}
	case reflect.Slice:
		field.Set(reflect.MakeSlice(field.Type(), 2, 2))
		set(field.Index(0))
		set(field.Index(1))
	default:
		panic("a field of a new type: " + field.Type().String())
	}
}
