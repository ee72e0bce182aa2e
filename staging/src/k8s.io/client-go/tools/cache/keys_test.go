package cache_test

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

func TestKeys(t *testing.T) {
	for name, c := range map[string]struct {
		obj  any
		want string // "" for an error
	}{
		"in a namespace":     {newPod("ns", "web", ""), "ns/web"},
		"in none":            {newPod("", "web", ""), "web"},
		"given":              {cache.ExplicitKey("any/thing"), "any/thing"},
		"of a tombstone":     {cache.DeletedFinalStateUnknown{Key: "ns/gone"}, "ns/gone"},
		"of what has no key": {"web", ""},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(c.obj)
			if key != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v, want %q", key, err, c.want)
			}
		})
	}
}

func TestSplitKeyIsTheInverse(t *testing.T) {
	for key, want := range map[string]cache.ObjectName{
		"ns/web": {Namespace: "ns", Name: "web"},
		"web":    {Name: "web"},
		"":       {},
		"/web":   {Name: "web"},
	} {
		got, err := cache.ParseObjectName(key)
		if got != want || err != nil {
			t.Errorf("%q is %v, %v, want %v", key, got, err, want)
		}
	}
	if _, _, err := cache.SplitMetaNamespaceKey("a/b/c"); err == nil || !strings.Contains(err.Error(), `"a/b/c"`) {
		t.Errorf("got error %v", err)
	}
}

func TestNamesConvert(t *testing.T) {
	name := cache.NewObjectName("ns", "web")
	if got := cache.NamespacedNameAsObjectName(types.NamespacedName{Namespace: "ns", Name: "web"}); got != name || got.AsNamespacedName().Name != "web" {
		t.Errorf("got %v", got)
	}
	for _, obj := range []any{newPod("ns", "web", ""), cache.DeletedFinalStateUnknown{Key: "ns/web"}} {
		if got, err := cache.DeletionHandlingObjectToName(obj); got != name || err != nil {
			t.Errorf("%T is %v, %v", obj, got, err)
		}
	}
	if namespace, n := name.Parts(); namespace != "ns" || n != "web" {
		t.Errorf("the parts are %q and %q", namespace, n)
	}
}

func TestIndexFunctionAsKeyFunctionWantsOneValue(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		values []string
		err    error
		want   string
	}{
		"one":      {values: []string{"a"}, want: "a"},
		"none":     {},
		"several":  {values: []string{"a", "b"}},
		"an error": {err: broken},
	} {
		key, err := cache.IndexFuncToKeyFuncAdapter(func(any) ([]string, error) { return c.values, c.err })(nil)
		if key != c.want || (err == nil) != (c.want != "") || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: got %q, %v", name, key, err)
		}
	}
}
