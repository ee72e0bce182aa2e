package events

import (
	"testing"

	"k8s.io/client-go/internal/sharedscheme"
	"k8s.io/client-go/kubernetes/scheme"
)

func TestBuiltinKindsAreThoseOfTheClientset(t *testing.T) {
	if builtinKinds() != scheme.Scheme {
		t.Error("the scheme of a program that links it is not used")
	}
	sharedscheme.Scheme = nil
	defer func() { sharedscheme.Scheme = scheme.Scheme }()
	own := builtinKinds()
	for kind := range scheme.Scheme.AllKnownTypes() {
		if !own.Recognizes(kind) {
			t.Errorf("%v is unknown", kind)
		}
	}
}
